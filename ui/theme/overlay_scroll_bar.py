"""Owns scroll bars that lie over what they scroll and so take no room from it.

It never scrolls by itself: it mirrors the area's own, hidden bar.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractScrollArea, QScrollBar

WIDTH_PX = 10


class OverlayScrollBar(QScrollBar):
    """A vertical bar at the trailing edge of `area`, there only while there is more to see."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(Qt.Orientation.Vertical, area)
        self._area = area
        self._own = area.verticalScrollBar()
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Scroll")
        # The keyboard scrolls the area itself.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._own.rangeChanged.connect(self._follow)
        self._own.valueChanged.connect(self.setValue)
        self.valueChanged.connect(self._own.setValue)
        area.installEventFilter(self)
        self._follow()

    def _follow(self) -> None:
        self.blockSignals(True)
        self.setRange(self._own.minimum(), self._own.maximum())
        self.setPageStep(self._own.pageStep())
        self.setSingleStep(self._own.singleStep())
        self.setValue(self._own.value())
        self.blockSignals(False)
        self.setVisible(self.maximum() > self.minimum())
        self._place()

    def _place(self) -> None:
        inside = self._area.contentsRect()
        mirrored = self._area.isRightToLeft()
        left = inside.left() if mirrored else inside.right() + 1 - WIDTH_PX
        self.setGeometry(left, inside.top(), WIDTH_PX, inside.height())
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutDirectionChange):
            self._follow()
        return super().eventFilter(watched, event)
