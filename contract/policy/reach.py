"""Owns the key under which texts to retail clients count as one and the same communication.

It never keeps a text, and it does not count; the backend does, over 30 days.

Source: FINRA Rule 2210(a)(5): a retail communication goes to more than 25 retail investors
within any 30 calendar-day period.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from contract.policy.normalise import fold_term

MIN_KEY_CHARS = 24
"""Shorter texts, such as thanks and greetings, are nobody's communication to the public."""

_TAG = b"parley.policy.reach.v1\n"
_WORD = re.compile(r"[^\W\d_]+")
_ADDRESSED = re.compile(
    "[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]{1,6}(?:様|さん|さま|先生|女士|小姐)"
)


def reach_key(text: str, names: Iterable[str] = ()) -> str:
    """Return the SHA-256 (hex) of what texts that differ in names and figures have in common.

    Words with a capital are left out as names are, besides the given `names`; so are figures,
    signs and white space. Empty when what remains is too short to be the same by more than
    chance.
    """
    plain = _ADDRESSED.sub(" ", text)
    for name in names:
        plain = plain.replace(name, " ") if name else plain
    words = _WORD.findall(plain)
    small = "".join(word for word in words if word == word.lower())
    kept = small if len(small) >= MIN_KEY_CHARS else "".join(words)
    common = "".join(char for char in fold_term(kept) if char.isalpha())
    if len(common) < MIN_KEY_CHARS:
        return ""
    return hashlib.sha256(_TAG + common.encode("utf-8", "surrogatepass")).hexdigest()
