"""Cuts the part of a message around what was found and tells where the hits lie in it.

It never changes a character but line breaks: highlights are code points of the snippet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from contract.search_terms import UNSPACED, is_unspaced

SNIPPET_CHARS = 120
_LEAD_CHARS = 30
_BREAKS = str.maketrans({"\n": " ", "\r": " ", "\t": " ", "\u2028": " ", "\u2029": " "})
_UNSPACED_CHAR = re.compile(f"[{UNSPACED}]")

Spans = tuple[tuple[int, int], ...]


class _FoldTable(dict[int, str]):
    """Character → folded characters, filled as they are met; `odd` are those not one to one."""

    def __init__(self) -> None:
        self.odd: set[str] = set()

    def __missing__(self, code: int) -> str:
        char = chr(code)
        decomposed = unicodedata.normalize("NFKD", char)
        if "\u1100" <= char <= "\ud7ff":
            folded = unicodedata.normalize("NFKC", char)
        else:
            folded = "".join(c for c in decomposed.casefold() if not unicodedata.combining(c))
        if len(folded) != 1:
            self.odd.add(char)
        self[code] = folded
        return folded


_FOLD = _FoldTable()
# All but ASCII (lowered in one go), kana with their marks, Han, Hangul and Thai, which fold to
# themselves.
_TO_FOLD = re.compile(
    "[^\x00-\x7f\u0e00-\u0e7f\u3001-\u3035\u3041-\u309a\u30a0-\u30fe\u3400-\u9fff\uac00-\ud7a3]"
)


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
        if _FOLD.odd.isdisjoint(text):
            return spans
        odd = _odd_places(text)
        return [(_original(start, odd), _original(end - 1, odd) + 1) for start, end in spans]


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
    return _TO_FOLD.sub(lambda match: _FOLD[ord(match.group())], text).lower()


def _odd_places(text: str) -> list[tuple[int, int, int]]:
    """Return where folding changed the length: place, place once folded, folded length."""
    found = []
    grown = 0
    for place, char in enumerate(text):
        if char in _FOLD.odd:
            length = len(_FOLD[ord(char)])
            found.append((place, place + grown, length))
            grown += length - 1
    return found


def _original(folded_place: int, odd: list[tuple[int, int, int]]) -> int:
    """Return which character of the original stands at a place of the folded text."""
    grown = 0
    for place, start, length in odd:
        if start > folded_place:
            break
        if folded_place < start + length:
            return place
        grown += length - 1
    return folded_place - grown
