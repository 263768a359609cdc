"""Owns matching all terms of all lexicon rules in one pass over folded text.

It never cuts through a word of an alphabetic script, and it knows no actions or messages.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

from contract.policy.disguised_words import Reading, second_readings, words_of
from contract.policy.normalise import at_word_bounds, is_word_char

_SPELT_OUT = re.compile(
    r"(?<![^\W_])(?:[^\W\d_][ \-._*·,/|+]{1,3}){2,}[^\W\d_](?![^\W_])",
)
_LETTER = re.compile(r"[^\W\d_]")
_MIN_SPELT_LETTERS = 4
_MIN_SPELT_UNSPACED = 2


class Term(NamedTuple):
    """One term of one rule, folded; `replacement` is the rule's suggestion or empty.

    `ordinary` marks a phrase in which the rule's other terms say nothing.
    """

    rule_index: int
    text: str
    replacement: str
    ordinary: bool = False


class TermUse(NamedTuple):
    """What a term is to a rule; terms of one rule share one, for there are many terms."""

    rule_index: int
    replacement: str
    ordinary: bool


class TermMatch(NamedTuple):
    """A term found at a span of the folded text."""

    term: TermUse
    start: int
    end: int


class Lexicon:
    """The automaton over every distinct term."""

    def __init__(self, terms: Iterable[Term]) -> None:
        by_text: dict[str, tuple[TermUse, ...]] = {}
        shared: dict[tuple[TermUse, ...], tuple[TermUse, ...]] = {}
        for term in terms:
            use = TermUse(term.rule_index, term.replacement, term.ordinary)
            uses = (*by_text.get(term.text, ()), use)
            by_text[term.text] = shared.setdefault(uses, uses)
        self._terms = list(by_text.values())
        self._words = words_of(by_text)
        self._automaton = AhoCorasick(by_text) if by_text else None

    def find(self, text: str, *, spaced: bool = True, disguised: bool = True) -> list[TermMatch]:
        """Find terms in folded text: per rule the leftmost and longest, never overlapping.

        What overlaps an ordinary phrase of its rule is left out, as is the phrase itself.
        `spaced` and `disguised` are False where a first look has shown that the text has no
        letters set apart, or no word in disguise.
        """
        if self._automaton is None:
            return []
        matches = self._plain(text)
        if spaced:
            for run in _SPELT_OUT.finditer(text):
                matches.extend(self._spelt_out(text, run.start(), run.end()))
        if disguised:
            for reading in second_readings(text, self._words):
                matches.extend(self._disguised(reading))
        return _leftmost_longest(_without_ordinary(matches)) if matches else matches

    def _plain(self, text: str) -> list[TermMatch]:
        assert self._automaton is not None
        return [
            TermMatch(term, start, end)
            for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True)
            if at_word_bounds(text, start, end)
            for term in self._terms[index]
        ]

    def _disguised(self, reading: Reading) -> list[TermMatch]:
        """Find terms that hold a disguised word, as they are meant, at the places as written."""
        places, words = reading.places, reading.words
        assert self._automaton is not None
        return [
            TermMatch(term, places[start], places[end - 1] + 1)
            for index, start, end in self._automaton.find_matches_as_indexes(
                reading.text, overlapping=True
            )
            if _overlaps(words, start, end) and at_word_bounds(reading.text, start, end)
            for term in self._terms[index]
        ]

    def _spelt_out(self, text: str, start: int, end: int) -> list[TermMatch]:
        """Find terms in a run of single letters set apart by spaces or punctuation."""
        assert self._automaton is not None
        places = [match.start() for match in _LETTER.finditer(text, start, end)]
        letters = "".join(text[place] for place in places)
        return [
            TermMatch(term, places[first], places[last - 1] + 1)
            for index, first, last in self._automaton.find_matches_as_indexes(
                letters, overlapping=True
            )
            if last - first >= _min_spelt(letters[first])
            for term in self._terms[index]
        ]


def _min_spelt(first: str) -> int:
    return _MIN_SPELT_LETTERS if is_word_char(first) else _MIN_SPELT_UNSPACED


def _without_ordinary(matches: list[TermMatch]) -> list[TermMatch]:
    spans: dict[int, list[tuple[int, int]]] = {}
    for found in matches:
        if found.term.ordinary:
            spans.setdefault(found.term.rule_index, []).append((found.start, found.end))
    if not spans:
        return matches
    stretches = {rule_index: _merged(own) for rule_index, own in spans.items()}
    return [
        found
        for found in matches
        if not _overlaps(stretches.get(found.term.rule_index, []), found.start, found.end)
    ]


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans that overlap as one each, in order, so that no two have a place in common."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _overlaps(stretches: list[tuple[int, int]], start: int, end: int) -> bool:
    """Tell whether a span has a place in common with one of the stretches, which are in order."""
    index = bisect.bisect_right(stretches, start, key=lambda one: one[1])
    return index < len(stretches) and stretches[index][0] < end


def _leftmost_longest(matches: list[TermMatch]) -> list[TermMatch]:
    matches.sort(key=lambda found: (found.term.rule_index, found.start, -found.end))
    kept: list[TermMatch] = []
    for found in matches:
        last = kept[-1] if kept else None
        same_rule = last is not None and last.term.rule_index == found.term.rule_index
        if last is None or not same_rule or found.start >= last.end:
            kept.append(found)
    return kept
