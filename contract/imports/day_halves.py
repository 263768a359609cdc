"""Owns the words by which phones in many languages say which half of the day an hour is in.

It never guesses: a word that is not listed makes no time.

Source: the day periods of Unicode CLDR, with the short forms seen in WhatsApp exports.
"""

from __future__ import annotations

_BEFORE_NOON = (
    "am,a.m.,a.m,上午,午前,오전,ص,صباحا,पूर्वाह्न,πμ,π.μ.,öö,ö.ö.,sa,pg,ap.,ap,fm,f.m.,dop.,dop,de.,de,"
    "ก่อนเที่ยง,清晨,早上,凌晨,priešpiet,قبل‌ازظهر,ق.ظ."
)
_AFTER_NOON = (
    "pm,p.m.,p.m,下午,午後,午后,오후,م,مساء,अपराह्न,μμ,μ.μ.,ös,ö.s.,ch,ptg,ip.,ip,em,e.m.,odp.,odp,"
    "du.,du,หลังเที่ยง,晚上,傍晚,popiet,بعدازظهر,ب.ظ."
)
_NOON = "中午"
_MORNING = frozenset(_BEFORE_NOON.split(","))
_EVENING = frozenset(_AFTER_NOON.split(","))
WORDS = _MORNING | _EVENING | {_NOON}


def hour_of(hour: int, word: str) -> int | None:
    """Return the hour 0–23 of an hour said with such a word, None when the two don't fit.

    `word` is lower case and without blanks; empty means a clock of 24 hours.
    """
    if not word:
        return hour if 0 <= hour <= 23 else None
    if word == _NOON:
        return hour + 12 if hour in {1, 2} else hour if hour in {11, 12} else None
    if word not in WORDS or not 0 <= hour <= 23:
        return None
    if hour > 12:
        return hour  # some phones write 下午14:05
    return hour % 12 + (12 if word in _EVENING else 0)
