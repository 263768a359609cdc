"""Owns which message of each chat came last: WhatsApp shows typing as an answer to one.

It never outlives the process: after a restart typing shows from the next message on.
"""

from __future__ import annotations

from collections import OrderedDict

from contract.ids import AccountId

_MOST_CHATS = 20_000


class LastHeard:
    """The newest message's id by account and chat, for the chats heard of last."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[AccountId, str], str] = OrderedDict()

    def note(self, account_id: AccountId, chat: str, external_id: str) -> None:
        """Remember a client's message as the last of its chat."""
        self._known[account_id, chat] = external_id
        self._known.move_to_end((account_id, chat))
        if len(self._known) > _MOST_CHATS:
            self._known.popitem(last=False)

    def last(self, account_id: AccountId, chat: str) -> str:
        """Return the last message's id, empty where none is known."""
        return self._known.get((account_id, chat), "")
