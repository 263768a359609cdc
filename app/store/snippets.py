"""Cuts the part of a message around what was found and tells where the hits lie in it.

It never changes a character but line breaks: highlights are code points of the snippet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from contract.search_letters import alike
from contract.search_terms import ACCENTS, UNSPACED, is_unspaced, without_marks

SNIPPET_CHARS = 120
_LEAD_CHARS = 30
_BREAKS = str.maketrans({"\n": " ", "\r": " ", "\t": " ", "\u2028": " ", "\u2029": " "})
_UNSPACED_CHAR = re.compile(f"[{UNSPACED}]")

Spans = tuple[tuple[int, int], ...]


# All but ASCII (lowered in one go) and what folds to itself: kana, Han, Hangul, Thai letters.
_TO_FOLD = re.compile(
    "[^\x00-\x7f\u0e01-\u0e30\u0e32\u0e3f-\u0e46\u0e4f-\u0e5b"
    "\u3001-\u3035\u3041-\u309a\u30a0-\u30fe\u3400-\u9fff\uac00-\ud7a3]"
)
# Written in several characters, folded to one: as macOS names files, and narrow katakana.
_JOINING = frozenset(
    map(chr, (*range(0x1100, 0x1200), *range(0x3131, 0x3164), 0x3099, 0x309A, 0xFF9E, 0xFF9F))
)
_CLUSTERS = re.compile(
    "[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[\uac00-\ud7a3][\u11a8-\u11c2]"
    "|[\u3131-\u314e][\u314f-\u3163]|[\u3041-\u30fe\uff66-\uff9d][\u3099\u309a\uff9e\uff9f]|.",
    re.DOTALL,
)


class _FoldTable(dict[str, str]):
    """Character or cluster → as the index knows it; `odd` characters are not one to one."""

    def __init__(self) -> None:
        self.odd: set[str] = set()

    def __missing__(self, cluster: str) -> str:
        composed = unicodedata.normalize("NFKC", cluster)
        if is_unspaced(composed):
            folded = without_marks(composed)
        elif unicodedata.combining(cluster[0]):
            folded = alike(ACCENTS.sub("", cluster))
        else:
            bare = unicodedata.normalize("NFKD", alike(composed.casefold()))
            folded = "".join(c for c in bare if not "\u0300" <= c <= "\u036f").casefold()
        if len(folded) != len(cluster):
            self.odd.add(cluster)
        self[cluster] = folded
        return folded


_FOLD = _FoldTable()


class Highlighter:
    """Finds the terms of one query in the messages it found."""

    def __init__(self, terms: tuple[str, ...]) -> None:
        """Take the terms of `query_terms`; alphabetic ones hit at the start of words only."""
        # No pattern: compiling one costs a millisecond with each key.
        folded = {_folded(term) for term in terms} - {""}
        self._terms = [(term, not is_unspaced(term)) for term in sorted(folded)]

    def finds_all(self, text: str) -> bool:
        """Return True when the text holds every term; without terms any text does."""
        folded = text.lower() if text.isascii() else _folded(text)
        return all(any(_places(folded, *each)) for each in self._terms)

    def snippet(self, text: str) -> tuple[str, Spans]:
        """Return at most SNIPPET_CHARS of `text` around its first hit, and the hits' places.

        Line breaks become spaces; a cut is shown by an ellipsis.
        """
        spans = self._spans(text)
        if len(text) <= SNIPPET_CHARS:
            return text.translate(_BREAKS), tuple(spans)
        begin = 0
        if spans and spans[0][1] > SNIPPET_CHARS - _LEAD_CHARS:
            begin = min(max(0, spans[0][0] - _LEAD_CHARS), len(text) - SNIPPET_CHARS)
        end = begin + SNIPPET_CHARS
        lead = "…" if begin else ""
        tail = "…" if end < len(text) else ""
        shift = len(lead) - begin
        inside = tuple(
            (max(start, begin) + shift, min(stop, end) + shift)
            for start, stop in spans
            if start < end and stop > begin
        )
        return f"{lead}{text[begin:end].translate(_BREAKS)}{tail}", inside

    def snippet_of(self, text: str, file_names: str) -> tuple[str, Spans]:
        """Return a snippet of a message, or of its files' names when the hit lies there."""
        shown, highlights = self.snippet(text)
        if highlights or not file_names:
            return shown, highlights
        named, marked = self.snippet(file_names)
        return (named, marked) if marked or not text else (shown, highlights)

    def _found(self, folded: str) -> list[tuple[int, int]]:
        """Return the hits in order; those that overlap are one."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted(span for each in self._terms for span in _places(folded, *each)):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def _spans(self, text: str) -> list[tuple[int, int]]:
        if text.isascii():
            return self._found(text.lower())
        spans = self._found(_folded(text))
        if spans and not (_FOLD.odd.isdisjoint(text) and _JOINING.isdisjoint(text)):
            places = _places_in(text)
            spans = [(places[start][0], places[end - 1][1]) for start, end in spans]
        return [(start, _behind_marks(text, end)) for start, end in spans]


def _places(folded: str, term: str, at_words: bool) -> Iterator[tuple[int, int]]:
    """Yield where a term stands, with `at_words` only where a word begins."""
    place = folded.find(term)
    while place >= 0:
        if not at_words or place == 0 or not _is_within_word(folded[place - 1]):
            yield place, place + len(term)
        place = folded.find(term, place + 1)


def _is_within_word(char: str) -> bool:
    return char.isalnum() and (char.isascii() or _UNSPACED_CHAR.match(char) is None)


def _folded(text: str) -> str:
    if not _JOINING.isdisjoint(text):
        text = "".join(_FOLD[each] for each in _CLUSTERS.findall(text))
    return _TO_FOLD.sub(lambda match: _FOLD[match.group()], text).lower()


def _places_in(text: str) -> list[tuple[int, int]]:
    """Return for each character of the folded text which (start, end) of the original it is."""
    places: list[tuple[int, int]] = []
    start = 0
    for cluster in text if _JOINING.isdisjoint(text) else _CLUSTERS.findall(text):
        end = start + len(cluster)
        places += [(start, end)] * len(_FOLD[cluster])
        start = end
    return places


def _behind_marks(text: str, end: int) -> int:
    """Return the end of a hit with the marks that are drawn upon its last letter."""
    while end < len(text) and unicodedata.category(text[end]).startswith("M"):
        end += 1
    return end
