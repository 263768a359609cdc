"""Owns the folding of typed text into one comparable form, with the way back to each character.

It never matches anything, and it never loses where a folded character came from.

Folding: NFKC and case-fold (Unicode 15, chapter 3.13), decimal digits of every script to ASCII,
look-alike letters to Latin, dashes and quotes to ASCII, white space to single spaces;
zero-width, bidi, variation and enclosing marks, harakat and tatweel are dropped, and so are
marks heaped on a plain letter or digit that do not make another letter of it.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import NamedTuple

from contract.policy.lookalikes import CAPITAL_LOOKALIKES, LOOKALIKES

_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f]|  ")
_AMBIGUOUS = "".join(map(chr, CAPITAL_LOOKALIKES))
_WORD = re.compile(r"\S+")
_PLAIN_RUN = re.compile(r"[!-~]+(?: [!-~]+)*")
_PLAIN_SIGN = re.compile(r"[A-Za-z0-9]")
_FOLDED = re.compile("[ -@\\[-~à-öø-ÿ\u4e00-\u9fffぁ-ゖァ-ヺー]*")  # nothing here folds
_MAX_CLUSTER = 32
_JOINING_RANGES = ((0x1160, 0x11FF), (0xFF9E, 0xFF9F), (0xFE00, 0xFE0F), (0x20D0, 0x20F0))
_DROPPED_RANGES = (
    (0x0000, 0x0008),
    (0x000E, 0x001B),
    (0x007F, 0x0084),
    (0x0086, 0x009F),
    (0x034F, 0x034F),
    (0x0610, 0x061A),
    (0x0640, 0x0640),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06DC),
    (0x115F, 0x1160),
    (0x180B, 0x180F),
    (0x20D0, 0x20F0),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0000, 0xE0FFF),
)
_UNSPACED_RANGES = (
    (0x0E00, 0x0FFF),
    (0x1000, 0x109F),
    (0x1100, 0x11FF),
    (0x1780, 0x17FF),
    (0x2E80, 0x312F),
    (0x3130, 0x9FFF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


class Normalised(NamedTuple):
    """Folded text; `starts` and `ends` give each character's place in the original.

    Both are None when the folded text has the original's places one to one.
    """

    text: str
    starts: list[int] | None
    ends: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the original's span, in code points, of a folded span that is not empty."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> Normalised:
    """Fold any text; never raises, also not on lone surrogates or control characters."""
    if text.isascii() and _NOT_PLAIN.search(text) is None:
        return Normalised(text.lower(), None, None)
    if any(char in text for char in _AMBIGUOUS):
        text = _WORD.sub(_latin_capitals, text)
    folding = _Folding()
    place = 0
    for run in _PLAIN_RUN.finditer(text):
        start, end = run.span()
        if end < len(text) and _joins(text[end]):
            end -= 1
        folding.add_clusters(text, place, start)
        folding.add_plain(text, start, end)
        place = end
    folding.add_clusters(text, place, len(text))
    return Normalised("".join(folding.out), folding.starts, folding.ends)


class _Folding:
    """What is folded so far, with the places each character comes from."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add_plain(self, text: str, start: int, end: int) -> None:
        """Take over a run of ASCII signs and single spaces between them."""
        if start < end:
            self.out.append(text[start:end].lower())
            self.starts.extend(range(start, end))
            self.ends.extend(range(start + 1, end + 1))

    def add_clusters(self, text: str, low: int, high: int) -> None:
        """Fold anything else, character by character with its marks."""
        out, starts, ends = self.out, self.starts, self.ends
        for start, end in _clusters(text, low, high):
            for char in _fold(text[start:end]):
                if char == " " and out and out[-1] == " ":
                    ends[-1] = end
                    continue
                out.append(char)
                starts.append(start)
                ends.append(end)


def fold_term(text: str) -> str:
    """Return the folded form of a term or word of a bundle, without outer spaces."""
    if _FOLDED.fullmatch(text) and "  " not in text:
        return text.strip()
    return normalise(text).text.strip()


def is_word_char(char: str) -> bool:
    """Tell whether a folded character belongs to words that are set apart by spaces."""
    if char < "\u0e00":
        return char.isalnum()
    return char.isalnum() and not _within(ord(char), _UNSPACED_RANGES)


def at_word_bounds(text: str, start: int, end: int) -> bool:
    """Tell whether a span does not cut through a word of an alphabetic script."""
    if start > 0 and is_word_char(text[start]) and is_word_char(text[start - 1]):
        return False
    return not (end < len(text) and is_word_char(text[end - 1]) and is_word_char(text[end]))


def _latin_capitals(word: re.Match[str]) -> str:
    """Return a word that mixes scripts with Latin capitals for those that look like them."""
    typed = word.group()
    return typed.translate(CAPITAL_LOOKALIKES) if _PLAIN_SIGN.search(typed) else typed


def _clusters(text: str, low: int, high: int) -> list[tuple[int, int]]:
    """Cut a stretch of text into characters with the marks that combine with them."""
    clusters: list[tuple[int, int]] = []
    start = low
    for index in range(low + 1, high):
        char = text[index]
        joins = char > "\u02ff" and _joins(char)
        if not (joins and index - start < _MAX_CLUSTER):
            clusters.append((start, index))
            start = index
    if low < high:
        clusters.append((start, high))
    return clusters


@functools.lru_cache(maxsize=16_384)
def _joins(char: str) -> bool:
    return unicodedata.combining(char) != 0 or _within(ord(char), _JOINING_RANGES)


@functools.lru_cache(maxsize=16_384)
def _fold(cluster: str) -> str:
    kept = "".join(char for char in cluster if not _is_dropped(char))
    if not kept:
        return ""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", kept).casefold())
    chars = [_fold_char(char) for char in folded if not _is_dropped(char)]
    if len(chars) > 1 and chars[0].isascii():
        chars = [char for char in chars if not (len(char) == 1 and unicodedata.combining(char))]
    return "".join(chars)


def _fold_char(char: str) -> str:
    if char.isspace():
        return " "
    if char < "\x80":
        return char
    mapped = LOOKALIKES.get(char)
    if mapped is not None:
        return mapped
    figure = unicodedata.digit(char, None)
    if figure is not None:
        return str(figure)
    category = unicodedata.category(char)
    if category == "Pd":
        return "-"
    return "\ufffd" if category == "Cs" else char


def _is_dropped(char: str) -> bool:
    if "\x20" <= char < "\x7f":
        return False
    return unicodedata.category(char) == "Cf" or _within(ord(char), _DROPPED_RANGES)


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)
