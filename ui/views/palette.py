"""The palette over the window (Ctrl/⌘ K): one field, one list of people, messages, actions.

It never searches and never carries out what was chosen.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from ui.delegates.palette_delegate import HEIGHT_PX, PaletteDelegate
from ui.models.palette_rows import UNCHOSEN, PaletteKind, PaletteRow
from ui.models.search_presenter import SearchPresenter
from ui.theme.icons import icon_pixmap
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.widgets import hairline, label
from ui.views.backdrop import Backdrop

_WIDTH_PX = 780
_HEIGHT_PX = 562
_BELOW_ROWS_PX = 14
# Tab stays within: everything else is covered while the palette is open.
_STEPS = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Backtab: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Tab: 1,
    Qt.Key.Key_PageUp: -8,
    Qt.Key.Key_PageDown: 8,
}


class _Rows(QListView):
    """Fills its ground by itself: new rows do not have the whole window painted beneath them."""

    def __init__(self) -> None:
        super().__init__()
        self.ground = QColor()
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), self.ground)
        painter.end()
        super().paintEvent(event)


class Palette(QWidget):
    """Covers its parent while open; Esc or a click beside the card closes it.

    `covering` comes when it opens, with each key and when it closes.
    """

    chosen = Signal(object)
    covering = Signal(bool)

    def __init__(self, presenter: SearchPresenter, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self._presenter = presenter
        self._tokens = tokens
        self._covered = parent
        self._focus_before: QWidget | None = None
        self._backdrop = Backdrop()
        self._retake = QTimer(self)
        self._retake.setSingleShot(True)
        self._retake.setInterval(0)
        self._retake.timeout.connect(self._take_backdrop)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Search")
        self._build()
        presenter.model.modelReset.connect(self._on_rows_changed)
        presenter.merging.connect(self._on_merging)
        presenter.merged.connect(self._on_merged)
        presenter.foot_changed.connect(self._foot.setText)
        presenter.spoken.connect(self._say)
        self._chosen_top_px = 0
        parent.installEventFilter(self)
        self.set_tokens(tokens)
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self._delegate.set_tokens(tokens)
        self._glass.setPixmap(icon_pixmap("search", tokens.ink, 20, 2.0))
        self._card.setStyleSheet(
            f"QFrame#paletteCard {{ background: {tokens.panel}; border: 1px solid {tokens.line};"
            " border-radius: 16px; } QLineEdit { font-size: 17px; }"
            f"QListView {{ background: {tokens.panel}; border: none; }}"
        )
        self.list.ground = QColor(tokens.panel)
        self.on_covered_changed()

    def open(self, text: str = "") -> None:
        """Show the palette with `text` asked."""
        if not self.isVisible():
            self._focus_before = self.window().focusWidget()
            self.covering.emit(True)
        self._presenter.reset()
        self.field.setText(text)
        self._place()
        self._backdrop.take(self._covered, self)
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._on_rows_changed()

    def close_palette(self) -> None:
        """Hide the palette and give the focus back."""
        if self.isVisible():
            self.hide()
            self._backdrop.drop()
            self.covering.emit(False)
            if self._focus_before is not None:
                self._focus_before.setFocus(Qt.FocusReason.OtherFocusReason)
            self._focus_before = None

    def on_covered_changed(self) -> None:
        """Show the window beneath as it is now, once it has taken what changed."""
        if self.isVisible():
            self._retake.start()

    def _take_backdrop(self) -> None:
        if self.isVisible():
            self._backdrop.take(self._covered, self)
            self.update()

    def _build(self) -> None:
        self._card = QFrame(self)
        self._card.setObjectName("paletteCard")
        column = QVBoxLayout(self._card)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        top = QHBoxLayout()
        top.setContentsMargins(20, 14, 20, 14)
        top.setSpacing(12)
        self._glass = QLabel()
        self.field = QLineEdit()
        self.field.setProperty("bare", True)
        self.field.setAccessibleName("Search people, messages and actions")
        self.field.setPlaceholderText("Search people, messages and actions")
        self.field.textChanged.connect(self._on_typed)
        self.field.installEventFilter(self)
        top.addWidget(self._glass)
        top.addWidget(self.field, 1)
        top.addWidget(label("Esc", "keycap"))
        column.addLayout(top)
        column.addWidget(hairline())
        column.addWidget(self._list(), 1)
        column.addWidget(hairline())
        self._foot = label(self._presenter.foot, "meta")
        self._foot.setContentsMargins(20, 8, 20, 10)
        column.addWidget(self._foot)

    def _list(self) -> _Rows:
        self._delegate = PaletteDelegate(self._presenter.model, self._tokens, self)
        self.list = _Rows()
        self.list.setModel(self._presenter.model)
        self.list.setItemDelegate(self._delegate)
        self.list.setAccessibleName("Search results")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        OverlayScrollBar(self.list)
        self.list.clicked.connect(self._on_activated)
        return self.list

    def _place(self) -> None:
        parent = self._covered
        self.setGeometry(parent.rect())
        width = min(_WIDTH_PX, parent.width() - 48)
        room = min(_HEIGHT_PX, parent.height() - 80)
        top = min(90, (parent.height() - room) // 2)
        # As high as its rows, no higher than the room.
        around = self._card.sizeHint().height() - self.list.sizeHint().height()
        height = around + _BELOW_ROWS_PX
        for row in self._presenter.model.rows():
            if height >= room:
                break
            height += HEIGHT_PX[row.kind]
        self._card.setGeometry((parent.width() - width) // 2, top, width, min(room, height))

    def _on_rows_changed(self) -> None:
        self._place()
        first = self._presenter.model.first_choice()
        if first >= 0:
            self.list.setCurrentIndex(self._presenter.model.index(first, 0))
            self.list.scrollToTop()
        notes = [row.title for row in self._presenter.model.rows() if row.kind is PaletteKind.NOTE]
        if notes and self.isVisible():
            self._say(" ".join(notes))

    def _on_typed(self, text: str) -> None:
        self._presenter.set_text(text, self.field.cursorPosition())
        if self.isVisible():
            self.covering.emit(True)

    def _on_merging(self) -> None:
        self._chosen_top_px = self.list.visualRect(self.list.currentIndex()).top()

    def _on_merged(self) -> None:
        """Keep the chosen row where it stands: what was found later came around it."""
        self._place()
        current = self.list.currentIndex()
        if not current.isValid():
            self._on_rows_changed()
            return
        moved_px = self.list.visualRect(current).top() - self._chosen_top_px
        bar = self.list.verticalScrollBar()
        bar.setValue(bar.value() + moved_px)

    def _say(self, words: str) -> None:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.field, words))

    def _on_activated(self, index: QModelIndex) -> None:
        row = self._presenter.model.row_at(index.row())
        if row is None or row.kind in UNCHOSEN:
            return
        if row.kind is PaletteKind.MORE:
            self._presenter.show_more()
        elif row.kind is PaletteKind.CHOICE:
            self._complete(row)
        else:
            self.close_palette()
            self.chosen.emit(row)

    def _complete(self, row: PaletteRow) -> None:
        self.field.setText(self._presenter.completed(row.title))
        self._say(row.title)

    def _step(self, by: int) -> None:
        model = self._presenter.model
        at = self.list.currentIndex().row()
        target, sign = at, 1 if by > 0 else -1
        for _ in range(abs(by)):
            probe = target + sign
            while (row := model.row_at(probe)) is not None and row.kind in UNCHOSEN:
                probe += sign
            if model.row_at(probe) is None:
                break
            target = probe
        if target >= 0:
            index = model.index(target, 0)
            self.list.setCurrentIndex(index)
            # The focus stays in the field: say aloud what is chosen in the list.
            self._say(str(index.data(Qt.ItemDataRole.AccessibleTextRole) or ""))

    def _on_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.close_palette()
        elif key == Qt.Key.Key_Tab and (choice := self._presenter.model.first_completion()):
            self._complete(choice)
        elif key in _STEPS:
            self._step(_STEPS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_activated(self.list.currentIndex())
        else:
            return False
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._covered and event.type() == QEvent.Type.Resize:
            self._place()
            self.on_covered_changed()
        if (
            watched is self.field
            and event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
        ):
            return self._on_key(event)
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point: QPoint = event.position().toPoint()
        if not self._card.geometry().contains(point):
            self.close_palette()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._backdrop.paint(painter, event.rect())
        painter.end()
