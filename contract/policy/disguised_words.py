"""Owns second readings of words that hide behind signs, such as wh4tsapp and g-mail.

It does not know what any word means, and it never reads anew what lies far from such a word.

A word is read again where figures or signs stand for letters in it, or where dots, dashes and the
like cut it. The words beside it are kept, so that whole phrases are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

PHRASE_REACH = 40
"""How many characters of a phrase may lie before or after its disguised word."""

_MAX_WORD = 40
_MAX_WORDS = 500
_LETTER = "a-zß-öø-ÿ"
_ALIKE = "0134578@$!|"
_BREAK = r"\-._*·+~"
_SIGN = re.compile(
    rf"[{_ALIKE}](?:(?=[{_LETTER}])|(?<=[{_LETTER}].))|[{_BREAK}](?=[{_LETTER}{_ALIKE}])"
)
_WORD = re.compile(rf"[{_LETTER}0-9{_ALIKE}{_BREAK}]+")
_OUTER = "-._*·+~!|$"
_MIN_LETTERS = 3
_MIN_CHARS = 4
_LATIN = re.compile(f"[{_LETTER}]+")
_CUT = re.compile(f"[{_BREAK}]+")
_LETTERS = re.compile(f"[{_LETTER}]")
_BREAKS = frozenset("-._*·+~")
_AS_I = str.maketrans("0134578@$!|", "oieastbasii")
_AS_L = str.maketrans("0134578@$!|", "oleastbasll")


class Reading(NamedTuple):
    """A stretch of text as it may be meant; `places` gives each character's place in the text.

    `words` are the spans in `text` of what was disguised.
    """

    text: str
    places: list[int]
    words: list[tuple[int, int]]


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of Latin letters in folded terms: those worth looking for in disguise."""
    return frozenset(_LATIN.findall("\n".join(texts)))


def second_readings(text: str, known: Set[str]) -> Iterator[Reading]:
    """Yield other readings of the stretches of a folded text that hold a known word in disguise."""
    words = [span for span in _disguised(text) if _is_known(text[span[0] : span[1]], known)]
    stretch: list[tuple[int, int]] = []
    for word in words:
        if stretch and word[0] - stretch[-1][1] > 2 * PHRASE_REACH:
            yield from _readings(text, stretch)
            stretch = []
        stretch.append(word)
    if stretch:
        yield from _readings(text, stretch)


def _is_known(word: str, known: Set[str]) -> bool:
    """Tell whether a word, or one of its parts with signs for letters, may be known."""
    for letters in (_AS_I, _AS_L):
        read = word.translate(letters)
        if _CUT.sub("", read) in known:
            return True
        if read != word and any(part in known for part in _CUT.split(read)):
            return True
    return False


def _disguised(text: str) -> list[tuple[int, int]]:
    """Return the spans of disguised words, in order; of very many, the first ones."""
    found: list[tuple[int, int]] = []
    done = 0
    for sign in _SIGN.finditer(text):
        if sign.start() < done:
            continue
        start = sign.start()
        while start > done and sign.start() - start < _MAX_WORD and _WORD.match(text[start - 1]):
            start -= 1
        word = _WORD.match(text, start, start + 2 * _MAX_WORD)
        assert word is not None, "a sign is part of a word"
        done = word.end()
        bare = word.group().rstrip(_OUTER)
        end = start + len(bare)
        start += len(bare) - len(bare.lstrip(_OUTER))
        if end - start >= _MIN_CHARS and len(_LETTERS.findall(bare)) >= _MIN_LETTERS:
            found.append((start, end))
        if len(found) == _MAX_WORDS:
            break
    return found


def _readings(text: str, words: list[tuple[int, int]]) -> Iterator[Reading]:
    low, high = max(words[0][0] - PHRASE_REACH, 0), words[-1][1] + PHRASE_REACH
    seen = {text[low:high]}
    for letters in (_AS_I, _AS_L):
        for joined in (True, False):
            reading = _reading(text, words, (low, high), letters, joined=joined)
            if reading.text not in seen:
                seen.add(reading.text)
                yield reading


def _reading(
    text: str,
    words: list[tuple[int, int]],
    stretch: tuple[int, int],
    letters: dict[int, int],
    *,
    joined: bool,
) -> Reading:
    low, high = stretch
    out: list[str] = []
    places: list[int] = []
    spans: list[tuple[int, int]] = []
    for start, end in words:
        out.append(text[low:start])
        places.extend(range(low, start))
        first = len(places)
        kept = [at for at in range(start, end) if not (joined and text[at] in _BREAKS)]
        out.append("".join([text[at] for at in kept]).translate(letters))
        places.extend(kept)
        spans.append((first, len(places)))
        low = end
    out.append(text[low:high])
    places.extend(range(low, min(high, len(text))))
    return Reading("".join(out), places, spans)
