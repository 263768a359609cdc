"""Owns hints for the conversation on screen: the engine in force, the facts read ahead.

It never evaluates a draft itself, never asks the backend and never waits in `check`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.inspection import FileInspections
from app.store.store import Store
from contract import wire
from contract.ids import ConversationId

if TYPE_CHECKING:
    from app.hints.engine import HintEngine, HintResult

Spawn = Callable[[str, Callable[[], Coroutine[Any, Any, None]]], None]


class HintDesk:
    """One conversation with its contacts, kept as fresh as the store, and the policy engine."""

    def __init__(self, store: Store, clock: Clock, spawn: Spawn, language: str) -> None:
        self.engine: HintEngine | None = None
        self.files = FileInspections(store)
        self._language = language
        self._store = store
        self._clock = clock
        self._spawn = spawn
        self._wanted: ConversationId | None = None
        self._conversation: wire.Conversation | None = None
        self._contacts: tuple[wire.Contact, ...] = ()

    async def show(self, conversation_id: ConversationId | None) -> None:
        """Read the facts of the conversation now on screen; None clears them."""
        self._wanted = conversation_id
        await self._read()

    def changed(self, changes: ChangeSet) -> None:
        """Read the facts anew when a commit touched them."""
        wanted = self._wanted
        if wanted is None:
            return
        contacts = frozenset(contact.contact_id for contact in self._contacts)
        if (
            changes.reset
            or wanted in changes.conversations
            or wanted in changes.removed_conversations
            or contacts & changes.contacts
        ):
            self._spawn("facts for hints", self._read)

    def check(
        self, conversation_id: ConversationId, text: str, files: Sequence[wire.Attachment]
    ) -> HintResult | None:
        """Return the decision on a draft; None when engine or facts are not at hand."""
        conversation = self._conversation
        if self.engine is None or conversation is None:
            return None
        if conversation.conversation_id != conversation_id:
            return None
        return self.engine.check(
            conversation,
            self._contacts,
            text,
            self._clock.now_utc_ms(),
            attachments=[self.files.facts(file) for file in files],
            language=self._language,
        )

    def report(
        self, conversation_id: ConversationId, text: str, files: Sequence[wire.Attachment]
    ) -> bytes:
        """Return the JSON of what travels with a message, empty when there is no decision."""
        result = self.check(conversation_id, text, files)
        return msgspec.json.encode(result.report) if result is not None else b""

    async def _read(self) -> None:
        wanted = self._wanted
        conversation = None if wanted is None else await self._store.inbox.conversation(wanted)
        contacts: list[wire.Contact] = []
        for contact_id in conversation.contact_ids if conversation is not None else ():
            contact = await self._store.contacts.get(contact_id)
            if contact is not None:
                contacts.append(contact)
        if wanted == self._wanted:  # else another one was opened meanwhile
            self._conversation, self._contacts = conversation, tuple(contacts)
