"""Owns which letters a search takes for others: accents and strokes beyond the index's tokenizer.

It never folds case or width, and it does not take a letter of its own (Cyrillic й) for another.
"""

from __future__ import annotations

import re
import unicodedata

# Letters no normal form takes apart (Unicode, UnicodeData.txt), as names are typed without them.
_STROKES = {
    "ł": "l", "ø": "o", "ǿ": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i",
    "æ": "ae", "ǽ": "ae", "ǣ": "ae", "œ": "oe", "þ": "th", "ё": "е", "ѐ": "е", "ѝ": "и",
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي",
}  # fmt: skip
# Greek with its accents; the tokenizer knows those of Latin letters alone.
_GREEK = (*range(0x0370, 0x0400), *range(0x1F00, 0x2000))
# Vowel signs that are written rarely: of Arabic, with the sign that stretches a word, and Hebrew.
_UNWRITTEN = (
    *range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5, 0x05C7,
    0x0640, *range(0x064B, 0x0653), 0x0670,
)  # fmt: skip


def without_accents(text: str) -> str:
    """Return the text with the letters below an accent for those with one, composed anew."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))


_ALIKE: dict[str, str] = {
    **{chr(code): without_accents(chr(code)) for code in _GREEK},
    **_STROKES,
    **dict.fromkeys(map(chr, _UNWRITTEN), ""),
}
_LETTERS = re.compile(f"[{re.escape(''.join(_ALIKE))}]")


def alike(text: str) -> str:
    """Return a text in NFKC with its case folded as the index and the queries of it write it."""
    return _LETTERS.sub(lambda match: _ALIKE[match.group()], text)
