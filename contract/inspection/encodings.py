"""Owns how bytes become text when it is sure in which encoding they were written.

It never guesses: bytes that fit two encodings, or hold what no text holds, are no text here.
"""

from __future__ import annotations

import codecs
import re

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Controls that texts do hold: backspace, tab, line ends, form feed, SUB at DOS ends, escape.
_NO_TEXT = re.compile(r"[\x00-\x07\x0e-\x19\x1c-\x1f\ufffe\uffff]")
_NO_TEXT_BYTES = re.compile(rb"[\x00-\x07\x0e-\x19\x1c-\x1f]")
_CP1252_RUN = re.compile(rb"[\x80-\xff]{4,}")
_CP1252_UNUSED = frozenset(b"\x81\x8d\x8f\x90\x9d")
_CP1252_IN_TEXT = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿŠšŽžŒœŸ"
    "€‚„…†‡‰‹‘’“”•–—™›¡¢£¥§©ª«®°±²³´µ¶·¸¹º»¼½¾¿×÷\xa0".encode("cp1252")
)
# Such a sign within a word is a letter of another code page.
_SIGN_IN_WORD = re.compile(r"[A-Za-zÀ-ÿ][¡¢£¥§©ª«®°±²³´µ¶¸¹º»¼½¾¿×÷][A-Za-zÀ-ÿ]")
_JUDGED_CHARS = 20_000
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
_ASIAN = ("cp932", "euc_jp", "gb18030", "big5", "euc_kr")


def decode(content: bytes, *, whole: bool) -> str | None:
    """Return the text of `content`, None when it is none or its encoding is not sure.

    `whole` is False for the first part of a longer file: its last character may be cut.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _fit(_strict(content, encoding, whole))
    utf16 = _utf16_without_mark(content)
    if utf16:
        return _fit(_strict(content, utf16, whole))
    if _NO_TEXT_BYTES.search(content):
        return None
    if b"\x1b$" in content:
        return _fit(_strict(content, "iso2022_jp", whole))
    text = _strict(content, "utf-8", whole)
    if text is None:
        text = _asian(content, whole) or _western(content)
    return _fit(text)


def _fit(text: str | None) -> str | None:
    return None if text is None or _NO_TEXT.search(text) else text


def _strict(content: bytes, encoding: str, whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(content, whole)
    except UnicodeError:
        return None


def _utf16_without_mark(content: bytes) -> str:
    """Return the byte order of UTF-16 text whose every other byte is mostly zero."""
    sample = content[:2048]
    pairs = len(sample) // 2
    if pairs < 2 or b"\x00" not in sample:
        return ""
    even, odd = sample[0::2].count(0) / pairs, sample[1::2].count(0) / pairs
    if odd > 0.7 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 and odd < 0.05 else ""


def _western(content: bytes) -> str | None:
    """Return Windows-1252 text: single accented letters and signs among plain ones."""
    high = [byte for byte in content if byte >= 0x80]
    if len(high) > 0.2 * len(content) or _CP1252_RUN.search(content):
        return None
    if _CP1252_UNUSED.intersection(high) or not _CP1252_IN_TEXT.issuperset(high):
        return None
    text = content.decode("cp1252")
    return None if _SIGN_IN_WORD.search(text) else text


def _asian(content: bytes, whole: bool) -> str | None:
    """Return the text of the one East Asian encoding that makes ordinary text of the bytes."""
    if len(_PAIR.findall(content)) < 8:
        return None
    found: dict[str, str] = {}
    for encoding in _ASIAN:
        text = _strict(content, encoding, whole)
        if text is not None and _fit(text) is not None and _ordinary(text, encoding):
            found[encoding] = text
    return next(iter(found.values())) if len(found) == 1 else None


def _ordinary(text: str, encoding: str) -> bool:
    """Tell whether the letters beyond ASCII are those that texts in the encoding are made of."""
    letters = [char for char in text[:_JUDGED_CHARS] if char > "\x7f"]
    kana = sum("\u3041" <= char <= "\u30fe" for char in letters)
    hangul = sum("\uac00" <= char <= "\ud7a3" for char in letters)
    marks = sum("\u3000" <= char <= "\u301c" or "\uff01" <= char <= "\uff5e" for char in letters)
    if encoding in ("cp932", "euc_jp"):
        halfwidth = sum("\uff61" <= char <= "\uff9f" for char in letters)
        return kana > 0.2 * len(letters) and halfwidth < 0.02 * len(letters)
    if encoding == "euc_kr":
        return hangul > 0.7 * len(letters)
    common = sum(_is_common_han(char, encoding) for char in letters)
    return common + marks > 0.9 * len(letters) and kana + hangul == 0


def _is_common_han(char: str, encoding: str) -> bool:
    """Tell whether a character stands on the common level of GB 2312 or Big5."""
    try:
        code = char.encode("gb2312" if encoding == "gb18030" else encoding)
    except UnicodeError:
        return False
    if encoding == "gb18030":
        return b"\xb0" <= code[:1] <= b"\xd7"
    return b"\xa4" <= code[:1] <= b"\xc6"
