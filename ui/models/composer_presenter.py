"""Holds the draft of the open conversation: checks it, saves it, sends it once.

It never touches a widget and never clears a text before its outbox row is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.drafts import Draft
from app.domain.errors import AppError
from contract.ids import AttachmentId, ConversationId, MessageId
from contract.policy.model import Decision
from contract.wire import Attachment, Contact, Conversation
from ui.bridge.spawn import Spawner
from ui.models.composer_state import (
    ComposerState,
    QuotedMessage,
    SendButton,
    counter,
    send_button,
)
from ui.models.composer_uploads import ComposerUploads, Uploader
from ui.models.findings import Verdict, fresh_rows, spoken, verdict
from ui.models.sendability import Gate, Sendability, sendability
from ui.models.sentences import sentence_of

SAVE_AFTER_MS = 100
TYPING_ENDS_AFTER_MS = 4000
Check = Callable[[ConversationId, str, Sequence[Attachment]], Decision | None]
_NOWHERE = Sendability(Gate.NO_CHANNEL, writable=False)


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
    ) -> MessageId:
        """Commit the outbox row and the draft's removal."""
        ...

    async def save_draft(self, draft: Draft) -> None:
        """Store a draft."""
        ...

    async def typing(self, conversation_id: ConversationId, typing: bool) -> None:
        """Tell the client's side that the employee types."""
        ...


