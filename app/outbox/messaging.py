"""Owns what the person does with messages: send, undo, mend, mark read, attach, save drafts.

It never waits for the network before it answers a send: the outbox row's commit is the answer.
"""

from __future__ import annotations

from pathlib import Path

from app.domain.drafts import Draft
from contract.ids import AttachmentId, ConversationId, MessageId
from contract.wire import Attachment


class Messaging:
    """The person's actions on conversations; raises errors of app.domain.errors."""

    async def send(
        self,
        conversation_id: ConversationId,
        text: str,
        *,
        quote: MessageId | None = None,
        attachment_ids: tuple[AttachmentId, ...] = (),
        justification: str = "",
    ) -> MessageId:
        """Write the outbox row and remove the draft in one commit, then return its id."""
        raise NotImplementedError

    async def undo(self, message_id: MessageId) -> Draft:
        """Take a send back within its undo period; its text is a draft again.

        Raises Conflict when it is too late.
        """
        raise NotImplementedError

    async def cancel(self, message_id: MessageId) -> Draft:
        """Take back a submission that still waits for the connection; as `undo`."""
        raise NotImplementedError

    async def edit_refused(self, message_id: MessageId) -> Draft:
        """Put a refused submission's text back into the draft and forget the submission."""
        raise NotImplementedError

    def retry_now(self) -> None:
        """Try every waiting submission at once."""
        raise NotImplementedError

    async def resolve_unknown(self, message_id: MessageId, action: str) -> None:
        """Tell the backend what to do with a message whose delivery is unknown.

        `action` is `send_again`, `treat_as_delivered` or `give_up`.
        """
        raise NotImplementedError

    async def save_draft(self, draft: Draft) -> None:
        """Store a draft; an empty one is removed."""
        raise NotImplementedError

    async def mark_read(self, conversation_id: ConversationId) -> None:
        """Mark everything up to now as read; sent again until the backend has taken it."""
        raise NotImplementedError

    async def typing(self, conversation_id: ConversationId, typing: bool) -> None:
        """Tell the client's side that the employee types; failures are of no consequence."""
        raise NotImplementedError

    async def upload(self, path: Path) -> Attachment:
        """Upload a file, resuming where a cut came; return what to attach."""
        raise NotImplementedError

    async def download(self, attachment: Attachment, save_as: Path) -> Path:
        """Save an attachment, checked by its SHA-256, where the person chose; return the path."""
        raise NotImplementedError
