"""Opens one conversation at a time and keeps header, timeline and composer on the same one.

It never lets a late answer about one conversation show under another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.domain.changes import ChangeSet
from app.domain.drafts import Draft
from app.domain.first_frame import OpenedConversation
from app.domain.timeline import TimelineRow, TimelineWindow
from contract.ids import AttachmentId, ContactId, ConversationId, MessageId
from contract.wire import Attachment, Contact, Conversation, WireFinding
from ui.bridge.spawn import Spawner
from ui.models.composer_presenter import ComposerPresenter
from ui.models.composer_state import QuotedMessage
from ui.models.conversation_facts import ConversationFacts
from ui.models.timeline_presenter import TimelinePresenter


class ConversationSource(Protocol):
    """What is read and told when a conversation opens; the workspace offers it."""

    async def conversation(self, conversation_id: ConversationId) -> Conversation | None:
        """Return a conversation or None."""
        ...

    async def contact(self, contact_id: ContactId) -> Contact | None:
        """Return a contact or None."""
        ...

    async def draft(self, conversation_id: ConversationId) -> Draft | None:
        """Return the saved draft or None."""
        ...

    async def draft_files(self, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """Return what is known of a draft's files."""
        ...

    async def move_draft(self, home: ConversationId, to: ConversationId, now_utc_ms: int) -> None:
        """Put a conversation's saved draft behind what another's holds."""
        ...

    async def message(self, message_id: MessageId) -> TimelineRow | None:
        """Return a message or None."""
        ...

    async def on_screen(self, conversation_id: ConversationId | None) -> None:
        """Tell which conversation is on screen."""
        ...

    async def mark_read(self, conversation_id: ConversationId, upto_utc_ms: int | None) -> None:
        """Mark what is placed up to a moment as read, everything with None."""
        ...


@dataclass(frozen=True, slots=True)
class _HeldDraft:
    """A saved draft with what it answers and what is known of its files."""

    draft: Draft | None = None
    files: tuple[Attachment, ...] = ()
    quote: QuotedMessage | None = None


