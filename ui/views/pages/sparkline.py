"""Paints a row of figures as one thin line.

It shows no scale: the card beside it holds the figure.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from ui.theme.tokens import Tokens, qcolor


class Sparkline(QWidget):
    """24 pixels high; with fewer than two values it stays empty."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._values: tuple[float, ...] = ()
        self.setFixedHeight(24)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self.update()

    def set_values(self, values: Sequence[float]) -> None:
        """Show other values, oldest first."""
        self._values = tuple(values)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if len(self._values) < 2:
            return
        low, high = min(self._values), max(self._values)
        reach = (high - low) or 1.0
        step = (self.width() - 4) / (len(self._values) - 1)
        points = [
            QPointF(2 + number * step, 21 - 18 * (value - low) / reach)
            for number, value in enumerate(self._values)
        ]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(qcolor(self._tokens.accent), 1.5))
        painter.drawPolyline(QPolygonF(points))
        painter.end()
