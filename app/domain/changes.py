"""What one committed write changed, for whoever shows it.

It never carries content: a subscriber reads the rows it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from contract.ids import ContactId, ConversationId, MessageId


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Ids touched by one commit; `reset` asks views to read everything anew.

    `files_gone` says that attachments kept here went with what was revoked or erased;
    `notices` says that the store has something else to tell the user than before;
    `initiator` names the room that wrote (`sync`, `history` for what a first sync fills in from
    the past, `outbox`, `drafts`, `local`).
    """

    conversations: frozenset[ConversationId] = frozenset()
    messages: Mapping[ConversationId, frozenset[MessageId]] = field(default_factory=dict)
    contacts: frozenset[ContactId] = frozenset()
    removed_conversations: frozenset[ConversationId] = frozenset()
    drafts: frozenset[ConversationId] = frozenset()
    outbox: bool = False
    reset: bool = False
    notices: bool = False
    files_gone: bool = False
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
            or self.files_gone
        )

    def touched(self) -> frozenset[ConversationId]:
        """Return every conversation whose row or messages changed."""
        return self.conversations | frozenset(self.messages) | self.drafts

    def joined(self, later: ChangeSet) -> ChangeSet:
        """Return what this commit and a later one changed together, named after the later."""
        messages = dict(self.messages)
        for key, ids in later.messages.items():
            messages[key] = messages.get(key, frozenset()) | ids
        return replace(
            later,
            conversations=self.conversations | later.conversations,
            messages=messages,
            contacts=self.contacts | later.contacts,
            removed_conversations=(self.removed_conversations - later.conversations)
            | later.removed_conversations,
            drafts=self.drafts | later.drafts,
            outbox=self.outbox or later.outbox,
            reset=self.reset or later.reset,
            notices=self.notices or later.notices,
            files_gone=self.files_gone or later.files_gone,
        )
