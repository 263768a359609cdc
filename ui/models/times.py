"""How moments and spans are put into words.

It never reads a clock: the present comes as an argument. All moments are UTC milliseconds;
`zone` None stands for this computer's time zone.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
_QUARTER_MS = 15 * MINUTE_MS


def local(at_utc_ms: int, zone: tzinfo | None = None) -> datetime:
    """Return the moment as local time."""
    return datetime.fromtimestamp(at_utc_ms / 1000, UTC).astimezone(zone)


def clock_time(at_utc_ms: int, zone: tzinfo | None = None) -> str:
    """Return `10:42`."""
    return local(at_utc_ms, zone).strftime("%H:%M")


def row_time(at_utc_ms: int, now_utc_ms: int, zone: tzinfo | None = None) -> str:
    """Return what a list row says: `10:42`, `Yesterday`, `Thu`, `12 Nov`, `12 Nov 2025`."""
    at, now = local(at_utc_ms, zone), local(now_utc_ms, zone)
    days = (now.date() - at.date()).days
    if days <= 0:
        return f"{at:%H:%M}"
    if days == 1:
        return "Yesterday"
    if days < 7:
        return _DAYS[at.weekday()][:3]
    day = f"{at.day} {_MONTHS[at.month - 1][:3]}"
    return day if at.year == now.year else f"{day} {at.year}"


def day_words(at_utc_ms: int, now_utc_ms: int, zone: tzinfo | None = None) -> str:
    """Return what a day separator says: `Today`, `Yesterday`, `Thursday`, `12 November 2026`."""
    at, now = local(at_utc_ms, zone), local(now_utc_ms, zone)
    days = (now.date() - at.date()).days
    if days == 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    if 1 < days < 7:
        return _DAYS[at.weekday()]
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def day_number(at_utc_ms: int, zone: tzinfo | None = None) -> int:
    """Return the local calendar day as a number, for comparing two moments."""
    # Every zone's clock differs from UTC by whole quarters of an hour: a day begins with one.
    return _day_of_quarter(at_utc_ms // _QUARTER_MS, zone, time.tzname)


@lru_cache(maxsize=4096)
def _day_of_quarter(quarter: int, zone: tzinfo | None, here: tuple[str, str]) -> int:
    return local(quarter * _QUARTER_MS, zone).toordinal()


def span_left(left_ms: int) -> str:
    """Return `2 h left` or `12 min left`, rounded down, at least one minute."""
    if left_ms >= HOUR_MS:
        return f"{left_ms // HOUR_MS} h left"
    return f"{max(1, left_ms // MINUTE_MS)} min left"
