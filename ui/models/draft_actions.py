"""Names what a composer asks of the core's messaging.

It never implements any of it.
"""

from __future__ import annotations

from typing import Protocol

from app.domain.drafts import Draft
from contract.ids import AttachmentId, ConversationId, MessageId
from ui.models.composer_uploads import Uploader


class DraftActions(Uploader, Protocol):
    """What the composer asks of the core's messaging."""

    async def send(
        self,
        conversation_id: ConversationId,
        text: str,
        *,
        quote: MessageId | None = None,
        attachment_ids: tuple[AttachmentId, ...] = (),
        justification: str = "",
        acknowledged: tuple[str, ...] = (),
        false_positives: tuple[str, ...] = (),
        template_id: str = "",
    ) -> MessageId:
        """Commit the outbox row and the draft's removal."""
        ...

    async def edit_sent(
        self,
        message_id: MessageId,
        text: str,
        *,
        justification: str = "",
        acknowledged: tuple[str, ...] = (),
        false_positives: tuple[str, ...] = (),
    ) -> None:
        """Give a message that is out other words."""
        ...

    async def save_draft(self, draft: Draft) -> None:
        """Store a draft."""
        ...

    async def typing(self, conversation_id: ConversationId, typing: bool) -> None:
        """Tell the client's side that the employee types."""
        ...
