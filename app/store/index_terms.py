"""Turns text into what the full-text index holds and queries into what it is asked.

It never reads or writes the index; accents of Latin letters are left to its tokenizer.
"""

from __future__ import annotations

import re
import unicodedata

# Scripts written without spaces between words, where a term may be one or two characters:
# Thai, Lao, Burmese, Khmer, Hangul, CJK with kana, and the ideographs beyond the first plane.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007"
    "\u3040-\u30ff\u3105-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{UNSPACED}]+")
_PIECES = re.compile(f"[{UNSPACED}]+|[^\\W_{UNSPACED}]+")
_MARKS = re.compile(
    "["
    + "".join(
        chr(code)
        for first, last in ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
        for code in range(first, last + 1)
        if unicodedata.category(chr(code)) in ("Mn", "Mc")
    )
    + "]"
)
_MAX_TERMS = 12
_MAX_TERM_CHARS = 64


def indexed_text(text: str) -> str:
    """Return the text as written to the index: unspaced runs as overlapping bigrams.

    A run of n characters becomes n tokens, each pair and at last the single character, so
    that one character is found as the prefix of a token (0.9 µs for plain text).
    """
    if text.isascii():
        return text
    return _RUN.sub(_bigrams_of_match, _folded(text))


def match_expression(query: str) -> str | None:
    """Return the FTS5 expression that finds every term of a typed query, None when blank.

    Terms of alphabets match as prefixes; unspaced runs as sequences of bigrams. Nothing the
    user types is taken as FTS5 syntax.
    """
    return " AND ".join(_expressions(query)) or None


def query_terms(query: str) -> tuple[str, ...]:
    """Return the folded pieces of a query, as highlights look for them."""
    return tuple(piece[:_MAX_TERM_CHARS] for piece in _PIECES.findall(_folded(query))[:_MAX_TERMS])


def is_unspaced(term: str) -> bool:
    """Return True when a term's script writes no spaces between words."""
    return _RUN.match(term) is not None


def _expressions(query: str) -> list[str]:
    found = []
    for term in query_terms(query):
        if not is_unspaced(term):
            found.append(f'"{term}"*')
            continue
        letters = _without_marks(term)
        if len(letters) == 1:
            found.append(f'"{letters}"*')
        elif letters:
            found.append('"' + " ".join(_pairs(letters)) + '"')
    return found


def _folded(text: str) -> str:
    """Fold width, ligatures and case the tokenizer does not know (ß, full-width letters)."""
    storable = text.encode("utf-8", "ignore").decode()
    return unicodedata.normalize("NFKC", storable).casefold()


def _bigrams_of_match(match: re.Match[str]) -> str:
    letters = _without_marks(match.group())
    if not letters:
        return " "
    return f" {' '.join(_pairs(letters))} {letters[-1]} "


def _pairs(letters: str) -> list[str]:
    return [letters[i : i + 2] for i in range(len(letters) - 1)]


def _without_marks(run: str) -> str:
    """Drop vowel and tone marks, at which the index's tokenizer would cut."""
    return _MARKS.sub("", run)
