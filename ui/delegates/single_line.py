"""Paints one line of text on its baseline, at half the cost of laying it out in a rectangle.

It never wraps and never measures what surely fits.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from ui.theme.fonts import ui_font

# No letter is wider than this, but for rare signs: those end at the row's edge.
_WIDEST_EM = 1.3


def paint_line(painter: QPainter, rect: QRectF, text: str, font: QFont, ink: QColor) -> str:
    """Paint `text` from the left, centred in height, and return it as it fits.

    What does not fit ends with an ellipsis. All scripts stand on the first family's baseline.
    """
    room = max(0.0, rect.width())
    if len(text) * font.pixelSize() * _WIDEST_EM > room:
        text = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room)
    _paint_at(painter, QPointF(rect.left(), _baseline(rect, font)), text, font, ink)
    return text


def paint_line_at_end(
    painter: QPainter, rect: QRectF, text: str, width_px: float, font: QFont, ink: QColor
) -> None:
    """Paint `text`, which is `width_px` wide, so that it ends where the rectangle does."""
    start = QPointF(rect.left() + rect.width() - width_px, _baseline(rect, font))
    _paint_at(painter, start, text, font, ink)


def _paint_at(painter: QPainter, start: QPointF, text: str, font: QFont, ink: QColor) -> None:
    painter.setFont(font)
    painter.setPen(ink)
    painter.drawText(start, text)


def _baseline(rect: QRectF, font: QFont) -> float:
    return rect.center().y() + _above_middle_px(font.pixelSize(), font.weight())


@lru_cache(maxsize=64)
def _above_middle_px(size_px: int, weight: int) -> float:
    """Return how far below a line's middle its baseline is."""
    metrics = QFontMetricsF(ui_font(size_px, QFont.Weight(weight)))
    return (metrics.ascent() - metrics.descent()) / 2
