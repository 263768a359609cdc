"""What a channel lets an employee do in a conversation, as the composer and the menus need it.

It never says what a channel could do for another account: an account's own is what stands here.
"""

from __future__ import annotations

from enum import StrEnum

from contract.base import Wire


class IdempotencyClass(StrEnum):
    """How a channel lets a sender avoid doubles (design: channels)."""

    SERVER_KEY = "server_key"
    CLIENT_ECHO = "client_echo"
    NONE = "none"


class SendCapability(Wire):
    """What the channel lets the employee do in this conversation now.

    Edits and taking back are of one's own messages that went out; their ages are counted in
    seconds from then, None is without a limit.
    """

    text_max_chars: int
    attachments: bool
    replies: bool
    typing: bool
    receipts_delivered: bool
    receipts_read: bool
    idempotency: IdempotencyClass
    reactions: bool = False
    edits: bool = False
    edit_max_age_s: int | None = None
    deletes: bool = False
    delete_max_age_s: int | None = None
