"""Adapts the core to what the presenters read and tell, from the moment its store is open.

It never keeps anything it has read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from app.core import Core
from app.diagnostics.results import CheckResult
from app.domain.drafts import Draft
from app.domain.settings_account import SettingsAccount
from app.domain.timeline import TimelineRow
from contract.ids import AttachmentId, ContactId, ConversationId, MessageId
from contract.wire import Attachment, Contact, Conversation

_PAGE = 500


class WorkspaceSource:
    """One core, read by presenters; what is asked before the store is open waits for it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def conversation(self, conversation_id: ConversationId) -> Conversation | None:
        """Return a conversation or None."""
        await self._core.opened()
        return await self._core.store.inbox.conversation(conversation_id)

    async def contact(self, contact_id: ContactId) -> Contact | None:
        """Return a contact or None."""
        await self._core.opened()
        return await self._core.store.contacts.get(contact_id)

    async def contacts(self) -> tuple[Contact, ...]:
        """Return the whole book by name."""
        await self._core.opened()
        return await self._core.store.contacts.every()

    async def conversation_of(self, contact: Contact) -> ConversationId | None:
        """Return a contact's newest conversation, None when there is none."""
        await self._core.opened()
        results = await self._core.store.search.search(contact.display_name, _PAGE, 0)
        for hit in results.people:
            if hit.contact.contact_id == contact.contact_id:
                return hit.conversation_id
        return None

    async def draft(self, conversation_id: ConversationId) -> Draft | None:
        """Return the saved draft or None."""
        await self._core.opened()
        return await self._core.store.drafts.get(conversation_id)

    async def draft_files(self, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """Return what is known of a draft's files, with what was found in them at hand."""
        await self._core.opened()
        await self._core.desk.files.recall(ids)
        return await self._core.store.drafts.attachments(ids)

    async def move_draft(self, home: ConversationId, to: ConversationId, now_utc_ms: int) -> None:
        """Put a conversation's saved draft behind what another's holds."""
        await self._core.opened()
        await self._core.store.drafts.move(home, to, now_utc_ms)

    async def message(self, message_id: MessageId) -> TimelineRow | None:
        """Return a message or None."""
        await self._core.opened()
        return await self._core.store.timeline.message(message_id)

    async def on_screen(self, conversation_id: ConversationId | None) -> None:
        """Tell which conversation is on screen."""
        await self._core.opened()
        await self._core.open_conversation(conversation_id)

    async def mark_read(self, conversation_id: ConversationId, upto_utc_ms: int | None) -> None:
        """Mark what is placed up to a moment as read, everything with None."""
        await self._core.opened()
        await self._core.messaging.mark_read(conversation_id, upto_utc_ms)

    async def settings_account(self) -> SettingsAccount:
        """Read the places of settings again, off the loop, and return the account of all."""
        from asyncio import to_thread

        read = self._core.diagnostics_subject().settings
        assert read is not None
        return await to_thread(read)

    async def checks(self) -> AsyncIterator[CheckResult]:
        """Run the diagnostics' checks."""
        from app.diagnostics.checks import run_checks

        async for result in run_checks(self._core.diagnostics_subject()):
            yield result
