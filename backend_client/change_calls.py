"""Owns the calls that change a message which is out: new words, taking back, a reaction.

It never decides whether a channel can: the backend refuses what it can't.
"""

from __future__ import annotations

from backend_client.calls import Caller
from contract import api
from contract.changes import SetReaction, TakeBack
from contract.ids import MessageId, idempotency_key
from contract.wire import Message, SubmitMessage, Submitted


class ChangeCalls:
    """What becomes of sent messages; each call carries an Idempotency-Key."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def edit(self, command: SubmitMessage) -> Submitted:
        """Give a message other words, under its own key with a higher revision."""
        path = api.MESSAGE_EDIT.format(message_id=command.message_id)
        key = idempotency_key(command.message_id, command.revision)
        return await self._caller.command("POST", path, command, Submitted, key=key)

    async def take_back(
        self, message_id: MessageId, command: TakeBack, *, key: str = ""
    ) -> Message:
        """Have a message deleted at the client; the same key asks once."""
        path = api.MESSAGE_TAKE_BACK.format(message_id=message_id)
        return await self._caller.command("POST", path, command, Message, key=key)

    async def react(self, message_id: MessageId, command: SetReaction, *, key: str = "") -> Message:
        """Set or remove one's reaction; the same key asks once."""
        path = api.MESSAGE_REACTION.format(message_id=message_id)
        return await self._caller.command("POST", path, command, Message, key=key)
