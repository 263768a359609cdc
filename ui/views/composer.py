"""Lays out the composer: findings, quote, text, files, buttons; passes keys to its presenter.

It never checks or stores a draft itself.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from contract.policy.model import Fix, FixKind
from ui.models.composer_presenter import ComposerPresenter
from ui.models.composer_state import ComposerState
from ui.models.findings import FindingRow, Offer, Verdict
from ui.models.sendability import Gate
from ui.theme.icons import icon
from ui.theme.tokens import Tokens
from ui.theme.widgets import ElidedLabel, button, label, restyle
from ui.views.composer_edit import ComposerEdit
from ui.views.composer_extras import QuoteStrip, UploadChips
from ui.views.findings_panel import FindingsPanel
from ui.views.reason_field import ReasonField


class Composer(QWidget):
    """The card at the foot of a conversation.

    `move_requested` carries the conversation a draft belongs to rather than here.
    """

    attach_requested = Signal()
    choose_template_requested = Signal()
    move_requested = Signal(str)

    def __init__(
        self, presenter: ComposerPresenter, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._presenter = presenter
        self._tokens = tokens
        self._setting_text = False
        self._verdict = Verdict()
        self.setAccessibleName("Composer")
        self.setAcceptDrops(True)
        self._build()
        self._connect()
        self._on_state_changed(presenter.state())

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self.edit.set_tokens(tokens)
        self._findings.set_tokens(tokens)
        self._quote.set_tokens(tokens)
        self._uploads.set_tokens(tokens)
        self._attach.setIcon(icon("paperclip", tokens.ink2, 18, tokens.ink3))
        self._card.setStyleSheet(_card_style(tokens))

    def set_enter_sends(self, enter_sends: bool) -> None:
        """Let Enter send (else Ctrl+Enter does and Enter breaks the line)."""
        self.edit.enter_sends = enter_sends
        how = "Enter sends" if enter_sends else "Control and Enter send"
        self.edit.setAccessibleDescription(f"{how}, Shift and Enter begin a new line")

    def finding_words(self) -> tuple[str, ...]:
        """Return the findings' headlines on screen."""
        return self._findings.words()

    @property
    def send_button(self) -> QPushButton:
        """Return the button that sends."""
        return self._send

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(20, 8, 20, 16)
        self._card = QFrame()
        self._card.setObjectName("composerCard")
        outer.addWidget(self._card)
        column = QVBoxLayout(self._card)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        self._findings = FindingsPanel(self._tokens)
        self._note = label("")
        self._note.setWordWrap(True)
        self._note.setContentsMargins(16, 12, 16, 4)
        self._note.hide()
        self._fault = label("", "error")
        self._fault.setWordWrap(True)
        self._fault.setContentsMargins(16, 8, 16, 0)
        self._fault.hide()
        self._quote = QuoteStrip(self._tokens)
        self._uploads = UploadChips(self._tokens)
        self.edit = ComposerEdit(self._tokens)
        for part in (self._findings, self._note, self._template_row(), self._fault, self._quote):
            column.addWidget(part)
        text = QVBoxLayout()
        text.setContentsMargins(16, 12, 12, 4)
        text.addWidget(self.edit)
        column.addLayout(text)
        column.addWidget(self._uploads)
        self._reason = ReasonField()
        column.addWidget(self._reason)
        self._foot_row = QWidget()
        self._foot_row.setLayout(self._foot())
        column.addWidget(self._foot_row)
        self._live = QLabel(self._card)
        self._live.setAccessibleName("Notices")
        self._live.resize(0, 0)
        self._live.hide()
        self._card.setStyleSheet(_card_style(self._tokens))

    def _template_row(self) -> QWidget:
        self._templates = QWidget()
        row = QHBoxLayout(self._templates)
        row.setContentsMargins(16, 0, 16, 6)
        choose = button("Choose a template…", "primary")
        choose.clicked.connect(self.choose_template_requested)
        row.addWidget(choose)
        row.addStretch(1)
        self._templates.hide()
        return self._templates

    def _foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 4, 12, 8)
        foot.setSpacing(8)
        self._attach = QToolButton()
        self._attach.setProperty("kind", "quiet")
        self._attach.setIcon(icon("paperclip", self._tokens.ink2, 18, self._tokens.ink3))
        self._attach.setIconSize(QSize(18, 18))
        self._attach.setAccessibleName("Attach a file")
        self._attach.setToolTip("Attach a file")
        self._status = ElidedLabel("", "secondary")
        self._counter = label("", "secondary")
        self._counter.setAccessibleName("Length of the text")
        self._send = button("Send", "primary")
        foot.addWidget(self._attach)
        foot.addWidget(self._status, 1)
        foot.addWidget(self._counter)
        foot.addWidget(self._send)
        return foot

    def _connect(self) -> None:
        presenter = self._presenter
        presenter.state_changed.connect(self._on_state_changed)
        presenter.text_replaced.connect(self._on_text_replaced)
        presenter.announced.connect(self._on_announced)
        self.edit.textChanged.connect(self._on_text_changed)
        self.edit.submit_requested.connect(lambda: self._submit(go_ahead=False))
        self.edit.file_offered.connect(self._on_file_offered)
        self._send.clicked.connect(lambda: self._submit(go_ahead=True))
        self._reason.edited.connect(presenter.answers.set_reason)
        self._reason.submitted.connect(lambda: self._submit(go_ahead=False))
        self._reason.left.connect(self.edit.setFocus)
        self._attach.clicked.connect(self.attach_requested)
        self._quote.removed.connect(lambda: presenter.set_quote(None))
        self._uploads.remove_requested.connect(presenter.uploads.remove)
        self._uploads.retry_requested.connect(presenter.uploads.retry)
        presenter.uploads.progressed.connect(self._uploads.show_percent)
        self._findings.fix_chosen.connect(self._on_fix_chosen)
        self._findings.offer_chosen.connect(self._on_offer_chosen)

    def _on_text_changed(self) -> None:
        if not self._setting_text:
            self._presenter.edit(self.edit.toPlainText())

    def _on_text_replaced(self, text: str) -> None:
        if self.edit.toPlainText() == text:
            return
        self._setting_text = True
        self.edit.setPlainText(text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)
        self._setting_text = False

    def _submit(self, *, go_ahead: bool) -> None:
        if self._presenter.submit(go_ahead=go_ahead):
            # The button is off by now: go on where the next message is written.
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        elif self._presenter.answers.asks_acknowledgement:
            self._send.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_file_offered(self, path: str) -> None:
        self._presenter.offer_file(path)

    def _on_fix_chosen(self, row: FindingRow, fix: Fix) -> None:
        if fix.kind is FixKind.MOVE:
            self.move_requested.emit(fix.replacement)
        elif fix.kind is FixKind.ADD_DISCLAIMER:
            self.edit.append_words(fix.replacement)
        else:
            # The verdict may lie behind the text: places count in the newest one alone.
            self._presenter.evaluate()
            rows = self._presenter.state().verdict.rows
            here = next((one for one in rows if one.key == row.key and one.words), None)
            if here is not None:
                gone = fix.kind is FixKind.REMOVE
                self.edit.replace_span(here.start, here.end, fix.replacement, closing_up=gone)

    def _on_offer_chosen(self, row: FindingRow, offer: Offer) -> None:
        answers = self._presenter.answers
        if offer is Offer.REASON:
            answers.ask_reason()
            return
        if offer is Offer.REMOVE_FILE:
            self._presenter.uploads.remove_content(row.file)
        elif offer is Offer.REPORT_FALSE:
            answers.report_false(row.answer_key)
        elif offer is Offer.TAKE_BACK:
            answers.take_back(row.answer_key, row.rule_id)
        elif offer is Offer.ACKNOWLEDGE:
            answers.acknowledge((row.answer_key,))
            if not self._presenter.state().verdict.to_acknowledge:
                self._submit(go_ahead=False)
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_announced(self, words: str) -> None:
        self._live.setText(words)
        event = QAccessibleAnnouncementEvent(self.edit, words)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)

    def _on_state_changed(self, state: ComposerState) -> None:
        facts = state.sendability
        writable = state.ready and facts.writable
        self.edit.setReadOnly(not writable)
        self.edit.setVisible(facts.writable or bool(self.edit.toPlainText()) or not state.ready)
        self.edit.setPlaceholderText("Write a message" if writable else "")
        self._note.setText(facts.note)
        self._note.setVisible(bool(facts.note))
        self._fault.setText(state.fault)
        self._fault.setVisible(bool(state.fault))
        self._templates.setVisible(state.ready and facts.gate is Gate.WINDOW_CLOSED)
        if state.verdict is not self._verdict:
            self._verdict = state.verdict
            self._findings.show_verdict(state.verdict)
        if not state.verdict_stale:
            # While the next verdict is being made, the marks of the last move with the text.
            self.edit.set_underlines(state.verdict.underlines)
        self._quote.show_quote(state.quote)
        self._uploads.show_uploads(state.uploads)
        self._attach.setVisible(writable and facts.attachments)
        self._status.set_full_text(state.status)
        self._counter.setText(state.counter)
        look = "error" if state.over_limit else "secondary"
        if self._counter.property("look") != look:
            restyle(self._counter, "look", look)
        self._reason.show_reason(state.asks_reason, state.reason, state.reason_note)
        self._foot_row.setVisible(writable or not state.ready)
        self._send.setText(state.send.label)
        self._send.setEnabled(state.send.enabled)
        self._send.setAccessibleName(state.send.label)
        self._send.setAccessibleDescription(state.send.reason)
        self._send.setToolTip(state.send.reason)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and self._attach.isVisible():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.edit.insertFromMimeData(event.mimeData())
        event.acceptProposedAction()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.edit.updateGeometry()


def _card_style(tokens: Tokens) -> str:
    return f"""
    QFrame#composerCard {{ background: {tokens.panel}; border: 1px solid {tokens.line};
      border-radius: 14px; }}
    QFrame[finding] {{ border: none; border-bottom: 1px solid {tokens.line}; }}
    QFrame[finding][top="true"] {{ border-top-left-radius: 13px; border-top-right-radius: 13px; }}
    QFrame[finding="block"] {{ background: {tokens.block_soft}; }}
    QFrame[finding="warn"] {{ background: {tokens.warn_soft}; }}
    QFrame[finding="hint"] {{ background: {tokens.accent_soft}; }}
    QPlainTextEdit {{ font-size: 14px; }}
    """
