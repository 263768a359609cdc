"""Owns recognising in a client's own message that they opt out.

It never judges a draft, and it does not switch consent off; the backend does.

Source: TCPA, 47 CFR 64.1200(a)(10): any reasonable means, with STOP, QUIT, END, REVOKE, OPT OUT,
CANCEL and UNSUBSCRIBE standing alone always counting.
"""

from __future__ import annotations

from contract.policy.bundle import CompiledBundle
from contract.policy.normalise import at_word_bounds, fold_term, is_word_char
from contract.policy.rules import OptOutWordsRule

_MIN_UNSPACED_PHRASE = 3
_MAX_PHRASE_MESSAGE_CHARS = 400


def opt_out_match(bundle: CompiledBundle, text: str, channel: str) -> str | None:
    """Return the id of the first rule under which a client's message opts out, else None.

    A single word counts when it is the whole message or its whole first or last line, so that
    "stop by on Monday" does not; a phrase counts wherever it stands in a message of ordinary
    length. `channel` is the wire name.
    """
    lines = [bare for line in text.splitlines() if (bare := _bare(line))]
    alone = {_bare(text), *lines[:1], *lines[-1:]}
    whole = fold_term(text)
    for rule in bundle.rules:
        if not isinstance(rule, OptOutWordsRule):
            continue
        if rule.channels and channel not in rule.channels:
            continue
        for word in bundle.evidence[rule.id].words:
            if _bare(word) in alone or (_is_phrase(word) and _contains(whole, word)):
                return rule.id
    return None


def _bare(text: str) -> str:
    """Return folded words with single spaces and without signs, as "stop" from "*STOP!*"."""
    kept = "".join(char if char.isalnum() else " " for char in fold_term(text))
    return " ".join(kept.split())


def _is_phrase(word: str) -> bool:
    unspaced = not any(is_word_char(char) for char in word)
    return " " in word or (unspaced and len(word) >= _MIN_UNSPACED_PHRASE)


def _contains(text: str, phrase: str) -> bool:
    if len(text) > _MAX_PHRASE_MESSAGE_CHARS:
        return False
    place = text.find(phrase)
    while place >= 0:
        if at_word_bounds(text, place, place + len(phrase)):
            return True
        place = text.find(phrase, place + 1)
    return False
