"""Owns the words that make a number likelier to be what it looks like, sought all in one pass.

It never weighs them, and it never cuts through a word of an alphabetic script.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from ahocorasick_rs import AhoCorasick

from contract.policy.normalise import at_word_bounds


class EvidenceWords:
    """The folded words of one rule."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)

    @functools.cached_property
    def _automaton(self) -> AhoCorasick:
        return AhoCorasick(self.words)

    def stand_in(self, text: str, low: int, high: int) -> bool:
        """Tell whether one of the words stands in folded text from `low` to `high`."""
        found = self._automaton.find_matches_as_indexes(text[low:high], overlapping=True)
        return any(at_word_bounds(text, low + start, low + end) for _, start, end in found)
