"""Owns a first look at a text: in one pass, which costly searches could find anything in it.

It never finds anything itself, and it never says no where a search would find something.

Its patterns stand in look_patterns.py.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re2

MAX_MEMORY_BYTES = 8 * 1024 * 1024


class Clue(IntEnum):
    """What a text may hold; the value is the pattern's place among all."""

    CARD = 0
    SPELT_CARD = 1
    IBAN = 2
    US_SSN = 3
    UK_NINO = 4
    PASSPORT = 5
    SECRET = 6
    SPACED_LETTERS = 7
    DISGUISED_WORD = 8


def clues_in(folded: str) -> Sequence[int]:
    """Return the clues that a text in the form of `ScannedText.folded` holds, by their values."""
    return _look().Match(folded.encode("utf-8", "replace")) or ()


def prepare() -> None:
    """Compile the patterns, so that no keystroke and no message waits for it."""
    _look()


@functools.cache
def _look() -> re2.Set:
    import re2

    from contract.policy.look_patterns import patterns

    options = re2.Options()
    options.max_mem = MAX_MEMORY_BYTES
    look = re2.Set.SearchSet(options)
    for clue, forms in sorted(patterns().items()):
        if look.Add("|".join(forms)) != clue:
            raise AssertionError("clues are numbered from 0 without a gap")
    look.Compile()
    return look
