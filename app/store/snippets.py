"""Cuts the part of a message around what was found and tells where the hits lie in it.

It never changes a character but line breaks: highlights are code points of the snippet.
"""

from __future__ import annotations

import unicodedata

from app.store.index_terms import is_unspaced

SNIPPET_CHARS = 120
_LEAD_CHARS = 30
_BREAKS = str.maketrans({"\n": " ", "\r": " ", "\t": " ", "\u2028": " ", "\u2029": " "})

Spans = tuple[tuple[int, int], ...]


class _FoldTable(dict[int, str]):
    """Character → folded characters, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        decomposed = unicodedata.normalize("NFKD", chr(code)).casefold()
        kept = "".join(c for c in decomposed if not unicodedata.combining(c))
        folded = unicodedata.normalize("NFC", kept)
        if "\u1100" <= chr(code) <= "\ud7ff" and len(folded) != 1:
            folded = chr(code)
        self[code] = folded
        return folded


_FOLD = _FoldTable()


def snippet(text: str, terms: tuple[str, ...]) -> tuple[str, Spans]:
    """Return at most SNIPPET_CHARS of `text` around its first hit, and the hits' places.

    `terms` are those of `query_terms`. Alphabetic terms hit at the start of words, others
    anywhere. A cut is shown by an ellipsis.
    """
    folded, origin = _fold_with_places(text)
    hits = _hits(folded, tuple(_fold_with_places(term)[0] for term in terms))
    if origin is not None:
        hits = [(origin[start], origin[end - 1] + 1) for start, end in hits]
    spans = _merged(hits)
    begin = 0
    if len(text) > SNIPPET_CHARS and spans and spans[0][1] > SNIPPET_CHARS - _LEAD_CHARS:
        begin = min(max(0, spans[0][0] - _LEAD_CHARS), len(text) - SNIPPET_CHARS)
    end = min(len(text), begin + SNIPPET_CHARS)
    shown = text[begin:end].translate(_BREAKS)
    lead = "…" if begin else ""
    tail = "…" if end < len(text) else ""
    shift = len(lead) - begin
    inside = tuple(
        (max(start, begin) + shift, min(stop, end) + shift)
        for start, stop in spans
        if start < end and stop > begin
    )
    return f"{lead}{shown}{tail}", inside


def _fold_with_places(text: str) -> tuple[str, list[int] | None]:
    """Return the folded text and, when lengths differ, each character's place in the original."""
    if text.isascii():
        return text.lower(), None
    folded = text.translate(_FOLD)
    if len(folded) == len(text) and all(len(_FOLD[ord(c)]) == 1 for c in set(text)):
        return folded, None
    places = [i for i, c in enumerate(text) for _ in _FOLD[ord(c)]]
    return folded, places


def _hits(folded: str, terms: tuple[str, ...]) -> list[tuple[int, int]]:
    found = []
    for term in terms:
        if not term:
            continue
        anywhere = is_unspaced(term)
        start = folded.find(term)
        while start >= 0:
            if (
                anywhere
                or start == 0
                or not folded[start - 1].isalnum()
                or is_unspaced(folded[start - 1])
            ):
                found.append((start, start + len(term)))
            start = folded.find(term, start + len(term))
    return found


def _merged(hits: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(hits):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
