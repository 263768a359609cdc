"""Reads WhatsApp's exported chat: the text of iPhones and of Android, in many locales.

It never drops a line: what begins no message goes on with the one before.

Formats: as seen in exports; no document of the vendor describes them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

import msgspec

from contract.imports.day_order import DayOrder, FoundOrder, find_order, moment_of
from contract.imports.line_heads import Head, split_head
from contract.imports.model import (
    ImportedChat,
    ImportedKind,
    ImportedMessage,
    ImportRefused,
    Source,
    participants_of,
)
from contract.imports.whatsapp_words import (
    EDITED_AT_END,
    FILE_BEFORE_WORDS,
    FILE_IN_BRACKETS,
    is_deleted,
    is_omitted,
)

_APP_SPEAKS = "\u200e"
_OUTER_MARKS = "\u200e\u200f\u202a\u202c\ufeff"
_AUTHOR = re.compile('([^:\n"“”„«»「『]{1,100}?)[ \u00a0\u202f]?:(?:[ \u00a0\u202f]|$)')
_TRAVEL_MS = 2 * 24 * 3_600_000
_MOST_LINES = 2_000_000
_BREAK = re.compile(rb"\r\n|\n|\r")


class _Line(msgspec.Struct, frozen=True, gc=False):
    head: Head
    rest: str


class WhatsAppText(NamedTuple):
    """An export taken apart, before its dates have a meaning.

    `order` is how its dates are read, with what shows it.
    """

    lines: tuple[_Line, ...]
    order: FoundOrder


def take_apart(text: str | bytes) -> WhatsAppText:
    """Return the messages' lines and the order of their dates; bytes are in valid UTF-8.

    Raises ImportRefused for a text that is no export, or whose dates fit no order.
    """
    lines = tuple(_lines(text.encode("utf-8", "replace") if isinstance(text, str) else text))
    order = find_order([line.head for line in lines])
    if order is None:
        raise ImportRefused(
            "No messages of a WhatsApp export were found in this file. Export the chat in "
            "WhatsApp once more and choose the .zip or .txt it makes."
        )
    return WhatsAppText(lines, order)


def read_chat(
    export: WhatsAppText,
    zone: tzinfo,
    *,
    title: str = "",
    order: DayOrder | None = None,
    files: Collection[str] = (),
) -> ImportedChat:
    """Return the chat with its times read in `zone` and `order` (the found one if None).

    `files` are the names beside the text in the archive; `title` is the chat's, for its key.
    """
    chosen = order or export.order.order
    present = frozenset(files)
    messages: list[ImportedMessage] = []
    clock = _Clock(zone)
    for line in _with_dates(export.lines, chosen):
        moment = moment_of(line.head, chosen)
        assert moment is not None, "lines without a date were joined to the one before"
        messages.append(_message(line.rest, moment, clock.utc_ms(moment), present))
    said = tuple(messages)
    people = participants_of(said)
    return ImportedChat(
        source=Source.WHATSAPP_TEXT,
        key=title,
        title=title,
        messages=said,
        participants=people,
        is_group=len(people) > 2,
        notes=_notes(export.order, order, said, present),
    )


def _lines(text: bytes) -> Iterator[_Line]:
    head: Head | None = None
    said: list[str] = []
    for number, line in enumerate(_split(text)):
        if number > _MOST_LINES:
            raise ImportRefused("This export has more than two million lines: split it.")
        found = split_head(line)
        if found is None:
            said.append(line)
            continue
        if head is not None:
            yield _Line(head, "\n".join(said))
        elif any(each.strip(_OUTER_MARKS + " ") for each in said):
            raise ImportRefused("The file does not begin with a message: it is no whole export.")
        head, said = found[0], [found[1]]
    if head is not None:
        yield _Line(head, "\n".join(said).rstrip("\n"))


def _split(text: bytes) -> Iterator[str]:
    """Yield the lines one by one: a text of nothing but line ends would fill the memory."""
    begin = 0
    for found in _BREAK.finditer(text):
        yield text[begin : found.start()].decode()
        begin = found.end()
    yield text[begin:].decode()


def _with_dates(lines: tuple[_Line, ...], order: DayOrder) -> Iterator[_Line]:
    """Join what only looks like a date to the message before it."""
    waiting: _Line | None = None
    for line in lines:
        if moment_of(line.head, order) is None and waiting is not None:
            waiting = _Line(waiting.head, f"{waiting.rest}\n{_as_written(line)}")
            continue
        if waiting is not None:
            yield waiting
        waiting = line
    if waiting is not None and moment_of(waiting.head, order) is not None:
        yield waiting


def _as_written(line: _Line) -> str:
    numbers = "/".join(str(number) for number in line.head.numbers)
    return f"{numbers}, {line.head.hour:02d}:{line.head.minute:02d} - {line.rest}"


def _message(
    rest: str, moment: datetime, at_utc_ms: int, present: frozenset[str]
) -> ImportedMessage:
    author = _AUTHOR.match(rest)
    sender = author.group(1).strip(_OUTER_MARKS + " \u00a0") if author else ""
    said = rest[author.end() :] if author and sender else rest
    stamp = moment.isoformat()
    if not sender:
        text = said.strip(_OUTER_MARKS)
        return ImportedMessage(
            at_utc_ms=at_utc_ms,
            sender="",
            text=text,
            kind=ImportedKind.SYSTEM,
            local_stamp=stamp,
        )
    by_app = said.startswith(_APP_SPEAKS)
    edited = EDITED_AT_END.search(said)
    said, files, missing = _files(said[: edited.start()] if edited else said, present)
    text = said.strip(_OUTER_MARKS)
    kind = ImportedKind.MESSAGE
    if is_deleted(text.strip()):
        kind = ImportedKind.DELETED
    elif by_app and not files and not missing:
        kind, sender = ImportedKind.SYSTEM, ""
    return ImportedMessage(
        at_utc_ms=at_utc_ms,
        sender=sys.intern(sender),  # few people write many messages
        text=text,
        kind=kind,
        files=files,
        missing_files=missing,
        edited=edited is not None,
        local_stamp=stamp,
    )


def _files(said: str, present: frozenset[str]) -> tuple[str, tuple[str, ...], int]:
    """Return the text without the app's words on a file, the file, and 1 if it is not there.

    Android writes them above a caption; an iPhone behind it, where its mark tells them apart from
    a person's.
    """
    plain = said.translate(dict.fromkeys(map(ord, _OUTER_MARKS)))
    found = FILE_IN_BRACKETS.match(plain) or FILE_BEFORE_WORDS.match(plain)
    if found is not None:
        name, caption = found.group(1).strip(), plain[found.end() :].strip("\n")
        return caption, *_held(name, present)
    first, _, caption = plain.partition("\n")
    if first.strip() in present:
        return caption, (first.strip(),), 0
    if is_omitted(plain.strip()):
        return "", (), 1
    if first.startswith("<") and is_omitted(first.strip()):
        return caption, (), 1
    before, mark, last = said.rstrip(_OUTER_MARKS + " \n").rpartition(_APP_SPEAKS)
    caption = before.strip(_OUTER_MARKS + " \n")
    if mark and is_omitted(last.strip()):
        return caption, (), 1
    if mark and (found := FILE_IN_BRACKETS.fullmatch(last)):
        return caption, *_held(found.group(1).strip(), present)
    return said, (), 0


def _held(name: str, present: frozenset[str]) -> tuple[tuple[str, ...], int]:
    held = name in present or not present
    return ((name,) if held else ()), 0 if held else 1


def _notes(
    found: FoundOrder,
    chosen: DayOrder | None,
    messages: tuple[ImportedMessage, ...],
    present: frozenset[str],
) -> tuple[str, ...]:
    notes = []
    if not found.is_sure and chosen is None:
        notes.append(
            f"Every date of this file can be read in several ways; {found.order} was taken. "
            "Please check the first and the last day."
        )
    if pasted := _much_earlier(messages):
        notes.append(
            f"{pasted} messages tell a time of days before the one above them: they may be lines "
            "that somebody pasted into a message. Compare them with the phone."
        )
    missing = sum(message.missing_files for message in messages)
    if missing:
        notes.append(f"{missing} files were left out when the chat was exported.")
    named = {name for message in messages for name in message.files}
    unnamed = len(present - named)
    if unnamed:
        notes.append(f"{unnamed} files of the archive belong to no message; they are kept with it.")
    return tuple(notes)


def _much_earlier(messages: tuple[ImportedMessage, ...]) -> int:
    """Count what stands behind something newer by more than clocks and travel explain."""
    newest_utc_ms = count = 0
    for message in messages:
        count += message.at_utc_ms < newest_utc_ms - _TRAVEL_MS
        newest_utc_ms = max(newest_utc_ms, message.at_utc_ms)
    return count


class _Clock:
    """Turns a phone's own time into UTC; the hour that comes twice in autumn runs forward."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last_utc_ms = 0

    def utc_ms(self, moment: datetime) -> int:
        first = _utc_ms(moment.replace(tzinfo=self._zone, fold=0))
        second = _utc_ms(moment.replace(tzinfo=self._zone, fold=1))
        hour_ms = int(timedelta(hours=2) / timedelta(milliseconds=1))
        late = first < self._last_utc_ms <= second + hour_ms and second > first
        self._last_utc_ms = second if late else first
        return self._last_utc_ms


def _utc_ms(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1000)
