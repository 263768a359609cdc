"""Compares versions of Parley, as both sides write them: 1.4.0, 1.4.0-rc.1, parley/1.4.

It never guesses: what is no version is neither older nor newer than anything.
"""

from __future__ import annotations

import re

_FORM = re.compile(
    r"(?:[a-z][a-z-]*/)?v?(?P<numbers>[0-9]{1,6}(?:\.[0-9]{1,6}){0,3})"
    r"(?:[-.]?(?P<stage>[a-z]{1,16})[-.]?(?P<count>[0-9]{0,6}))?"
    r"(?:[-+][a-z0-9.+-]{1,64})?",
    re.IGNORECASE | re.ASCII,
)
# A finished version follows all of its stages; an unknown stage is taken for the earliest.
_STAGES = {"a": 1, "alpha": 1, "b": 2, "beta": 2, "c": 3, "rc": 3, "pre": 3, "preview": 3}
_FINISHED = 4

Version = tuple[tuple[int, ...], int, int]


def parse_version(text: str) -> Version | None:
    """Return a version in an order that compares, None for what is none.

    Numbers compare as numbers (1.10 follows 1.9), missing ones count as 0 (1.4 is 1.4.0), and
    1.4.0-rc.1 comes before 1.4.0.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    numbers = [int(part) for part in found["numbers"].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    if found["stage"] is None:
        return tuple(numbers), _FINISHED, 0
    return tuple(numbers), _STAGES.get(found["stage"].lower(), 0), int(found["count"] or 0)


def is_older(version: str, than: str) -> bool:
    """Tell whether a version comes before another; False when either is none."""
    left, right = parse_version(version), parse_version(than)
    return left is not None and right is not None and left < right
