"""The timeline of one conversation: text selected by mouse and keys, acts told by signals.

It never performs an act and never opens a link: whoever listens does, after asking.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QClipboard,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QMenu, QToolTip, QWidget

from app.domain.timeline import TimelineRow
from contract.ids import MessageId
from ui.delegates.bubble_layout import BubbleLayout, Hit
from ui.models.diffed_list_model import AnyIndex
from ui.models.message_words import ASK, CANCEL, EDIT, RECEIPT, SEND_AGAIN, UNDO, BubbleWords
from ui.models.timeline_items import TimelineItem
from ui.models.timeline_presenter import TimelinePresenter
from ui.theme.tokens import Tokens
from ui.theme.tool_tips import plain_tip
from ui.views.inbox_list import KEY_REASONS
from ui.views.timeline_acts import (
    CHANGES,
    COPY,
    COPY_LINK,
    DELIVERED,
    GIVE_UP,
    OPEN_LINK,
    REPLY,
    SAVE,
    Entry,
    menu_entries,
    question,
)
from ui.views.timeline_scroll import TimelineScroll
from ui.views.timeline_selection import TextSelection, everything, extended

_ACTIONS = QAbstractItemView.CursorAction
_MOVES: dict[int, QAbstractItemView.CursorAction] = {
    Qt.Key.Key_Up: _ACTIONS.MoveUp,
    Qt.Key.Key_Down: _ACTIONS.MoveDown,
    Qt.Key.Key_Home: _ACTIONS.MoveHome,
    Qt.Key.Key_End: _ACTIONS.MoveEnd,
}


class TimelineView(TimelineScroll):
    """Signals carry the message's id; `resolve_requested` also send_again, treat_as_delivered
    or give_up; `ask_requested` a text to propose; `file_save_requested` the Attachment;
    `change_requested` an act of timeline_acts.CHANGES, the message's id and maybe an emoji."""

    undo_requested = Signal(str)
    cancel_requested = Signal(str)
    edit_requested = Signal(str)
    resolve_requested = Signal(str, str)
    receipt_requested = Signal(str)
    reply_requested = Signal(str)
    ask_requested = Signal(str, str)
    file_save_requested = Signal(object)
    link_requested = Signal(str)
    change_requested = Signal(str, str, str)

    # Qt calls overrides while the base is still being built.
    _selection: TextSelection | None = None

    def __init__(
        self, presenter: TimelinePresenter, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(presenter, tokens, parent)
        self.setObjectName("timeline")
        self.setAccessibleName("Messages")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._pressed: tuple[int, Hit] | None = None
        self._dragging = False
        self._clicks = QTimer(self)
        self._clicks.setSingleShot(True)
        self._by_key = False
        self._on_chosen: Callable[[Entry], None] | None = None
        self._menu = QMenu(self)
        self._menu.triggered.connect(self._on_triggered)
        presenter.opened.connect(self._forget_selection)

    def selected_text(self) -> str:
        """Return the selected part of a message, "" when nothing is selected."""
        if self._selection is None:
            return ""
        layout = self._layout_of(self._selection.message_id)
        return layout.text.slice(*self._selection.span()) if layout is not None else ""

    def copy(self) -> None:
        """Put the selected text on the clipboard, the whole current message without one."""
        text = self.selected_text()
        if not text and self.currentIndex().isValid():
            words = self.presenter.model.words_at(self.currentIndex().row())
            text = words.text if words is not None else str(self.currentIndex().data() or "")
        if text:
            QGuiApplication.clipboard().setText(text)

    # -- what stands where ---------------------------------------------------------------------

    def _layout_at(self, number: int) -> BubbleLayout | None:
        words = self.presenter.model.words_at(number)
        if words is None:
            return None
        return self.bubbles.bubble(words, self.viewport().width(), self.isRightToLeft())

    def _layout_of(self, message_id: MessageId) -> BubbleLayout | None:
        return self._layout_at(self.presenter.model.number_of_message(message_id))

    def _row(self, number: int) -> TimelineRow | None:
        item = self.presenter.model.row_at(number)
        return item.row if isinstance(item, TimelineItem) else None

    def _within(self, number: int, point: QPointF) -> QPointF:
        rect = self.visualRect(self.presenter.model.index(number))
        return point - QPointF(rect.topLeft())

    def _hit(self, point: QPointF) -> tuple[int, Hit]:
        number = self.indexAt(point.toPoint()).row()
        layout = self._layout_at(number)
        if layout is None:
            return number, Hit()
        return number, layout.hit(self._within(number, point))

    def _url_at(self, number: int, point: QPointF) -> str:
        layout = self._layout_at(number)
        if layout is None:
            return ""
        link = layout.text.link_at(self._within(number, point) - layout.text_origin)
        return link.url if link is not None else ""

    def _position(self, number: int, point: QPointF) -> int:
        layout = self._layout_at(number)
        if layout is None:
            return 0
        return layout.text.position_at(self._within(number, point) - layout.text_origin)

    # -- selection -----------------------------------------------------------------------------

    def _select(self, selection: TextSelection | None) -> None:
        self._selection = selection
        self.bubbles.selection = None
        if selection is not None:
            self.bubbles.selection = (selection.message_id, *selection.span())
        self.viewport().update()

    def _forget_selection(self) -> None:
        self._pressed = None
        self._select(None)

    def _make_current(self, number: int, *, by_key: bool) -> None:
        self._by_key = by_key
        if number >= 0:
            self.setCurrentIndex(self.presenter.model.index(number))
        self._ring()

    def _ring(self) -> None:
        row = self._row(self.currentIndex().row()) if self.hasFocus() and self._by_key else None
        self.bubbles.ringed = row.message.message_id if row is not None else None
        self.viewport().update()

    # -- acts ----------------------------------------------------------------------------------

    def _perform(
        self, act: str, row: TimelineRow, words: BubbleWords, entry: Entry | None = None
    ) -> None:
        message_id = row.message.message_id
        plain = {
            UNDO: self.undo_requested,
            CANCEL: self.cancel_requested,
            EDIT: self.edit_requested,
            RECEIPT: self.receipt_requested,
            REPLY: self.reply_requested,
        }
        if act in plain:
            plain[act].emit(message_id)
        elif act in (SEND_AGAIN, DELIVERED, GIVE_UP):
            self.resolve_requested.emit(message_id, act)
        elif act == ASK:
            self.ask_requested.emit(message_id, question(words))
        elif act == COPY:
            self.copy()
        elif entry is not None and act in CHANGES:
            self.change_requested.emit(act, message_id, entry.value)
        elif entry is not None and act == SAVE:
            self.file_save_requested.emit(entry.file)
        elif entry is not None and act == OPEN_LINK:
            self.link_requested.emit(entry.url)
        elif entry is not None and act == COPY_LINK:
            QGuiApplication.clipboard().setText(entry.url)

    def _click(self, number: int, hit: Hit, point: QPointF) -> None:
        row, words = self._row(number), self.presenter.model.words_at(number)
        if hit.part is not None and row is not None and words is not None:
            self._perform(hit.part.act, row, words)
        elif hit.file is not None:
            self.file_save_requested.emit(hit.file)
        elif hit.what == "quote" and row is not None and row.message.quote is not None:
            self.jump_to(row.message.quote.message_id)
        elif url := self._url_at(number, point):
            self.link_requested.emit(url)

    def _perform_first(self, number: int) -> None:
        """Do what the message offers first, as Enter does."""
        row, words = self._row(number), self.presenter.model.words_at(number)
        if row is None or words is None:
            return
        acts = [part.act for part in (*words.footer, *words.below) if part.act]
        if acts:
            self._perform(acts[0], row, words)

    def _open_menu(self, number: int, at: QPoint, url: str) -> None:
        row, words = self._row(number), self.presenter.model.words_at(number)
        if row is None or words is None:
            return
        chosen, setting = self.selected_text(), self.presenter.model.setting
        entries = menu_entries(row, words, chosen, setting, url)
        self._on_chosen = lambda entry: self._perform(entry.act, row, words, entry)
        # One menu for good: deleting one that Python filled with actions has crashed Qt.
        self._menu.clear()
        for entry in entries:
            self._menu.addAction(entry.text).setData(entry)
        self._menu.popup(at)

    def _on_triggered(self, action: QAction) -> None:
        entry = action.data()
        if self._on_chosen is not None and isinstance(entry, Entry):
            self._on_chosen(entry)

    def _move(self, event: QKeyEvent) -> bool:
        """Go to another message, or a page up or down; tells whether the key was such a one."""
        bar = self.verticalScrollBar()
        if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            up = event.key() == Qt.Key.Key_PageUp
            bar.setValue(bar.value() + (-bar.pageStep() if up else bar.pageStep()))
            return True
        action = _MOVES.get(event.key())
        if action is None:
            return False
        index = self.moveCursor(action, event.modifiers())
        if index.isValid():
            self._make_current(index.row(), by_key=True)
            self.scrollTo(index)
        return True

    def _update_cursor(self, point: QPointF) -> None:
        number, hit = self._hit(point)
        shape = Qt.CursorShape.ArrowCursor
        if hit.what in ("part", "file", "quote"):
            shape = Qt.CursorShape.PointingHandCursor
        elif hit.what == "text":
            over_link = bool(self._url_at(number, point))
            shape = Qt.CursorShape.PointingHandCursor if over_link else Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)

    def _press_text(self, number: int, point: QPointF, extend: bool) -> None:
        row = self._row(number)
        if row is None:
            return
        message_id, position = row.message.message_id, self._position(number, point)
        known = self._selection
        if extend and known is not None and known.message_id == message_id:
            self._select(TextSelection(message_id, known.anchor, position))
        else:
            self._select(TextSelection(message_id, position, position))

    # -- Qt ------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        number, hit = self._hit(event.position())
        self._pressed, self._dragging = (number, hit), False
        self._make_current(number, by_key=False)
        layout, row = self._layout_at(number), self._row(number)
        if self._clicks.isActive() and layout is not None and row is not None:
            self._clicks.stop()
            self._pressed = None
            self._select(everything(row.message.message_id, layout.text))
        elif hit.what in ("text", "bubble"):
            extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._press_text(number, event.position(), extend)
        else:
            self._select(None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        held = bool(event.buttons() & Qt.MouseButton.LeftButton)
        if not held or self._pressed is None:
            self._update_cursor(event.position())
            return
        number, hit = self._pressed
        if self._selection is not None and hit.what in ("text", "bubble"):
            position = self._position(number, event.position())
            if position != self._selection.cursor:
                self._dragging = True
                chosen = self._selection
                self._select(TextSelection(chosen.message_id, chosen.anchor, position))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or self._pressed is None:
            return
        number, hit = self._pressed
        self._pressed = None
        if self._dragging:
            clipboard = QGuiApplication.clipboard()
            if clipboard.supportsSelection() and self.selected_text():
                clipboard.setText(self.selected_text(), QClipboard.Mode.Selection)
        elif self._hit(event.position()) == (number, hit):
            self._click(number, hit, event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        number, hit = self._hit(event.position())
        layout, row = self._layout_at(number), self._row(number)
        self._pressed = None
        if hit.what not in ("text", "bubble") or layout is None or row is None:
            return
        span = layout.text.word_at(self._position(number, event.position()))
        self._select(TextSelection(row.message.message_id, *span))
        self._clicks.start(QGuiApplication.styleHints().mouseDoubleClickInterval())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
            at = self.visualRect(index).center()
            self._open_menu(index.row(), self.viewport().mapToGlobal(at), "")
            return
        point = QPointF(event.pos())
        number, _hit = self._hit(point)
        row = self._row(number)
        if self._selection is not None and (
            row is None or row.message.message_id != self._selection.message_id
        ):
            self._select(None)
        self._make_current(number, by_key=False)
        self._open_menu(number, event.globalPos(), self._url_at(number, point))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = self.currentIndex().row()
        row, layout = self._row(number), self._layout_at(number)
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif (
            row is not None
            and layout is not None
            and event.matches(QKeySequence.StandardKey.SelectAll)
        ):
            self._select(everything(row.message.message_id, layout.text))
        elif (
            row is not None
            and layout is not None
            and (chosen := extended(event, self._selection, row.message.message_id, layout.text))
        ):
            self._select(chosen)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._perform_first(number)
        elif event.key() == Qt.Key.Key_Escape and self._selection is not None:
            self._select(None)
        elif not self._move(event):
            event.ignore()

    def currentChanged(self, current: AnyIndex, previous: AnyIndex) -> None:
        super().currentChanged(current, previous)
        row = self._row(current.row())
        if self._selection is not None and (
            row is None or row.message.message_id != self._selection.message_id
        ):
            self._select(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._by_key = by_key = event.reason() in KEY_REASONS
        if by_key and not self.currentIndex().isValid():
            self._make_current(self.presenter.model.rowCount() - 1, by_key=True)
        self._ring()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._ring()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self.indexAt(event.pos()).row()
            layout = self._layout_at(number)
            part = layout and layout.part_at(self._within(number, QPointF(event.pos())))
            QToolTip.showText(event.globalPos(), plain_tip(part.text) if part else "", self)
            return True
        return super().viewportEvent(event)
