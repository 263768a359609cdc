"""Owns hints for the conversation on screen: the engine in force, the facts read ahead.

It never evaluates a draft itself, never asks the backend and never waits in `check`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from app.book_desk import BookDesk
from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.drafts import CheckedDraft
from app.inspection import FileInspections
from app.store.store import Store
from contract import wire
from contract.ids import ConversationId
from contract.policy.model import Decision, Draft, Facts

if TYPE_CHECKING:
    from app.hints.engine import HintEngine, HintResult

Spawn = Callable[[str, Callable[[], Coroutine[Any, Any, None]]], None]


class HintDesk:
    """One conversation with its contacts, kept as fresh as the store, and the policy engine."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        spawn: Spawn,
        language: Callable[[], str],
        book: BookDesk | None = None,
    ) -> None:
        """Without `book` drafts are not looked through for the book's other clients."""
        self.engine: HintEngine | None = None
        self.files = FileInspections(store)
        self.book = book
        self._language = language
        self._store = store
        self._clock = clock
        self._spawn = spawn
        self._wanted: ConversationId | None = None
        self._conversation: wire.Conversation | None = None
        self._contacts: tuple[wire.Contact, ...] = ()

    @property
    def language(self) -> str:
        """Return the language in which findings speak."""
        return self._language()

    async def show(self, conversation_id: ConversationId | None) -> None:
        """Read the facts of the conversation now on screen; None clears them and kept texts."""
        self._wanted = conversation_id
        if conversation_id is None and self.engine is not None:
            self.engine.forget()
        await self._read()

    def changed(self, changes: ChangeSet) -> None:
        """Read the facts anew when a commit touched them."""
        if self.book is not None:
            self.book.changed(changes)
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

    def check(self, draft: CheckedDraft) -> HintResult | None:
        """Return the decision on a draft; None when engine or facts are not at hand."""
        ground = self._ground(draft)
        return self.engine.check_draft(*ground) if self.engine and ground else None

    def decide(self, draft: CheckedDraft) -> Decision | None:
        """Return the policy decision on a draft of the open conversation (about 0.1–2 ms).

        None while no bundle has arrived or the conversation's facts are not read yet.
        """
        result = self.check(draft)
        return result.decision if result is not None else None

    async def decide_later(self, draft: CheckedDraft) -> Decision | None:
        """Decide on a long draft beside the loop's thread; the loop may check others meanwhile."""
        engine, ground = self.engine, self._ground(draft)
        if engine is None or ground is None:
            return None
        return await asyncio.to_thread(engine.decide_apart, *ground)

    def report(self, draft: CheckedDraft) -> bytes:
        """Return the JSON of what travels with a message, empty when there is no decision."""
        result = self.check(draft)
        return msgspec.json.encode(result.report) if result is not None else b""

    def _ground(self, draft: CheckedDraft) -> tuple[Facts, Draft] | None:
        """Return what a decision rests on: the facts read ahead, the draft as policy sees it."""
        engine, talk = self.engine, self._conversation
        if engine is None or talk is None or talk.conversation_id != draft.conversation_id:
            return None
        facts = engine.ground.facts(
            talk,
            self._contacts,
            self._clock.now_utc_ms(),
            self.book.accounts_in(talk.conversation_id) if self.book else None,
            self.book.names if self.book else None,
        )
        asked = engine.ground.draft(
            talk,
            self._contacts,
            draft.text,
            [self.files.facts(file) for file in draft.files],
            self._language(),
            template_id=draft.template_id,
            quoted_text=draft.quoted_text,
        )
        return facts, asked

    async def _read(self) -> None:
        wanted = self._wanted
        conversation = None if wanted is None else await self._store.inbox.conversation(wanted)
        contacts: list[wire.Contact] = []
        for contact_id in conversation.contact_ids if conversation is not None else ():
            contact = await self._store.contacts.get(contact_id)
            if contact is not None:
                contacts.append(contact)
        read = (conversation, tuple(contacts))
        # Else another one was opened meanwhile, or nothing is new.
        if wanted == self._wanted and read != (self._conversation, self._contacts):
            self._conversation, self._contacts = read
            if self.book is not None:
                self.book.told()