class ComposerPresenter(QObject):
    """One composer: the conversation on screen and its draft."""

    state_changed = Signal(object)
    text_replaced = Signal(str)
    announced = Signal(str)
    sent = Signal(str)

    def __init__(
        self,
        messaging: DraftActions,
        check: Check,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._messaging = messaging
        self._check = check
        self._spawner = spawner
        self._now_utc_ms = now_utc_ms
        self._conversation: Conversation | None = None
        self._contacts: tuple[Contact, ...] = ()
        self._text = ""
        self._quote: QuotedMessage | None = None
        self._verdict = Verdict()
        self._sending = False
        self._dirty = False
        self._typing_told = False
        self._asks_reason = False
        self._fault = ""
        self._unsaved: dict[ConversationId, Draft] = {}
        self._saving = asyncio.Lock()
        self.uploads = ComposerUploads(messaging, spawner, self)
        self.uploads.changed.connect(self._on_uploads_changed)
        self.uploads.told.connect(self.announced)
        self._save_timer = self._timer(SAVE_AFTER_MS, self._on_save_due)
        self._typing_timer = self._timer(TYPING_ENDS_AFTER_MS, self._on_typing_ended)

    @property
    def conversation_id(self) -> ConversationId | None:
        """Return the conversation whose draft is held."""
        return self._conversation.conversation_id if self._conversation else None

    def show(
        self, conversation: Conversation | None, contacts: Sequence[Contact], draft: Draft | None
    ) -> None:
        """Hold another conversation's draft; the one before is kept and saved."""
        self._on_typing_ended()
        self._stash()
        if conversation is not None:
            draft = self._unsaved.get(conversation.conversation_id, draft)
        self._conversation, self._contacts = conversation, tuple(contacts)
        self._quote, self._fault, self._asks_reason = None, "", False
        arrived = self.uploads.restore(draft.attachment_ids if draft else (), self.conversation_id)
        self._replace_text(draft.text if draft else "")
        if arrived:
            self._mark_dirty()

    def refresh(self, conversation: Conversation, contacts: Sequence[Contact]) -> None:
        """Take newer facts of the same conversation; the draft stays as it is."""
        if conversation.conversation_id == self.conversation_id:
            self._conversation, self._contacts = conversation, tuple(contacts)
            self.evaluate()

    def edit(self, text: str) -> None:
        """Take the text as the user just typed it."""
        if text == self._text or self._conversation is None:
            return
        self._text, self._fault, self._asks_reason = text, "", False
        self._mark_dirty()
        if text:
            self._tell_typing(True)
            self._typing_timer.start()
        self.evaluate()

    def set_quote(self, quote: QuotedMessage | None) -> None:
        """Answer a message, or (None) answer none."""
        self._quote = quote
        self._mark_dirty()
        self.evaluate()

    def propose(self, text: str) -> None:
        """Add a text to the draft; what is there stays before it."""
        if self._conversation is not None:
            self._replace_text(f"{self._text.rstrip()}\n{text}".strip())
            self._mark_dirty()

    def offer_file(self, path: str) -> None:
        """Attach the file at `path`, unless this conversation takes none."""
        facts = self.state().sendability
        if facts.writable and facts.attachments and self._conversation is not None:
            self.uploads.add(Path(path))

    def adopt(
        self, draft: Draft, quote: QuotedMessage | None = None, before: str = "", note: str = ""
    ) -> None:
        """Show a draft that the store put back (undo, cancel, edit of what did not go out).

        `before` is the text when the store was asked: what was typed since stays behind it.
        `note` stands above the draft until it changes.
        """
        if draft.conversation_id != self.conversation_id:
            return
        typed = self._text.removeprefix(before) if self._text != before else ""
        self._dirty = False
        self._unsaved.pop(draft.conversation_id, None)
        self._quote, self._fault = quote, note
        arrived = self.uploads.restore(draft.attachment_ids, draft.conversation_id)
        self._replace_text(f"{draft.text}{typed}")
        if typed or arrived:
            self._mark_dirty()
        if note:
            self.announced.emit(note)

    def evaluate(self) -> None:
        """Check the draft against the rules and publish the state."""
        before = self._verdict
        self._verdict = Verdict()
        files = self.uploads.attachments()
        if self._conversation is not None and (self._text.strip() or files):
            decision = self._check(self._conversation.conversation_id, self._text, files)
            if decision is not None:
                # A closed gate's own note says already what a rule says of the recipient.
                gate = self.state().sendability.gate
                self._verdict = verdict(decision, self._text, words_only=gate is not Gate.OPEN)
        self.state_changed.emit(self.state())
        for row in fresh_rows(before, self._verdict):
            self.announced.emit(spoken(row))

    def state(self) -> ComposerState:
        """Return what the composer shows now."""
        if self._conversation is None:
            nothing = SendButton("Send", False, "Choose a conversation first.")
            return ComposerState(False, _NOWHERE, Verdict(), nothing)
        facts = sendability(self._conversation, self._contacts, self._now_utc_ms())
        files = self.uploads.items()
        return ComposerState(
            ready=True,
            sendability=facts,
            verdict=self._verdict,
            send=send_button(facts, self._verdict, self._text, files, sending=self._sending),
            counter=counter(self._text, facts.text_max_chars),
            over_limit=len(self._text) > facts.text_max_chars,
            quote=self._quote,
            uploads=files,
            asks_reason=self._asks_reason,
            fault=self._fault,
        )

    def submit(self, justification: str = "") -> bool:
        """Send the draft; returns False when something is in the way or a send is under way.

        A rule that asks for a reason opens the reason's field instead.
        """
        self.evaluate()
        if self._conversation is None or self._sending or not self.state().send.enabled:
            return False
        if self._verdict.needs_reason and not justification.strip():
            self._asks_reason = True
            self.state_changed.emit(self.state())
            return False
        self._sending = True
        work = self._send(self._conversation.conversation_id, self._text, justification.strip())
        if self._spawner.spawn(work, "send") is None:
            self._sending = False
        self.state_changed.emit(self.state())
        return self._sending

    async def flush(self) -> str:
        """Save every draft that is not stored yet; raises what the store raises.

        A draft that could not be stored is kept in memory and tried again. Returns the text on
        screen as it was when the saving began.
        """
        text = self._text
        self._stash()
        self._save_timer.stop()
        async with self._saving:
            for conversation_id, draft in list(self._unsaved.items()):
                await self._messaging.save_draft(draft)
                if self._unsaved.get(conversation_id) is draft:
                    del self._unsaved[conversation_id]
        return text

    def _stash(self) -> None:
        draft = self._draft()
        if draft is not None and self._dirty:
            self._unsaved[draft.conversation_id] = draft
            self._save_timer.start()
        self._dirty = False

    async def _send(self, to: ConversationId, text: str, justification: str) -> None:
        quote, files = self._quote, self.uploads.ready_ids()
        try:
            async with self._saving:
                message_id = await self._messaging.send(
                    to,
                    text,
                    quote=quote.message_id if quote else None,
                    attachment_ids=files,
                    justification=justification,
                )
                # The commit took the draft along: an older copy must not bring it back.
                self._unsaved.pop(to, None)
                self._dirty = self._dirty and to != self.conversation_id
        except AppError as fault:
            self._after_failed_send(to, sentence_of(fault))
            raise
        except BaseException:
            self._after_failed_send(to, "")
            raise
        self._sending = False
        self._after_send(to, text)
        self.sent.emit(message_id)

    def _after_failed_send(self, to: ConversationId, words: str) -> None:
        self._sending = False
        if to == self.conversation_id:
            self._fault = words
            self._mark_dirty()
            self.state_changed.emit(self.state())

    def _after_send(self, to: ConversationId, text: str) -> None:
        if to != self.conversation_id:
            return
        # What was typed while the commit ran stays; only what went out goes.
        rest = self._text[len(text) :] if self._text.startswith(text) else self._text
        self._quote, self._fault, self._asks_reason = None, "", False
        self.uploads.forget_sent()
        self._on_typing_ended()
        self._replace_text(rest)
        if rest:
            self._mark_dirty()

    def _replace_text(self, text: str) -> None:
        self._text = text
        self.text_replaced.emit(text)
        self.evaluate()

    def _draft(self) -> Draft | None:
        if self._conversation is None:
            return None
        return Draft(
            self._conversation.conversation_id,
            self._text,
            quote_message_id=self._quote.message_id if self._quote else None,
            attachment_ids=self.uploads.ready_ids(),
            saved_at_utc_ms=self._now_utc_ms(),
        )

    def _mark_dirty(self) -> None:
        self._dirty = True
        self._save_timer.start()

    def _timer(self, interval_ms: int, on_timeout: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(on_timeout)
        return timer

    def _on_save_due(self) -> None:
        if not self._sending:
            self._spawner.spawn(self.flush(), "save draft")

    def _on_uploads_changed(self) -> None:
        self._mark_dirty()
        self.evaluate()

    def _on_typing_ended(self) -> None:
        self._typing_timer.stop()
        self._tell_typing(False)

    def _tell_typing(self, typing: bool) -> None:
        conversation = self._conversation
        if typing == self._typing_told or conversation is None:
            return
        self._typing_told = typing
        if conversation.send is not None and conversation.send.typing:
            work = self._messaging.typing(conversation.conversation_id, typing)
            self._spawner.spawn(work, "typing")
