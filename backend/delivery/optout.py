"""The words with which a client opts out of text messages.

It never decides more than that: what follows is the directory's business.
"""

from __future__ import annotations

import re
import unicodedata

# 47 CFR 64.1200(a)(10): these words are always enough; others may be, too.
_WORDS = frozenset({"stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"})
_PHRASE = re.compile(
    r"\b(stop|don'?t|do not|no more)\s+(sending|texting|messaging|contacting|text|send|message)"
    r"\b.{0,12}\b(me|messages|texts|sms)\b|\bunsubscribe me\b|\bopt me out\b|\bremove me\b",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[^\w']+")


def opts_out(text: str) -> bool:
    """Tell whether a client's text takes back the consent to text messages."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = " ".join(part for part in _SEPARATORS.split(folded) if part)
    return words in _WORDS or words == "stopall" or _PHRASE.search(folded) is not None
