"""Marks an indexed text with what it belongs to: conversation, author, day, files.

It never reads or writes an index, and a tag never stands in what people write.

A filter is then one more term of the full-text query, so that its rows are met in one walk of the
index. A tag is a token of private-use characters: conversation and author together (found by
conversation alone as a prefix), year, month and day together (found by year or month as a
prefix). Tags may clash (numbers are folded into 65 534 characters): readers compare the row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from zlib import crc32

_PLANE = 0xFFFE
_CONVERSATIONS, _AUTHORS = 0xF0000, 0x100000
_YEARS, _MONTHS, _DAYS = 0xE000, 0xE200, 0xE300
_FILE = "\uf000"
_DAY_MS = 86_400_000
# What is dated outside these years stands with the nearest of them: fewer years, fewer terms.
_FIRST_YEAR, _LAST_YEAR = 2012, 2200
_FIRST_UTC_MS = int(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp() * 1_000)
_LAST_UTC_MS = int(datetime(_LAST_YEAR, 12, 31, tzinfo=UTC).timestamp() * 1_000)


def number_of(key: str) -> int:
    """Return a number to tag a text id by."""
    return crc32(key.encode("utf-8", "surrogatepass"))


def tags_of(conversation: int, author_id: str, at_utc_ms: int, *, has_file: bool) -> str:
    """Return what is written behind an indexed text, with a space before it."""
    files = f" {_FILE}" if has_file else ""
    home = chr(_CONVERSATIONS + conversation % _PLANE)
    return f" {home}{_author(author_id)} {_day(at_utc_ms // _DAY_MS)}{files}"


def conversations_expression(conversations: Iterable[int]) -> str:
    """Return the FTS5 expression for the messages of any of the conversations."""
    return _any(f'"{chr(_CONVERSATIONS + each % _PLANE)}"*' for each in conversations)


def authors_expression(authors: Iterable[tuple[int, str]]) -> str:
    """Return the FTS5 expression for what any (conversation, author id) wrote."""
    return _any(
        f'"{chr(_CONVERSATIONS + home % _PLANE)}{_author(author)}"' for home, author in authors
    )


def files_expression() -> str:
    """Return the FTS5 expression for messages with files."""
    return f'"{_FILE}"'


def days_expression(after_utc_ms: int | None, before_utc_ms: int | None, now_utc_ms: int) -> str:
    """Return the FTS5 expression for every UTC day that [after, before) touches.

    An open end reaches from the first year to the year after `now_utc_ms`. Whole years and
    months are one term each, so that no range takes more than a few dozen.
    """
    last = _date(now_utc_ms + 366 * _DAY_MS)
    first_day = date(_FIRST_YEAR, 1, 1) if after_utc_ms is None else _date(after_utc_ms)
    last_day = last if before_utc_ms is None else min(last, _date(before_utc_ms - 1))
    terms: list[str] = []
    day = first_day
    while day <= last_day:
        year_end = date(day.year, 12, 31)
        month_end = date.fromordinal(_next_month(day).toordinal() - 1)
        if day.month == day.day == 1 and (year_end <= last_day or last_day == last):
            terms.append(f'"{_year(day)}"*')
            day = year_end
        elif day.day == 1 and month_end <= last_day:
            terms.append(f'"{_year(day)}{chr(_MONTHS + day.month)}"*')
            day = month_end
        else:
            terms.append(f'"{_day_of(day)}"')
        if day >= last_day:
            break
        day = date.fromordinal(day.toordinal() + 1)
    return _any(terms or [f'"{chr(_YEARS)}"'])


def _any(terms: Iterable[str]) -> str:
    return f"({' OR '.join(terms)})"


@lru_cache(maxsize=65_536)
def _author(author_id: str) -> str:
    return chr(_AUTHORS + number_of(author_id) % _PLANE)


@lru_cache(maxsize=16_384)
def _day(day_number: int) -> str:
    return _day_of(_date(day_number * _DAY_MS))


def _date(at_utc_ms: int) -> date:
    bounded = max(_FIRST_UTC_MS, min(at_utc_ms, _LAST_UTC_MS))
    return datetime.fromtimestamp(bounded / 1_000, UTC).date()


def _day_of(day: date) -> str:
    return f"{_year(day)}{chr(_MONTHS + day.month)}{chr(_DAYS + day.day)}"


def _year(day: date) -> str:
    return chr(_YEARS + day.year - _FIRST_YEAR + 1)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
