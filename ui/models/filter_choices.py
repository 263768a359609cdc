"""Offers what a filter under the caret could be completed to.

It never changes what is typed.
"""

from __future__ import annotations

from typing import Protocol

from app.domain.search_query import ME, OpenFilter, open_filter
from contract.wire import Channel

_MOST = 6
_DATES = ("today", "yesterday", "7d", "3m", "1y")


class NameSource(Protocol):
    """Where names come from."""

    async def names(self, typed: str) -> tuple[str, ...]:
        """Return names of people that hold what is typed of one."""
        ...

    async def titles(self, typed: str) -> tuple[str, ...]:
        """Return titles of conversations that hold what is typed of one."""
        ...


async def choices_at(
    text: str, caret: int, source: NameSource
) -> tuple[OpenFilter, tuple[str, ...]] | None:
    """Return the filter the caret stands in with its completions; None outside, or with none."""
    place = open_filter(text, caret)
    if place is None:
        return None
    found = [each for each in await _choices(place, source) if each != place.value]
    return (place, tuple(found[:_MOST])) if found else None


async def _choices(place: OpenFilter, source: NameSource) -> tuple[str, ...]:
    typed = place.value.casefold()
    if place.key == "channel":
        return tuple(each.value for each in Channel if each.value.startswith(typed))
    if place.key == "has":
        return ("file",) if "file".startswith(typed) else ()
    if place.key in ("before", "after"):
        return tuple(each for each in _DATES if each.startswith(typed))
    if place.key == "in":
        return await source.titles(place.value) if typed else ()
    me = (ME,) if place.key == "from" and ME.startswith(typed) else ()
    return (*me, *(await source.names(place.value) if typed else ()))
