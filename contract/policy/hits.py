"""Owns the form in which a detector tells what it found, before it has words and fixes.

It never ranks or hashes anything.
"""

from __future__ import annotations

from typing import NamedTuple

from contract.policy.model import Action

CHECKSUM_ONLY, CUSTOMARY, WITH_EVIDENCE = 65, 75, 85
CERTAIN = 85


class Hit(NamedTuple):
    """What a rule found; the span counts code points of its text, 0 and 0 without words.

    `value` is a bare identifier, `suggestion` a replacement, `reference` what to quote to
    Compliance, `attachment` the SHA-256 of the file the words stand in. `contact_ids` are the
    recipients concerned, `move_to` the conversation the draft belongs in. `shown` is what the
    words may call it. `server_known` tells that it rests on what only the server knows.
    """

    action: Action
    message_key: str
    confidence: int = CERTAIN
    start: int = 0
    end: int = 0
    value: str = ""
    suggestion: str = ""
    reference: str = ""
    attachment: str = ""
    contact_ids: tuple[str, ...] = ()
    move_to: str = ""
    shown: str = ""
    server_known: bool = False