class ConversationPresenter(QObject):
    """The conversation on screen; `facts_changed` carries ConversationFacts or None.

    `draft_moved` carries the conversation a draft was moved to, which is to be opened now.
    """

    facts_changed = Signal(object)
    draft_moved = Signal(str)

    def __init__(
        self,
        source: ConversationSource,
        timeline: TimelinePresenter,
        composer: ComposerPresenter,
        spawner: Spawner,
        looked_at: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._timeline = timeline
        self._composer = composer
        self._spawner = spawner
        self._looked_at = looked_at
        self._visit = 0
        self.conversation_id: ConversationId | None = None
        self.facts: ConversationFacts | None = None
        self._seen_utc_ms: int | None = 0

    def open(self, conversation_id: ConversationId, anchor: MessageId | None = None) -> None:
        """Show a conversation, at `anchor` when given; the same one again only jumps."""
        if conversation_id == self.conversation_id:
            if anchor is not None:
                self._timeline.jump_to(anchor)
            return
        self._visit += 1
        self.conversation_id, self.facts, self._seen_utc_ms = conversation_id, None, 0
        # Nothing typed from here on may go to the conversation that is being left.
        self._composer.show(None, (), None)
        self._timeline.begin(conversation_id)
        self._spawner.spawn(self._open(self._visit, conversation_id, anchor), "open conversation")

    def show_first(self, first: OpenedConversation) -> None:
        """Show what was kept for a start; `confirm` follows once the store is open."""
        talk = first.conversation
        self._visit += 1
        self.conversation_id, self._seen_utc_ms = talk.conversation_id, 0
        self.facts = ConversationFacts(talk, first.contacts)
        self._timeline.show_first(
            TimelineWindow(talk.conversation_id, first.rows, first.has_older, False),
            talk.title,
            group=talk.group,
            read_upto_utc_ms=talk.read_upto_utc_ms,
        )
        self._composer.show(talk, first.contacts, first.draft)
        wanted = first.draft.quote_message_id if first.draft is not None else None
        if wanted is not None and (row := self._timeline.message(wanted)) is not None:
            self._composer.set_quote(_quoted(row))
        self.facts_changed.emit(self.facts)

    def confirm(self) -> None:
        """Take the store's word on what `show_first` showed; the draft on screen stays."""
        if self.conversation_id is not None:
            work = self._confirm(self._visit, self.conversation_id)
            self._spawner.spawn(work, "confirm conversation")

    def close(self) -> None:
        """Show no conversation."""
        self._visit += 1
        self.conversation_id, self.facts = None, None
        self._composer.show(None, (), None)
        self._timeline.close()
        self._spawner.spawn(self._source.on_screen(None), "close conversation")
        self.facts_changed.emit(None)

    def move_draft(self, to: ConversationId, now_utc_ms: int) -> None:
        """Move the draft on screen to the conversation it belongs to, then open that one."""
        home = self.conversation_id
        if home is not None and to != home:
            # Nothing typed from here on may go to the conversation that is being left.
            self._composer.show(None, (), None)
            self._spawner.spawn(self._move(self._visit, home, to, now_utc_ms), "move draft")

    def on_changed(self, changes: ChangeSet) -> None:
        """Take a change set; facts of the open conversation are read anew when it names them."""
        shown = self.conversation_id
        if shown is None:
            return
        if shown in changes.removed_conversations:
            self.close()
            return
        known = {contact.contact_id for contact in self.facts.contacts} if self.facts else set()
        if changes.reset or shown in changes.touched() or known & changes.contacts:
            self._spawner.spawn(self._refresh(self._visit, shown), "refresh conversation")

    async def adopt(
        self,
        draft: Draft,
        before: str,
        note: str = "",
        refused: tuple[WireFinding, ...] = (),
    ) -> None:
        """Show a draft that the store put back, with what it answers and its files' names.

        `before` is the draft's text when the store was asked, `note` what to say above it,
        `refused` what the backend found in it.
        """
        quote = await self._quote(draft)
        files = await self._source.draft_files(draft.attachment_ids)
        self._composer.adopt(draft, quote, before, note, refused=refused)
        if draft.conversation_id == self._composer.conversation_id:
            self._composer.uploads.describe(files)
            self._composer.evaluate()

    def on_seen(self, upto_utc_ms: int, everything: bool) -> None:
        """Take how far the timeline was really shown, and mark that much as read."""
        self._seen_utc_ms = None if everything else upto_utc_ms
        self._mark_seen()

    def mark_read(self) -> None:
        """Mark all of the open conversation as read, because the user says so."""
        if self.conversation_id is not None:
            self._spawner.spawn(self._source.mark_read(self.conversation_id, None), "mark read")

    def _mark_seen(self) -> None:
        facts, seen_utc_ms = self.facts, self._seen_utc_ms
        if facts is None or not facts.conversation.unread_count or not self._looked_at():
            return
        talk = facts.conversation
        if seen_utc_ms is None or seen_utc_ms > talk.read_upto_utc_ms:
            work = self._source.mark_read(talk.conversation_id, seen_utc_ms)
            self._spawner.spawn(work, "mark read")

    async def _open(
        self, visit: int, conversation_id: ConversationId, anchor: MessageId | None
    ) -> None:
        from asyncio import gather

        saver = self._composer.saver
        taken = saver.taken
        # All is asked for at once and shown at once: one wait, one layout, one painting.
        facts, window, held = await gather(
            self._read(conversation_id),
            self._timeline.read(conversation_id, anchor),
            self._draft_of(conversation_id),
        )
        while taken != saver.taken:  # the store took a draft meanwhile: maybe this one
            taken = saver.taken
            held = await self._draft_of(conversation_id)
        if visit != self._visit:
            return
        if facts is None:
            self.close()
            return
        self._show(facts, anchor, window, held)
        await self._source.on_screen(conversation_id)
        self._mark_seen()

    def _show(
        self,
        facts: ConversationFacts,
        anchor: MessageId | None,
        window: TimelineWindow,
        held: _HeldDraft,
    ) -> None:
        talk, self.facts = facts.conversation, facts
        self._composer.show(talk, facts.contacts, held.draft)
        self._composer.uploads.describe(held.files)
        if held.quote is not None:
            self._composer.set_quote(held.quote)
        self.facts_changed.emit(facts)
        self._timeline.open(
            talk.conversation_id,
            talk.title,
            group=talk.group,
            anchor=anchor,
            read_upto_utc_ms=talk.read_upto_utc_ms,
            window=window,
        )

    async def _draft_of(self, conversation_id: ConversationId) -> _HeldDraft:
        draft = await self._source.draft(conversation_id)
        if draft is None:
            return _HeldDraft()
        files = await self._source.draft_files(draft.attachment_ids)
        return _HeldDraft(draft, files, await self._quote(draft))

    async def _confirm(self, visit: int, conversation_id: ConversationId) -> None:
        facts = await self._read(conversation_id)
        if visit != self._visit:
            return
        if facts is None:
            self.close()
            return
        self._timeline.refresh()
        await self._source.on_screen(conversation_id)
        files = await self._source.draft_files(self._composer.uploads.ready_ids())
        if visit != self._visit:
            return
        self._composer.uploads.describe(files)
        self._composer.refresh(facts.conversation, facts.contacts)
        if facts != self.facts:
            self.facts = facts
            self.facts_changed.emit(facts)
        self._mark_seen()

    async def _move(
        self, visit: int, home: ConversationId, to: ConversationId, now_utc_ms: int
    ) -> None:
        try:
            await self._composer.flush()
            if await self._source.conversation(to) is None:
                await self._show_again(visit, home, "That conversation is no longer yours.")
                return
            await self._source.move_draft(home, to, now_utc_ms)
        except BaseException:
            await self._show_again(visit, home, "The draft could not be moved. It is still here.")
            raise
        self.draft_moved.emit(to)

    async def _show_again(self, visit: int, home: ConversationId, note: str) -> None:
        """Show the draft that stays where it was, and say why."""
        if visit != self._visit or self.facts is None:
            return
        draft = await self._source.draft(home)
        self._composer.show(self.facts.conversation, self.facts.contacts, draft)
        if draft is not None:
            await self.adopt(draft, draft.text, note)

    async def _refresh(self, visit: int, conversation_id: ConversationId) -> None:
        facts = await self._read(conversation_id)
        if visit != self._visit or facts is None or self.facts is None:
            return
        if facts != self.facts:
            self.facts = facts
            self._composer.refresh(facts.conversation, facts.contacts)
            self.facts_changed.emit(facts)
        self._mark_seen()

    async def _read(self, conversation_id: ConversationId) -> ConversationFacts | None:
        talk = await self._source.conversation(conversation_id)
        if talk is None:
            return None
        contacts = [await self._source.contact(one) for one in talk.contact_ids]
        return ConversationFacts(talk, tuple(one for one in contacts if one is not None))

    async def _quote(self, draft: Draft | None) -> QuotedMessage | None:
        if draft is None or draft.quote_message_id is None:
            return None
        row = await self._source.message(draft.quote_message_id)
        return None if row is None else _quoted(row)


def _quoted(row: TimelineRow) -> QuotedMessage:
    return QuotedMessage(row.message.message_id, row.message.author_name, row.message.text)
