"""Owns the calls about unknown senders: the owner's queue, and decisions on it.

It never decides who owns a queue: the backend shows nobody another's.
"""

from __future__ import annotations

from backend_client.calls import Caller
from contract import api
from contract.ids import ConversationId
from contract.triage import TriageCommand, TriageItem, TriagePage, TriageState


class TriageCalls:
    """What owners of accounts see of unknown senders, and do about them."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def page(
        self, state: TriageState = TriageState.OPEN, cursor: str = "", limit: int = 50
    ) -> TriagePage:
        """Read the unknown senders the asker looks after, oldest first."""
        asked = {"state": state.value, "limit": str(limit)}
        asked |= {"cursor": cursor} if cursor else {}
        return await self._caller.get(api.TRIAGE, TriagePage, params=asked)

    async def decide(
        self, conversation_id: ConversationId, command: TriageCommand, *, key: str = ""
    ) -> TriageItem:
        """Decide on an unknown sender; the same key decides once."""
        path = api.TRIAGE_ACTIONS.format(conversation_id=conversation_id)
        return await self._caller.command("POST", path, command, TriageItem, key=key)
