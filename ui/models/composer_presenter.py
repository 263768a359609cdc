"""Holds the draft of the open conversation: checks it, saves it, sends it once.

It never touches a widget and never clears a text before its outbox row is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.drafts import CheckedDraft, Draft
from app.domain.errors import AppError, Refused
from contract.ids import ConversationId, MessageId
from contract.wire import Contact, Conversation, Message, WireFinding
from ui.bridge.spawn import Spawner
from ui.models.composer_state import (
    REASON_MISSED,
    ComposerState,
    QuotedMessage,
    SendButton,
    counter,
    send_button,
)
from ui.models.composer_uploads import ComposerUploads
from ui.models.draft_actions import DraftActions
from ui.models.draft_policy import GO_AHEAD, DraftPolicy, PolicyChecks
from ui.models.draft_saver import DraftSaver
from ui.models.findings import Verdict
from ui.models.sendability import Gate, Sendability, sendability
from ui.models.sentences import sentence_of
from ui.models.typing_notice import TypingNotice

_NO_FILES = "Only a message’s words can be changed: send the file by itself."
_NOWHERE = Sendability(Gate.NO_CHANNEL, writable=False)
_SHORTEST_TIMER_MS, _LONGEST_TIMER_MS = 200, 24 * 3_600_000


class ComposerPresenter(QObject):
    """One composer: the conversation on screen and its draft.

    `uploads` holds the draft's files, `answers` what the user answered to its findings, `saver`
    what the store has not taken yet.
    """

    state_changed = Signal(object)
    text_replaced = Signal(str)
    announced = Signal(str)
    sent = Signal(str)

    def __init__(
        self,
        messaging: DraftActions,
        checks: PolicyChecks,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._messaging = messaging
        self._spawner = spawner
        self._now_utc_ms = now_utc_ms
        self._conversation: Conversation | None = None
        self._contacts: tuple[Contact, ...] = ()
        self._text = ""
        self._quote: QuotedMessage | None = None
        self._template_id = ""
        self._sending = False
        self._fault = ""
        self._build(messaging, checks, spawner)

    def _build(self, messaging: DraftActions, checks: PolicyChecks, spawner: Spawner) -> None:
        self.uploads = ComposerUploads(messaging, spawner, self)
        self.uploads.changed.connect(self._on_uploads_changed)
        self.uploads.told.connect(self.announced)
        self._policy = DraftPolicy(checks, spawner, self._checked_draft, self._gate_is_open, self)
        self._policy.changed.connect(self._publish)
        self._policy.announced.connect(self.announced)
        self.answers = self._policy.answers
        self.saver = DraftSaver(messaging.save_draft, self._draft, spawner, self)
        self._policy.answered.connect(self.saver.mark_dirty)
        self._typing = TypingNotice(messaging.typing, spawner, self)
        self._clock_timer = QTimer(self)
        self._clock_timer.setSingleShot(True)
        self._clock_timer.timeout.connect(self._on_clock)

    @property
    def conversation_id(self) -> ConversationId | None:
        """Return the conversation whose draft is held."""
        return self._conversation.conversation_id if self._conversation else None

    def show(
        self, conversation: Conversation | None, contacts: Sequence[Contact], draft: Draft | None
    ) -> None:
        """Hold another conversation's draft; the one before is kept and saved."""
        self._typing.end()
        self.saver.stash()
        if conversation is not None:
            draft = self.saver.newest(conversation.conversation_id, draft)
        self._conversation, self._contacts = conversation, tuple(contacts)
        self._quote, self._fault = None, ""
        self._take_answers(draft)
        arrived = self.uploads.restore(draft.attachment_ids if draft else (), self.conversation_id)
        self._replace_text(draft.text if draft else "")
        self._policy.begin()
        if arrived:
            self.saver.mark_dirty()

    def refresh(self, conversation: Conversation, contacts: Sequence[Contact]) -> None:
        """Take newer facts of the same conversation; the draft stays as it is."""
        if conversation.conversation_id == self.conversation_id:
            self._conversation, self._contacts = conversation, tuple(contacts)
            self.evaluate()

    def edit(self, text: str) -> None:
        """Take the text as the user just typed it."""
        if self._conversation is None:
            return
        if text == self._text:
            self._publish()  # written over with the same words: its marks are drawn anew
            return
        self._text, self._fault, self._template_id = text, "", ""
        self._policy.edited()
        self.saver.mark_dirty()
        if text:
            self._typing.typed(self._conversation)
        self.evaluate(at_once=False)

    def set_quote(self, quote: QuotedMessage | None) -> None:
        """Answer a message, or (None) answer none."""
        self._quote = quote
        self.saver.mark_dirty()
        self.evaluate()

    def propose(self, text: str, *, instead_of: Message | None = None) -> bool:
        """Add a text to the draft; what is there stays before it.

        With `instead_of`, a message that is out, the text is to be changed and given back as its
        new words: False while there is a draft, which stays.
        """
        if self._conversation is None:
            return False
        self._template_id = ""
        if instead_of is not None:
            if self._text.strip() or self.uploads.items():
                return False
            self._quote = QuotedMessage(instead_of.message_id, "", instead_of.text, edited=True)
        self._replace_text(f"{self._text.rstrip()}\n{text}".strip())
        self.saver.mark_dirty()
        return True

    def offer_file(self, path: str) -> None:
        """Attach the file at `path`, unless this conversation takes none."""
        facts = self.state().sendability
        if facts.writable and facts.attachments and self._conversation is not None:
            self.uploads.add(Path(path))

    def adopt(
        self,
        draft: Draft,
        quote: QuotedMessage | None = None,
        before: str = "",
        note: str = "",
        *,
        refused: tuple[WireFinding, ...] = (),
    ) -> None:
        """Show a draft that the store put back (undo, cancel, edit of what did not go out).

        `before` is the text when the store was asked: what was typed since stays behind it.
        `note` stands above the draft until it changes; `refused` is what the backend found in it.
        """
        if draft.conversation_id != self.conversation_id:
            return
        typed = self._text.removeprefix(before) if self._text != before else ""
        self.saver.forget(draft.conversation_id, on_screen=True)
        self._quote, self._fault = quote, note
        self._take_answers(draft, refused)
        arrived = self.uploads.restore(draft.attachment_ids, draft.conversation_id)
        self._replace_text(f"{draft.text}{typed}")
        if typed or arrived:
            self.saver.mark_dirty()
        if note:
            self.announced.emit(note)

    def evaluate(self, *, at_once: bool = True) -> None:
        """Check the draft against the rules and publish the state.

        Without `at_once` a draft whose check would cost a frame is checked beside the UI thread;
        until then the verdict before stands.
        """
        self._policy.evaluate(at_once=at_once)

    def state(self) -> ComposerState:
        """Return what the composer shows now."""
        if self._conversation is None:
            nothing = SendButton("Send", False, "Choose a conversation first.")
            return ComposerState(False, _NOWHERE, Verdict(), nothing)
        facts = self._sendability(self._conversation)
        files, answers, found = self.uploads.items(), self.answers, self._policy.verdict
        asks = answers.asks_acknowledgement and found.to_acknowledge > 0
        return ComposerState(
            ready=True,
            sendability=facts,
            verdict=found,
            send=send_button(facts, found, self._text, files, answers.value, sending=self._sending),
            counter=counter(self._text, facts.text_max_chars),
            over_limit=len(self._text) > facts.text_max_chars,
            quote=self._quote,
            uploads=files,
            verdict_stale=self._policy.stale,
            asks_reason=answers.asks_reason and found.needs_reason and not found.to_mend,
            reason=answers.value.justification,
            reason_note=REASON_MISSED if self._policy.reason_missed else "",
            go_ahead_note=GO_AHEAD if asks else "",
            fault=self._fault,
        )

    def submit(self, *, go_ahead: bool = False) -> bool:
        """Send the draft; returns False when something is in the way or a send is under way.

        A rule that asks for a reason opens the reason's field instead; a warning that asks to be
        acknowledged holds until `go_ahead`, which is the word of someone who read it.
        """
        self.evaluate()
        if self._conversation is None or self._sending or not self.state().send.enabled:
            return False
        if go_ahead:
            self._policy.go_ahead()
        if self._policy.ask_for_answers():
            return False
        self._sending = self.saver.paused = True
        quote, draft = self._quote, self._outgoing()
        edited = quote.message_id if quote is not None and quote.edited else None
        if self._spawner.spawn(self._send(draft, edited), "send") is None:
            self._sending = self.saver.paused = False
        self.state_changed.emit(self.state())
        return self._sending

    async def flush(self) -> str:
        """Save every draft that is not stored yet; raises what the store raises.

        A draft that could not be stored is kept in memory and tried again. Returns the text on
        screen as it was when the saving began.
        """
        text = self._text
        await self.saver.flush()
        return text

    def _outgoing(self) -> Draft:
        """Return what goes out: of the answers only those that this text needs."""
        assert self._conversation is not None
        found = self._policy.verdict
        return Draft(
            self._conversation.conversation_id,
            self._text,
            quote_message_id=self._answered_id(),
            attachment_ids=self.uploads.ready_ids(),
            justification=self.answers.value.justification.strip() if found.needs_reason else "",
            acknowledged=found.acknowledged,
            false_positives=found.false_positives,
            template_id=self._template_id,
        )

    def _answered_id(self) -> MessageId | None:
        return None if self._quote is None or self._quote.edited else self._quote.message_id

    async def _send(self, draft: Draft, edited: MessageId | None) -> None:
        to = draft.conversation_id
        try:
            async with self.saver.writing:
                if edited is not None:
                    await self._edit(edited, draft)
                else:
                    message_id = await self._hand_over(draft)
                # The commit took the draft along: an older copy must not bring it back.
                self.saver.forget(to, on_screen=to == self.conversation_id)
        except AppError as fault:
            self._after_failed_send(to, sentence_of(fault))
            raise
        except BaseException:
            self._after_failed_send(to, "")
            raise
        self._sending = self.saver.paused = False
        self._after_send(to, draft.text)
        if edited is None:
            self.sent.emit(message_id)

    async def _hand_over(self, draft: Draft) -> MessageId:
        return await self._messaging.send(
            draft.conversation_id,
            draft.text,
            quote=draft.quote_message_id,
            attachment_ids=draft.attachment_ids,
            justification=draft.justification,
            acknowledged=draft.acknowledged,
            false_positives=draft.false_positives,
            template_id=draft.template_id,
        )

    async def _edit(self, message_id: MessageId, draft: Draft) -> None:
        """Change a message that is out; until it has these words they stay a draft, too."""
        if draft.attachment_ids:
            raise Refused(_NO_FILES)
        await self._messaging.edit_sent(
            message_id,
            draft.text,
            justification=draft.justification,
            acknowledged=draft.acknowledged,
            false_positives=draft.false_positives,
        )
        await self._messaging.save_draft(Draft(draft.conversation_id, ""))

    def _after_failed_send(self, to: ConversationId, words: str) -> None:
        self._sending = self.saver.paused = False
        if to == self.conversation_id:
            self._fault = words
            self.saver.mark_dirty()
            self.state_changed.emit(self.state())

    def _after_send(self, to: ConversationId, text: str) -> None:
        if to != self.conversation_id:
            return
        # What was typed while the commit ran stays; only what went out goes.
        rest = self._text[len(text) :] if self._text.startswith(text) else self._text
        self._quote, self._fault = None, ""
        self._take_answers(None)
        self.uploads.forget_sent()
        self._typing.sent()
        self._replace_text(rest)
        if rest:
            self.saver.mark_dirty()

    def _take_answers(self, draft: Draft | None, refused: tuple[WireFinding, ...] = ()) -> None:
        self._template_id = draft.template_id if draft is not None else ""
        self._policy.restore(draft, refused)

    def _replace_text(self, text: str) -> None:
        self._text = text
        self.text_replaced.emit(text)
        self.evaluate()

    def _publish(self) -> None:
        state = self.state()
        due_ms = state.sendability.changes_in_ms
        if due_ms is None:
            self._clock_timer.stop()
        else:
            self._clock_timer.start(max(_SHORTEST_TIMER_MS, min(due_ms, _LONGEST_TIMER_MS)))
        self.state_changed.emit(state)

    def _gate_is_open(self) -> bool:
        conversation = self._conversation
        return conversation is not None and self._sendability(conversation).gate is Gate.OPEN

    def _sendability(self, conversation: Conversation) -> Sendability:
        facts = sendability(conversation, self._contacts, self._now_utc_ms())
        # A template that was sent and taken back may go again, as long as it is not changed.
        if self._template_id and facts.templates:
            return replace(facts, gate=Gate.OPEN, note="")
        return facts

    def _checked_draft(self) -> CheckedDraft | None:
        files = self.uploads.attachments()
        if self._conversation is None or not (self._text.strip() or files):
            return None
        return CheckedDraft(
            self._conversation.conversation_id,
            self._text,
            files,
            self._quote.text if self._quote else "",
            self._template_id,
        )

    def _draft(self) -> Draft | None:
        if self._conversation is None:
            return None
        answers = self.answers.value
        return Draft(
            self._conversation.conversation_id,
            self._text,
            quote_message_id=self._answered_id(),
            attachment_ids=self.uploads.ready_ids(),
            saved_at_utc_ms=self._now_utc_ms(),
            justification=answers.justification,
            acknowledged=tuple(sorted(answers.acknowledged)),
            false_positives=tuple(sorted(answers.false_positives)),
            template_id=self._template_id,
        )

    def _on_uploads_changed(self) -> None:
        self.saver.mark_dirty()
        self.evaluate()

    def _on_clock(self) -> None:
        # The window may have closed by now: what is sent next is judged by the new facts.
        self.evaluate(at_once=False)
