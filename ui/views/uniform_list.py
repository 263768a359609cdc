"""A list whose rows are all of one height, so that ten thousand of them cost what a screen does.

It never asks a row for anything before that row shows: QListView asks each one on every change.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
)
from PySide6.QtGui import QHoverEvent, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyleOptionViewItem,
    QWidget,
)

AnyIndex = QModelIndex | QPersistentModelIndex
_HINTS = QAbstractItemView.ScrollHint
_STATES = QStyle.StateFlag
_ACTIONS = QAbstractItemView.CursorAction
_STEPS = {
    _ACTIONS.MoveUp: -1,
    _ACTIONS.MovePrevious: -1,
    _ACTIONS.MoveDown: 1,
    _ACTIONS.MoveNext: 1,
}


class UniformList(QListView):
    """A list to screen readers and for keys and clicks, laid out by one multiplication."""

    def __init__(self, row_height_px: int, parent: QWidget | None = None) -> None:
        self._row_height_px = row_height_px
        self._hovered = -1
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(20)

    def shown_rows(self) -> range:
        """Return the numbers of the rows that show, in part or whole."""
        top, count = self.verticalScrollBar().value(), self._count()
        first = top // self._row_height_px
        last = (top + max(1, self.viewport().height()) - 1) // self._row_height_px
        return range(min(first, count), min(last + 1, count))

    def _count(self) -> int:
        model: QAbstractItemModel | None = self.model()  # Qt has none at first
        return 0 if model is None else model.rowCount()

    def _rect(self, number: int) -> QRect:
        top = number * self._row_height_px - self.verticalScrollBar().value()
        return QRect(0, top, self.viewport().width(), self._row_height_px)

    def _hover(self, number: int) -> None:
        if number != self._hovered:
            for one in (self._hovered, number):
                if one >= 0:
                    self.viewport().update(self._rect(one))
            self._hovered = number

    def _state(self, index: QModelIndex, plain: QStyle.StateFlag) -> QStyle.StateFlag:
        state = plain & ~(_STATES.State_HasFocus | _STATES.State_MouseOver)
        if self.selectionModel().isSelected(index):
            state |= _STATES.State_Selected
        if index.row() == self._hovered:
            state |= _STATES.State_MouseOver
        if self.hasFocus() and index == self.currentIndex():
            state |= _STATES.State_HasFocus
        return state

    # -- Qt ------------------------------------------------------------------------------------

    def dataChanged(self, first: AnyIndex, last: AnyIndex, roles: Sequence[int] = ()) -> None:
        # QListView would have all rows laid out, and so painted, anew.
        QAbstractItemView.dataChanged(self, first, last, list(roles))

    def visualRect(self, index: AnyIndex) -> QRect:
        return self._rect(index.row()) if index.isValid() else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        number = (point.y() + self.verticalScrollBar().value()) // self._row_height_px
        inside = 0 <= number < self._count() and 0 <= point.x() < self.viewport().width()
        return self.model().index(number, 0) if inside else QModelIndex()

    def scrollTo(
        self,
        index: AnyIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        if not index.isValid():
            return
        bar, room_px = self.verticalScrollBar(), self.viewport().height()
        top = index.row() * self._row_height_px
        bottom = top + self._row_height_px
        if hint is _HINTS.PositionAtCenter:
            bar.setValue(top - (room_px - self._row_height_px) // 2)
        elif hint is _HINTS.PositionAtTop or top < bar.value():
            bar.setValue(top)
        elif hint is _HINTS.PositionAtBottom or bottom > bar.value() + room_px:
            bar.setValue(bottom - room_px)

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        last, current = self._count() - 1, self.currentIndex().row()
        if last < 0:
            return QModelIndex()
        page = max(1, self.viewport().height() // self._row_height_px - 1)
        steps = {**_STEPS, _ACTIONS.MovePageUp: -page, _ACTIONS.MovePageDown: page}
        if action is _ACTIONS.MoveHome or current < 0:
            number = 0
        elif action is _ACTIONS.MoveEnd:
            number = last
        else:
            number = min(max(current + steps.get(action, 0), 0), last)
        return self.model().index(number, 0)

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: AnyIndex) -> bool:
        return False

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        index = self.indexAt(QPoint(0, rect.center().y()))
        self.selectionModel().select(index, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        region = QRegion()
        for index in selection.indexes():
            region += self._rect(index.row())
        return region

    def keyboardSearch(self, search: str) -> None:
        """Letters choose nothing: Qt would ask every row, and most are not even loaded."""

    def doItemsLayout(self) -> None:
        QAbstractItemView.doItemsLayout(self)

    def updateGeometries(self) -> None:
        bar, room_px = self.verticalScrollBar(), self.viewport().height()
        bar.setPageStep(max(1, room_px - self._row_height_px))
        bar.setRange(0, max(0, self._count() * self._row_height_px - room_px))

    def viewportEvent(self, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.HoverMove, QEvent.Type.HoverEnter):
            if isinstance(event, QHoverEvent):
                self._hover(self.indexAt(event.position().toPoint()).row())
        elif kind in (QEvent.Type.HoverLeave, QEvent.Type.Leave):
            self._hover(-1)
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        plain, clip = option.state, event.rect()
        delegate, model = self.itemDelegate(), self.model()
        for number in self.shown_rows():
            rect = self._rect(number)
            if rect.intersects(clip):
                index = model.index(number, 0)
                option.rect, option.state = rect, self._state(index, plain)
                delegate.paint(painter, option, index)
        painter.end()
