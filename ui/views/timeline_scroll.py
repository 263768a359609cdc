"""The scrolling list of rows under a timeline: layout, painting, keeping the place, paging.

It never handles clicks, selection or acts: timeline_view.py adds them.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from ui.views.newest_button import NewestButton
from ui.views.timeline_rows import TimelineRows

_HIGHLIGHT_MS = 1600


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
        self.rows = TimelineRows(
            self, presenter.model, self.bubbles, lambda: not presenter.has_newer
        )
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
        self.newest = NewestButton(self)
        self.newest.clicked.connect(self.scroll_to_end)
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
        return self.rows.at_end

    def scroll_to_end(self) -> None:
        """Show the newest rows, loading them when they are not in the window."""
        if self.presenter.has_newer:
            self.presenter.jump_to(None)
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
        model.dataChanged.connect(self._on_data_changed)
        self.presenter.opening.connect(self.rows.hold)
        self.presenter.opened.connect(self._on_opened)
        self.presenter.found.connect(self._on_found)
        self.presenter.window_changed.connect(self._on_window_changed)
        bar = self.verticalScrollBar()
        bar.setSingleStep(24)
        bar.valueChanged.connect(self._on_scrolled)

    def _on_data_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        if not self.rows.change(first.row(), last.row()):
            for number in range(first.row(), last.row() + 1):
                self.viewport().update(self.visualRect(self.presenter.model.index(number)))

    def _on_opened(self) -> None:
        # Nothing was seen yet: the view may still jump to a message that was asked for.
        self._seen_utc_ms, self._seen_told = 0, (0, False)
        self.rows.begin(self.presenter.model.number_of(("new",)), 8)

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

    def _on_scrolled(self) -> None:
        if not self.rows.is_moving:
            self.rows.scrolled()
            self._look()

    def _look(self) -> None:
        """Ask for rows that are about to be needed, and tell how far the user has seen."""
        self.presenter.follows = self.rows.at_end
        self.newest.offer(not self.rows.at_end and self.rows.geometry.count() > 0)
        bar = self.verticalScrollBar()
        near = max(200, self.viewport().height())
        if not self.isVisible() or not self.rows.geometry.count():
            return
        if bar.value() < near:
            self.presenter.load(older=True)
        if bar.value() > bar.maximum() - near:
            self.presenter.load(older=False)
        if not self.window().isActiveWindow():
            return
        for number in reversed(self.rows.geometry.visible(bar.value())):
            row = self.presenter.model.row_at(number)
            if row is None or row.row is None or row.row.message.direction is Direction.OUT:
                continue
            self._seen_utc_ms = max(self._seen_utc_ms, row.row.message.place_at_utc_ms)
            break
        told = (self._seen_utc_ms, self.rows.at_end and not self.presenter.has_newer)
        if told != self._seen_told:
            self._seen_told = told
            self.seen.emit(*told)

    # -- Qt ------------------------------------------------------------------------------------

    def visualRect(self, index: AnyIndex) -> QRect:
        if not index.isValid() or index.row() >= self.rows.geometry.count():
            return QRect()
        top = self.rows.geometry.top(index.row()) - self.verticalScrollBar().value()
        height = self.rows.geometry.height(index.row())
        return QRect(0, top, self.viewport().width(), height)

    def scrollTo(
        self,
        index: AnyIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        if not index.isValid() or index.row() >= self.rows.geometry.count():
            return
        height, view_px = self.rows.measure(index.row()), self.viewport().height()
        rect = self.visualRect(index)
        if hint is QAbstractItemView.ScrollHint.PositionAtCenter:
            self.rows.show(index.row(), (view_px - height) // 2)
        elif rect.top() < 0 or height > view_px:
            self.rows.show(index.row(), 8)
        elif rect.bottom() > view_px:
            self.rows.show(index.row(), view_px - height - 8)
        self._look()

    def indexAt(self, point: QPoint) -> QModelIndex:
        number = self.rows.geometry.row_at(point.y() + self.verticalScrollBar().value())
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
        if action is actions.MoveHome and self.presenter.has_older:
            self.presenter.jump_to_moment(0)
            return self.currentIndex()
        if action is actions.MoveEnd and self.presenter.has_newer:
            self.presenter.jump_to(None)
            return self.currentIndex()
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

    def dataChanged(self, first: AnyIndex, last: AnyIndex, roles: Sequence[int] = ()) -> None:
        # QListView would have all rows laid out, and so painted, anew: `rows` knows which move.
        QAbstractItemView.dataChanged(self, first, last, list(roles))

    def doItemsLayout(self) -> None:
        self.updateGeometries()
        self.viewport().update()

    def updateGeometries(self) -> None:
        self.verticalScrollBar().setRange(0, self.rows.geometry.scroll_range())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rows.resize()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._end_highlight()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        clip = event.rect()
        painter.fillRect(clip, qcolor(self._ground))
        for number in self.rows.geometry.visible(self.verticalScrollBar().value()):
            index = self.presenter.model.index(number)
            rect = self.visualRect(index)
            if rect.intersects(clip):
                option.rect = rect
                self.bubbles.paint(painter, option, QPersistentModelIndex(index))
        painter.end()
