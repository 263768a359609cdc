"""Turns text into what a full-text index holds and typed words into what it is asked.

It never reads or writes an index; accents of Latin letters are left to the index's tokenizer
(SQLite FTS5: `unicode61 remove_diacritics 2`, prefixes of 1 to 5 characters), other letters are
those of contract.search_letters.
"""

from __future__ import annotations

import re
import unicodedata

from contract.search_letters import alike, without_accents

# Scripts written without spaces between words, where a term may be one or two characters:
# Thai, Lao, Burmese, Khmer, Hangul, CJK with kana, and the ideographs beyond the first plane.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007"
    "\u3040-\u30ff\u3105-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Private characters mark what a text belongs to (contract.search_tags): no text may hold them.
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]+")
_RUN = re.compile(f"[{UNSPACED}]+")
_PIECES = re.compile(f"[{UNSPACED}]+|[^\\W_{UNSPACED}]+")
_QUOTES = re.compile('["\u201c\u201d\u201e\u201f\uff02]')
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
# What the index's tokenizer leaves out of a word: accents that stand by themselves (SQLite FTS5,
# sqlite3Fts5UnicodeIsdiacritic). At any other mark it cuts.
ACCENTS = re.compile(
    "[\u0300-\u0304\u0306-\u030c\u030f\u0311\u031b\u0323-\u0328\u032d\u032e\u0330\u0331]"
)
_MAX_TERMS = 12
_MAX_TERM_CHARS = 64
_LONGEST_PREFIX = 5


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

    Terms of alphabets match as prefixes; unspaced runs as sequences of bigrams. What stands
    between quotation marks is found in that order, word beside word; its last word matches as
    a prefix as long as the closing mark is not typed. Nothing else is taken as FTS5 syntax.
    """
    return " AND ".join(_expressions(query)) or None


def loose_expression(query: str) -> str | None:
    """Return `match_expression` with long words cut to the longest prefix the index holds.

    It finds the same and more, the newest at once however common a word is: an index gathers
    all rows of a longer prefix before it gives the first. None where no word was cut.
    """
    loose = " AND ".join(_expressions(query, _LONGEST_PREFIX))
    return None if loose == (match_expression(query) or "") else loose


def query_terms(query: str) -> tuple[str, ...]:
    """Return the folded pieces of a query, as highlights look for them.

    Signs within unspaced scripts (the baht's, a middle dot) are no terms: the index lacks them.
    """
    pieces = _PIECES.findall(ACCENTS.sub("", _folded(query)))
    words = [piece[:_MAX_TERM_CHARS] for piece in pieces if any(map(str.isalnum, piece))]
    return tuple(words[:_MAX_TERMS])


def holds_name(name: str, typed: str) -> bool:
    """Return True when each word typed begins a word of a name, or stands in an unspaced one."""
    words = query_terms(without_accents(name))
    return all(
        any(term in word if is_unspaced(term) else word.startswith(term) for word in words)
        for term in query_terms(without_accents(typed))
    )


def is_unspaced(term: str) -> bool:
    """Return True when a term's script writes no spaces between words."""
    return _RUN.match(term) is not None


def without_marks(run: str) -> str:
    """Drop the vowel and tone marks of unspaced scripts, at which the tokenizer would cut."""
    return _MARKS.sub("", run)


def _expressions(query: str, prefix_chars: int = _MAX_TERM_CHARS) -> list[str]:
    found: list[str] = []
    parts = _QUOTES.split(query)
    for number, part in enumerate(parts):
        pieces = query_terms(part)[: _MAX_TERMS - len(found)]
        if number % 2 and len(pieces) > 0:
            is_open = number == len(parts) - 1
            found += _phrase(pieces, is_open=is_open)
        else:
            found += [each for piece in pieces for each in _term(piece, prefix_chars)]
    return found


def _term(term: str, prefix_chars: int) -> list[str]:
    if not is_unspaced(term):
        return [f'"{term[:prefix_chars]}"*']
    letters = without_marks(term)
    if len(letters) == 1:
        return [f'"{letters}"*']
    return [f'"{" ".join(_pairs(letters))}"'] if letters else []


def _phrase(pieces: tuple[str, ...], *, is_open: bool) -> list[str]:
    """Return one FTS5 phrase; a run that another word follows ends with its last character."""
    tokens: list[str] = []
    prefix = False
    for place, piece in enumerate(pieces):
        is_last = place == len(pieces) - 1
        if not is_unspaced(piece):
            tokens.append(piece)
            prefix = is_last and is_open
            continue
        letters = without_marks(piece)
        tokens += _pairs(letters)
        if letters and (not is_last or len(letters) == 1):
            tokens.append(letters[-1])
            prefix = is_last
    return [f'"{" ".join(tokens)}"{"*" if prefix else ""}'] if tokens else []


def _folded(text: str) -> str:
    """Fold width, ligatures, case and letters the tokenizer does not know (ß, ł, full width)."""
    storable = _PRIVATE.sub(" ", text.encode("utf-8", "ignore").decode())
    return alike(unicodedata.normalize("NFKC", storable).casefold())


def _bigrams_of_match(match: re.Match[str]) -> str:
    letters = without_marks(match.group())
    if not letters:
        return " "
    return f" {' '.join(_pairs(letters))} {letters[-1]} "


def _pairs(letters: str) -> list[str]:
    return [letters[i : i + 2] for i in range(len(letters) - 1)]
