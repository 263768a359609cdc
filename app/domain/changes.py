"""What one committed write changed, for whoever shows it.

It never carries content: a subscriber reads the rows it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.ids import ContactId, ConversationId, MessageId


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Ids touched by one commit; `reset` asks views to read everything anew.

    `notices` says that the store has something else to tell the user than before;
    `initiator` names the room that wrote (`sync`, `outbox`, `drafts`, `local`).
    """

    conversations: frozenset[ConversationId] = frozenset()
    messages: Mapping[ConversationId, frozenset[MessageId]] = field(default_factory=dict)
    contacts: frozenset[ContactId] = frozenset()
    removed_conversations: frozenset[ConversationId] = frozenset()
    drafts: frozenset[ConversationId] = frozenset()
    outbox: bool = False
    reset: bool = False
    notices: bool = False
    initiator: str = ""

    def is_empty(self) -> bool:
        """Return True when nothing changed."""
        return not (
            self.conversations
            or self.messages
            or self.contacts
            or self.removed_conversations
            or self.drafts
            or self.outbox
            or self.reset
            or self.notices
        )

    def touched(self) -> frozenset[ConversationId]:
        """Return every conversation whose row or messages changed."""
        return self.conversations | frozenset(self.messages) | self.drafts
