"""A picture of what a widget covers, dimmed: painted once instead of beneath each change above it.

It never keeps its picture longer than the cover stands, and shows nothing that is gone: whoever
covers takes it anew when the window changed.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

DIM = QColor(10, 16, 26, 120)


class Backdrop:
    """The picture, or none."""

    def __init__(self) -> None:
        self._picture: QPixmap | None = None

    def take(self, covered: QWidget, cover: QWidget) -> None:
        """Paint `covered` with its children, but not `cover`, into the picture."""
        ratio = covered.devicePixelRatioF()
        picture = QPixmap(covered.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(covered.palette().color(covered.backgroundRole()))
        alone = QWidget.RenderFlag.DrawWindowBackground
        covered.render(picture, QPoint(), QRect(), alone)
        for child in covered.children():
            if isinstance(child, QWidget) and child is not cover and child.isVisible():
                child.render(picture, child.pos())
        painter = QPainter(picture)
        painter.fillRect(covered.rect(), DIM)
        painter.end()
        self._picture = picture

    def drop(self) -> None:
        """Let the picture go."""
        self._picture = None

    def paint(self, painter: QPainter, part: QRect) -> None:
        """Paint a part of the picture, in the cover's own coordinates."""
        if self._picture is None:
            painter.fillRect(part, Qt.GlobalColor.black)
            return
        ratio = self._picture.devicePixelRatioF()
        source = QRect(part.topLeft() * ratio, part.size() * ratio)
        painter.drawPixmap(part, self._picture, source)
