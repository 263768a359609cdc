"""Owns what is still told of an update of which a part has an unknown shape: whose message it is.

It never guesses words: somebody who knows the chat is asked to look, or the client to resend.
"""

from __future__ import annotations

import msgspec


class _Chat(msgspec.Struct):
    id: int
    type: str = "private"


class _Person(msgspec.Struct):
    id: int


class BareMessage(msgspec.Struct):
    """A message without what it says; `date` in Unix seconds."""

    message_id: int
    chat: _Chat
    date: int = 0
    sender: _Person | None = msgspec.field(default=None, name="from")
    business_connection_id: str = ""

    @property
    def address(self) -> str:
        """Return whose chat it is: the other person's, in a group the author's."""
        alone = self.chat.type == "private" or self.sender is None
        return str(self.chat.id if alone or self.sender is None else self.sender.id)

    @property
    def group(self) -> str:
        """Return the group's id, empty for a chat of two."""
        return "" if self.chat.type == "private" else str(self.chat.id)

    @property
    def is_own(self) -> bool:
        """Tell whether the employee wrote it through an account of their own."""
        known = self.sender is not None and self.sender.id != self.chat.id
        return bool(self.business_connection_id) and not self.group and known


class _BareUpdate(msgspec.Struct):
    update_id: int
    message: BareMessage | None = None
    business_message: BareMessage | None = None


def bare_message(raw: bytes) -> tuple[str, BareMessage] | None:
    """Return the update's number and its message; None where that much can't be read either."""
    try:
        update = msgspec.json.decode(raw, type=_BareUpdate)
    except (msgspec.DecodeError, ValueError):
        return None
    message = update.message or update.business_message
    return None if message is None else (str(update.update_id), message)
