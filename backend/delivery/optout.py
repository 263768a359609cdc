"""The words with which a client opts out: those of the law for SMS, and those of the bundle.

It never decides more than that: what follows stands in opting_out.
"""

from __future__ import annotations

import re
import unicodedata

from contract.policy.bundle import CompiledBundle
from contract.policy.opt_out import opt_out_match
from contract.wire import Channel

LAW = "47 CFR 64.1200(a)(10)"
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


def opt_out_source(bundle: CompiledBundle, text: str, channel: Channel) -> str | None:
    """Return by which rule a client's text opts out on its channel, or None.

    The bundle knows each language's words; those of the law count for SMS without a bundle.
    """
    found = opt_out_match(bundle, text, channel.value)
    if found is None and channel is Channel.SMS and opts_out(text):
        return LAW
    return found
