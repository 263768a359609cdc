"""Owns reading the date and time with which a line of a chat export begins.

It never decides whether 03/04 is in March or April: that takes the whole file.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from contract.imports.day_halves import WORDS, hour_of

_MARKS = "\u200e\u200f\u202a\u202b\u202c\ufeff"
_BLANK = "[\\s\u00a0\u2009\u202f]"
# Words that stand between date and time, or after one of them: klo 9.01, um 09:01 Uhr, г., ч.
_FILL = f"(?:{_BLANK}|[,،、]|klo\\b|kl\\.|à|às|um\\b|uhr\\b|u\\b|г\\.|ч\\.|в\\b|о\\b|ora\\b|o\\b)*"
_HALF = "|".join(
    re.escape(word).replace("\\.", f"\\.?{_BLANK}?")
    for word in sorted(WORDS, key=len, reverse=True)
)
_SEPARATED = (
    f"(?P<a>\\d{{1,4}})\\.?{_BLANK}?[./\\-]{_BLANK}?(?P<b>\\d{{1,2}})\\.?{_BLANK}?[./\\-]{_BLANK}?"
    f"(?P<c>\\d{{1,4}})\\.?"
)
_WRITTEN_OUT = (
    f"(?P<y>\\d{{4}})[年년]{_BLANK}?(?P<m>\\d{{1,2}})[月월]{_BLANK}?(?P<d>\\d{{1,2}})[日일]"
)
_WEEKDAY = "(?:\\([^()]{1,12}\\))?"
_TIME = (
    f"(?P<before>{_HALF})?{_BLANK}*(?P<hour>\\d{{1,2}})[:.](?P<minute>\\d{{2}})"
    f"(?:[:.](?P<second>\\d{{2}}))?{_BLANK}*(?P<after>{_HALF})?"
)
_DATE = f"(?:{_WRITTEN_OUT}|{_SEPARATED}){_WEEKDAY}"
_DATE_FIRST = re.compile(f"{_FILL}{_DATE}{_FILL}{_TIME}{_FILL}", re.IGNORECASE)
_TIME_FIRST = re.compile(f"{_FILL}{_TIME}{_FILL}{_DATE}{_FILL}", re.IGNORECASE)
_LONGEST = 60
_BRACKETED = re.compile(f"[{_MARKS}]*\\[([^\\]\n]{{6,{_LONGEST}}})\\]{_BLANK}?")
_DASHED = re.compile(f"[{_MARKS}]*(\\S[^\n]{{5,{_LONGEST}}}?){_BLANK}[-–]{_BLANK}")
_KOREAN = re.compile(f"[{_MARKS}]*(\\d{{4}}년[^\n,]{{5,{_LONGEST}}}),{_BLANK}")


class Head(msgspec.Struct, frozen=True, gc=False):
    """What a line begins with: three numbers of a date in the order written, and a time.

    `is_ordered` says that the numbers are year, month, day for sure. `has_seconds` tells a phone
    that writes them; `bracketed` is how iPhones write.
    """

    numbers: tuple[int, int, int]
    is_ordered: bool
    hour: int
    minute: int
    second: int
    has_seconds: bool
    bracketed: bool


def split_head(line: str) -> tuple[Head, str] | None:
    """Return the head of a line and the rest after it, None for a line that goes on with a text."""
    for pattern, bracketed in ((_BRACKETED, True), (_DASHED, False), (_KOREAN, False)):
        found = pattern.match(line)
        if found is None:
            continue
        head = read_head(found.group(1), bracketed=bracketed)
        if head is not None:
            return head, line[found.end() :]
    return None


def read_head(text: str, *, bracketed: bool = False) -> Head | None:
    """Return the date and time that a text consists of, None when it holds anything else."""
    plain = _with_ascii_digits(text.translate(dict.fromkeys(map(ord, _MARKS))))
    found = _DATE_FIRST.fullmatch(plain) or _TIME_FIRST.fullmatch(plain)
    if found is None:
        return None
    half = "".join((found["before"] or found["after"] or "").split()).casefold()
    hour, minute = hour_of(int(found["hour"]), _listed(half)), int(found["minute"])
    second = int(found["second"] or 0)
    if hour is None or minute > 59 or second > 59:
        return None
    names = "ymd" if found["y"] else "abc"
    first, middle, last = (int(found[name]) for name in names)
    return Head(
        numbers=_shared(first, middle, last),
        is_ordered=bool(found["y"]),
        hour=hour,
        minute=minute,
        second=second,
        has_seconds=found["second"] is not None,
        bracketed=bracketed,
    )


@lru_cache(maxsize=16)
def _shared(first: int, middle: int, last: int) -> tuple[int, int, int]:
    """Return a date's numbers, the same object for all messages of a day."""
    return first, middle, last


def _listed(half: str) -> str:
    """Return the listed form of a word for half a day, whatever dots the phone set."""
    if not half or half in WORDS:
        return half
    return next((w for w in WORDS if w.replace(".", "") == half.replace(".", "")), half)


def _with_ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.digit(each)) if each.isdigit() and not each.isascii() else each
        for each in text
    )
