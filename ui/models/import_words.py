"""Puts an export and its import into the words of the import page.

It never claims that something is stored before the backend said so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from app.domain.imports import ChatFigures, Export
from contract.imports.day_order import DayOrder
from contract.imports.model import Source
from ui.models.message_words import number_words

SOURCE_NAMES = {
    Source.WHATSAPP_TEXT: "WhatsApp export",
    Source.TELEGRAM_JSON: "Telegram export",
    Source.LINE_TEXT: "LINE export",
    Source.IMESSAGE: "iMessage history",
    Source.SMS_BACKUP: "SMS backup",
    Source.SIGNAL_DESKTOP: "Signal history",
}
TITLE = "Import from a phone"
PROMISE = (
    "nothing is stored before you confirm; then the original file is kept, readable by "
    "Compliance only"
)
PROMISE_OF_ONE = (
    "nothing is stored before you confirm; then this chat’s part of the file is kept, readable by "
    "Compliance only"
)
FIRST_LINE = f"Bring a client’s chat from a phone into the archive · {PROMISE}"
KINDS_OF_FILES = (
    ("WhatsApp", "the .zip or .txt of “Export chat”"),
    ("Telegram Desktop", "result.json of “Export chat history”"),
    ("LINE", "the .txt of “Export chat history”"),
    ("SMS", "the .xml of SMS Backup & Restore"),
    ("iMessage", "a copy of chat.db from the folder Library/Messages of the Mac"),
)
_SUFFIXES = (".zip", ".txt", ".json", ".xml", ".db", ".sqlite")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class DateWords:
    """The card about days and times; `choices` are (order, words) to choose from, empty when
    the file leaves no doubt. `asks_zone` tells that the phone's time zone is needed."""

    line: str
    choices: tuple[tuple[DayOrder, str], ...] = ()
    asks_zone: bool = True


def looks_like_export(file_name: str) -> bool:
    """Tell whether a file by its name may be a chat from a phone."""
    return file_name.casefold().endswith(_SUFFIXES)


def headline(export: Export, figures: ChatFigures, zone: tzinfo) -> str:
    """Return what the file is, how much it holds, of which time, and what becomes of it."""
    held = count_words(figures.messages, "message")
    if figures.files:
        held += f", {count_words(figures.files, 'file')}"
    named = f"{SOURCE_NAMES[export.source]} “{export.file_name}”"
    promise = PROMISE if len(export.chats) == 1 else PROMISE_OF_ONE
    return " · ".join((named, held, span_words(figures, zone), promise))


def count_words(count: int, thing: str) -> str:
    """Return "1 204 messages"."""
    return f"{number_words(count)} {thing}{'' if count == 1 else 's'}"


def span_words(figures: ChatFigures, zone: tzinfo) -> str:
    """Return "14 Feb – 20 Nov 2026", one day as "14 Feb 2026"."""
    first, last = _day(figures.first_utc_ms, zone), _day(figures.last_utc_ms, zone)
    if first == last:
        return f"{_day_month(last)} {last.year}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{_day_month(first)}{year} – {_day_month(last)} {last.year}"


def date_words(export: Export, chosen: DayOrder | None) -> DateWords | None:
    """Return what there is to say and to ask about days and times, None for exact times."""
    if export.has_zone:
        return None
    found = export.order
    if found is None:
        return DateWords("Dates are written out. Time zone of the phone:")
    if export.readings is None or len(export.readings.days) < 2:
        occurs = f": {found.evidence} occurs" if found.evidence else ""
        return DateWords(f"Dates read as {chosen or found.order}{occurs}. Time zone of the phone:")
    choices = tuple((order, _reading(order, day)) for order, day in export.readings.days)
    asked = f"{export.readings.as_written} can be read in {len(choices)} ways, and so can every "
    asked += "other date of this file. Look into the chat: which day is meant?"
    return DateWords(asked, choices)


def day_words_in(at_utc_ms: int, zone: tzinfo) -> str:
    """Return "14 Feb 2026, 09:01"."""
    moment = datetime.fromtimestamp(at_utc_ms / 1000, UTC).astimezone(zone)
    return f"{_day_month(moment.date())} {moment.year}, {moment:%H:%M}"


def _reading(order: DayOrder, day: date) -> str:
    return f"{_day_month(day)} {day.year} ({order})"


def _day_month(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"


def _day(at_utc_ms: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(at_utc_ms / 1000, UTC).astimezone(zone).date()
