"""Reads the dates of search filters as people write them.

It never guesses: a date that could be read in two ways is none.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo

_ISO = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_AGO = re.compile(r"(\d{1,4})([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_FIRST_YEAR, _LAST_YEAR = 1971, 2199


def first_day_of(value: str, today: date) -> date | None:
    """Return the first day of a date, None for anything else.

    `2026-11-05`, `2026-11`, `2026`, `5.11.2026`, `today`, `yesterday`, and `7d`, `2w`, `3m`,
    `1y` for that long ago (a month counts 30 days, a year 365).
    """
    if value in ("today", "yesterday"):
        return today - timedelta(days=int(value == "yesterday"))
    if ago := _AGO.fullmatch(value):
        days = int(ago[1]) * _DAYS[ago[2]]
        return today - timedelta(days=days) if days < 365 * 60 else None
    if iso := _ISO.fullmatch(value):
        return _date(int(iso[1]), int(iso[2] or 1), int(iso[3] or 1))
    if dotted := _DOTTED.fullmatch(value):
        return _date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
    return None


def start_utc_ms(day: date, zone: tzinfo | None) -> int:
    """Return when a day begins in `zone`, None: where this computer is."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1_000)


def _date(year: int, month: int, day: int) -> date | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
