"""Reads what was typed into the search field: words, phrases and filters.

It never searches and never refuses: what is no filter is looked for as words, and advice tells.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from app.domain.search import Advice, AdviceKind
from app.domain.search_dates import first_day_of, start_utc_ms
from contract.wire import Channel

FILTERS = ("from", "with", "in", "channel", "has", "before", "after")
ME = "me"
_FILES = frozenset({"file", "files", "attachment", "attachments"})
# A filter stands at the start of a word; CJK keyboards write its colon full-width.
_FILTER = re.compile(
    r"(?<!\S)(?P<key>[A-Za-z]{2,12})[:\uff1a]"
    r"(?P<value>[\"\u201c\u201d\u201e][^\"\u201c\u201d\u201e]*[\"\u201c\u201d\u201e]?|[^\s\"]*)"
)
_QUOTES = '"\u201c\u201d\u201e'


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One question; filters of one kind widen each other, those of different kinds narrow.

    Times bound [after, before) in UTC milliseconds. `text` keeps its quotation marks.
    """

    text: str
    from_names: tuple[str, ...] = ()
    with_names: tuple[str, ...] = ()
    in_titles: tuple[str, ...] = ()
    channels: frozenset[Channel] = frozenset()
    has_file: bool = False
    after_utc_ms: int | None = None
    before_utc_ms: int | None = None
    advice: tuple[Advice, ...] = ()

    @property
    def has_filters(self) -> bool:
        """Return True when anything but words was asked for."""
        times = (self.after_utc_ms, self.before_utc_ms)
        named = self.from_names or self.with_names or self.in_titles or self.channels
        return bool(named) or self.has_file or times != (None, None)


@dataclass(frozen=True, slots=True)
class OpenFilter:
    """The filter under the caret: characters `start` to `end` of the text hold its value."""

    key: str
    value: str
    start: int
    end: int


@dataclass(slots=True)
class _Reading:
    now: datetime
    names: dict[str, list[str]] = field(default_factory=dict)
    channels: set[Channel] = field(default_factory=set)
    has_file: bool = False
    after_utc_ms: int | None = None
    before_utc_ms: int | None = None
    advice: list[Advice] = field(default_factory=list)


def parse_query(text: str, now_utc_ms: int, zone: tzinfo | None = None) -> SearchQuery:
    """Return what a text asks for; days are those of `zone`, by default this computer's."""
    reading = _Reading(datetime.fromtimestamp(now_utc_ms / 1_000, zone))

    def take(match: re.Match[str]) -> str:
        return " " if _take(reading, match["key"].lower(), _value_of(match)) else match.group()

    words = _FILTER.sub(take, text).strip()
    after, before = reading.after_utc_ms, reading.before_utc_ms
    if after is not None and before is not None and after >= before:
        reading.advice.append(Advice(AdviceKind.EMPTY_RANGE))
    return SearchQuery(
        text=words,
        from_names=tuple(reading.names.get("from", ())),
        with_names=tuple(reading.names.get("with", ())),
        in_titles=tuple(reading.names.get("in", ())),
        channels=frozenset(reading.channels),
        has_file=reading.has_file,
        after_utc_ms=after,
        before_utc_ms=before,
        advice=tuple(reading.advice),
    )


def open_filter(text: str, caret: int) -> OpenFilter | None:
    """Return the known filter whose value the caret stands in or behind, None elsewhere."""
    for match in _FILTER.finditer(text):
        key = match["key"].lower()
        if key in FILTERS and match.start("value") <= caret <= match.end():
            return OpenFilter(key, _value_of(match), match.start("value"), match.end())
    return None


def with_value(text: str, place: OpenFilter, value: str) -> str:
    """Return the text with a filter's value replaced, in quotes where it holds spaces."""
    shown = f'"{value}"' if re.search(r"\s", value) else value
    rest = text[place.end :]
    return f"{text[: place.start]}{shown}{rest if rest[:1].isspace() else ' ' + rest}"


def _value_of(match: re.Match[str]) -> str:
    return match["value"].strip(_QUOTES).strip()


def _take(reading: _Reading, key: str, value: str) -> bool:
    """Note a filter; return False when its text is to be looked for as words."""
    if key not in FILTERS:
        # "https://…" and "12:30" are no filters, and nobody takes them for some.
        if value and not value.startswith("/"):
            reading.advice.append(Advice(AdviceKind.UNKNOWN_FILTER, key, value))
        return False
    if not value:
        return True
    if key in ("from", "with", "in"):
        reading.names.setdefault(key, []).append(value)
    elif key == "channel":
        _take_channel(reading, value)
    elif key == "has":
        _take_thing(reading, value.lower())
    else:
        _take_date(reading, key, value)
    return True


def _take_channel(reading: _Reading, value: str) -> None:
    wanted = unicodedata.normalize("NFKC", value).casefold().replace(" ", "")
    found = {channel for channel in Channel if channel.value.startswith(wanted)}
    if found:
        reading.channels |= found
    else:
        reading.advice.append(Advice(AdviceKind.UNKNOWN_CHANNEL, "channel", value))


def _take_thing(reading: _Reading, value: str) -> None:
    if value in _FILES:
        reading.has_file = True
    elif not any(each.startswith(value) for each in _FILES):
        reading.advice.append(Advice(AdviceKind.UNKNOWN_THING, "has", value))


def _take_date(reading: _Reading, key: str, value: str) -> None:
    day = first_day_of(unicodedata.normalize("NFKC", value).casefold(), reading.now.date())
    if day is None:
        reading.advice.append(Advice(AdviceKind.NO_DATE, key, value))
        return
    at = start_utc_ms(day, reading.now.tzinfo)
    if key == "after":
        reading.after_utc_ms = max(at, reading.after_utc_ms or at)
    else:
        reading.before_utc_ms = min(at, reading.before_utc_ms or at)
