"""Keeps one draft per conversation with what is known of files uploaded for it.

It never expires a draft: only sending or the user's own deletion ends it.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.drafts import Draft
from contract.ids import AttachmentId, ConversationId
from contract.wire import Attachment


class DraftStore:
    """Drafts in the outbox's file, so that a send replaces its draft in one commit."""

    async def save(self, draft: Draft) -> None:
        """Keep a draft in place of the former one; an empty one removes it."""
        raise NotImplementedError

    async def get(self, conversation_id: ConversationId) -> Draft | None:
        """Return a conversation's draft or None."""
        raise NotImplementedError

    async def all_ids(self) -> frozenset[ConversationId]:
        """Return the conversations that have a draft."""
        raise NotImplementedError

    async def remember_attachment(self, attachment: Attachment) -> None:
        """Keep name, type and size of an uploaded file for the draft and the waiting send."""
        raise NotImplementedError

    async def attachments(self, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """Return those of the remembered files that are known, in the order asked."""
        raise NotImplementedError

    async def purge_all(self) -> None:
        """Remote wipe: remove every draft and every outbox entry, and overwrite their pages."""
        raise NotImplementedError
