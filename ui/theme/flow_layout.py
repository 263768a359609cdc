"""Owns a layout that sets its widgets side by side and begins a new line where they end.

It never makes a widget narrower than it wants to be.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QStyle, QWidget


class FlowLayout(QLayout):
    """Lines of widgets from the leading edge on, `gap_px` apart."""

    def __init__(self, gap_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gap_px = gap_px
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)

    def count(self) -> int:
        """Return how many widgets there are."""
        return len(self._items)

    def _lay_out(self, rect: QRect, *, place: bool) -> int:
        """Walk through the lines within `rect`; return their height in pixels."""
        at, line_px = rect.topLeft(), 0
        for item in self._items:
            size = item.sizeHint()
            if at.x() > rect.left() and at.x() + size.width() > rect.right() + 1:
                at, line_px = QPoint(rect.left(), at.y() + line_px), 0
            if place:
                home = self.parentWidget()
                mirrored = home.layoutDirection() if home else Qt.LayoutDirection.LeftToRight
                item.setGeometry(QStyle.visualRect(mirrored, rect, QRect(at, size)))
            at = QPoint(at.x() + size.width() + self._gap_px, at.y())
            line_px = max(line_px, size.height())
        return at.y() + line_px - rect.top()

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lay_out(QRect(0, 0, width, 0), place=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._lay_out(rect, place=True)

    def sizeHint(self) -> QSize:
        sizes = [item.sizeHint() for item in self._items]
        gaps_px = self._gap_px * max(0, len(sizes) - 1)
        width = sum(size.width() for size in sizes) + gaps_px
        return QSize(width, max((size.height() for size in sizes), default=0))

    def minimumSize(self) -> QSize:
        sizes = [item.minimumSize() for item in self._items]
        return QSize(
            max((size.width() for size in sizes), default=0),
            max((size.height() for size in sizes), default=0),
        )
