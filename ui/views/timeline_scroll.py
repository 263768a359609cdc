"""The scrolling list of rows under a timeline: layout, painting, keeping the place, paging.

It never handles clicks, selection or acts: timeline_view.py adds them.
"""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyleOptionViewItem, QWidget

from contract.ids import MessageId
from contract.wire import Direction
from ui.delegates.bubble_delegate import BubbleDelegate
from ui.models.diffed_list_model import AnyIndex
from ui.models.timeline_items import ItemKind
from ui.models.timeline_presenter import TimelinePresenter
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens, qcolor
from ui.views.timeline_geometry import Anchor, RowGeometry

_HIGHLIGHT_MS = 1600
_AT_END_PX = 4


class TimelineScroll(QListView):
    """A list to screen readers, though laid out by itself: QListView measures all rows anew.

    Rows stand at the bottom, stay there while it is at the bottom, keep their place else.
    """

    # The place of the newest client message seen, and whether all there is was seen.
    seen = Signal(object, bool)

    def __init__(
        self, presenter: TimelinePresenter, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.presenter = presenter
        self.bubbles = BubbleDelegate(tokens, self)
        self._ground = tokens.background
        self.geometry_of_rows = RowGeometry()
        self._anchors: list[Anchor] = []
        self._at_end = True
        self._settling = False
        self._seen_utc_ms = 0
        self._seen_told = (0, False)
        self._highlight_timer = QTimer(self)
        self._highlight_timer.setSingleShot(True)
        self._highlight_timer.setInterval(_HIGHLIGHT_MS)
        self._highlight_timer.timeout.connect(self._end_highlight)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("pane", "background")
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAutoScroll(False)
        OverlayScrollBar(self)
        self.setItemDelegate(self.bubbles)
        self.setModel(presenter.model)
        self._connect()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._ground = tokens.background
        self.bubbles.set_tokens(tokens)
        self.viewport().update()

    def is_at_end(self) -> bool:
        """Tell whether the newest message is at the bottom of the view."""
        return self._at_end

    def scroll_to_end(self) -> None:
        """Show the newest rows, loading them when they are not in the window."""
        if self.presenter.has_newer:
            self.presenter.jump_to_newest()
        else:
            self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def jump_to(self, message_id: MessageId) -> None:
        """Show a message of this conversation in the middle and highlight it for a moment."""
        self.presenter.jump_to(message_id)

    def look_again(self) -> None:
        """Tell anew how far the user has seen: the window came to the front."""
        self._seen_told = (0, False)
        self._look()

    # -- what happens --------------------------------------------------------------------------

    def _connect(self) -> None:
        model = self.presenter.model
        model.rowsInserted.connect(self._on_rows_changed)
        model.rowsRemoved.connect(self._on_rows_changed)
        model.rowsMoved.connect(self._on_rows_changed)
        model.dataChanged.connect(self._on_data_changed)
        self.presenter.opened.connect(self._on_opened)
        self.presenter.found.connect(self._on_found)
        self.presenter.window_changed.connect(self._on_window_changed)
        bar = self.verticalScrollBar()
        bar.setSingleStep(24)
        bar.valueChanged.connect(self._on_scrolled)

    def _keys(self) -> list[Hashable]:
        return [row.key for row in self.presenter.model.rows()]

    @staticmethod
    def _is_message(key: Hashable) -> bool:
        return isinstance(key, tuple) and key[0] == "m"

    def _on_rows_changed(self) -> None:
        self._settle()

    def _on_data_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        width, mirrored = self.viewport().width(), self.isRightToLeft()
        same = last.row() < self.geometry_of_rows.count() and all(
            self.bubbles.row_height(self.presenter.model.index(number), width, mirrored)
            == self.geometry_of_rows.height(number)
            for number in range(first.row(), last.row() + 1)
        )
        if not same:
            self._settle()
        for number in range(first.row(), last.row() + 1):
            self.viewport().update(self.visualRect(self.presenter.model.index(number)))

    def _on_opened(self) -> None:
        self._at_end = True
        self._seen_utc_ms, self._seen_told = 0, (0, False)
        self._settle()
        # Nothing was seen yet: the view may still jump to a message that was asked for.
        self._show_new_mark()

    def _show_new_mark(self) -> None:
        number = self.presenter.model.number_of(("new",))
        top = self.geometry_of_rows.top(number) if number >= 0 else -1
        if 0 <= top < self.verticalScrollBar().value():
            self.verticalScrollBar().setValue(top - 8)

    def _on_found(self, message_id: str) -> None:
        number = self.presenter.model.number_of_message(MessageId(message_id))
        if number < 0:
            return
        index = self.presenter.model.index(number)
        self.setCurrentIndex(index)
        self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        self.bubbles.highlighted = MessageId(message_id)
        self._highlight_timer.start()
        self.viewport().update()

    def _end_highlight(self) -> None:
        self.bubbles.highlighted = None
        self.viewport().update()

    def _on_window_changed(self) -> None:
        self._look()

    def _settle(self) -> None:
        """Lay the rows out anew and put them where they were."""
        model, width = self.presenter.model, self.viewport().width()
        mirrored = self.isRightToLeft()
        heights = [
            self.bubbles.row_height(model.index(number), width, mirrored)
            for number in range(model.rowCount())
        ]
        self._settling = True
        try:
            self.geometry_of_rows.set_heights(heights, self.viewport().height())
            bar = self.verticalScrollBar()
            bar.setPageStep(max(1, self.viewport().height() - 40))
            bar.setRange(0, self.geometry_of_rows.scroll_range())
            kept = self.geometry_of_rows.scroll_for(self._keys(), self._anchors)
            if self._at_end:
                bar.setValue(bar.maximum())
            elif kept is not None:
                bar.setValue(kept)
        finally:
            self._settling = False
        self._remember()
        self.viewport().update()

    def _remember(self) -> None:
        bar = self.verticalScrollBar()
        if self.geometry_of_rows.count() == len(self.presenter.model.rows()):
            anchors = self.geometry_of_rows.anchors(self._keys(), bar.value())
            # A day stays above its first message whatever comes between: no place to keep.
            self._anchors = [anchor for anchor in anchors if self._is_message(anchor.key)]

    def _on_scrolled(self, value: int) -> None:
        if self._settling:
            return
        bottom = value >= self.verticalScrollBar().maximum() - _AT_END_PX
        self._at_end = bottom and not self.presenter.has_newer
        self._remember()
        self._look()

    def _look(self) -> None:
        """Ask for rows that are about to be needed, and tell how far the user has seen."""
        bar = self.verticalScrollBar()
        near = max(200, self.viewport().height())
        if not self.isVisible() or not self.geometry_of_rows.count():
            return
        if bar.value() < near:
            self.presenter.load_older()
        if bar.value() > bar.maximum() - near:
            self.presenter.load_newer()
        if not self.window().isActiveWindow():
            return
        for number in reversed(self.geometry_of_rows.visible(bar.value())):
            row = self.presenter.model.row_at(number)
            if row is None or row.row is None or row.row.message.direction is Direction.OUT:
                continue
            self._seen_utc_ms = max(self._seen_utc_ms, row.row.message.place_at_utc_ms)
            break
        told = (self._seen_utc_ms, self._at_end and not self.presenter.has_newer)
        if told != self._seen_told:
            self._seen_told = told
            self.seen.emit(*told)

    # -- Qt ------------------------------------------------------------------------------------

    def visualRect(self, index: AnyIndex) -> QRect:
        if not index.isValid() or index.row() >= self.geometry_of_rows.count():
            return QRect()
        top = self.geometry_of_rows.top(index.row()) - self.verticalScrollBar().value()
        height = self.geometry_of_rows.height(index.row())
        return QRect(0, top, self.viewport().width(), height)

    def scrollTo(
        self,
        index: AnyIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        rect = self.visualRect(index)
        bar, height = self.verticalScrollBar(), self.viewport().height()
        if rect.isNull():
            return
        if hint is QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + rect.center().y() - height // 2)
        elif rect.top() < 0 or rect.height() > height:
            bar.setValue(bar.value() + rect.top() - 8)
        elif rect.bottom() > height:
            bar.setValue(bar.value() + rect.bottom() - height + 8)

    def indexAt(self, point: QPoint) -> QModelIndex:
        number = self.geometry_of_rows.row_at(point.y() + self.verticalScrollBar().value())
        return self.presenter.model.index(number) if number >= 0 else QModelIndex()

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        model = self.presenter.model
        actions = QAbstractItemView.CursorAction
        last = model.rowCount() - 1
        steps = {actions.MoveUp: -1, actions.MovePrevious: -1, actions.MoveDown: 1}
        step = steps.get(action, 1 if action is actions.MoveNext else 0)
        current = self.currentIndex().row()
        if action is actions.MoveHome:
            number, step = 0, 1
        elif action is actions.MoveEnd or current < 0:
            number, step = last, -1
        else:
            number = current + step
        while 0 <= number <= last:
            row = model.row_at(number)
            if row is not None and row.kind in (ItemKind.BUBBLE, ItemKind.SYSTEM):
                return model.index(number)
            number += step or 1
        return self.currentIndex()

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: AnyIndex) -> bool:
        return False

    def setSelection(self, rect: QRect, command: object) -> None:
        """Rows are never selected, only text within them."""

    def visualRegionForSelection(self, selection: object) -> QRegion:
        return QRegion()

    def doItemsLayout(self) -> None:
        self.updateGeometries()
        self.viewport().update()

    def updateGeometries(self) -> None:
        self.verticalScrollBar().setRange(0, self.geometry_of_rows.scroll_range())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._end_highlight()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        clip = event.rect()
        painter.fillRect(clip, qcolor(self._ground))
        for number in self.geometry_of_rows.visible(self.verticalScrollBar().value()):
            index = self.presenter.model.index(number)
            rect = self.visualRect(index)
            if rect.intersects(clip):
                option.rect = rect
                self.bubbles.paint(painter, option, QPersistentModelIndex(index))
        painter.end()
