"""Paints a table's cell with its words on as many lines as they need.

It never cuts words off and never changes the model.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QFont, QPainter, QTextLayout, QTextOption
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.theme.tokens import Tokens, qcolor

AnyIndex = QModelIndex | QPersistentModelIndex
PADDING_PX = 8.0
_ABOVE_PX = 7.0
_HEIGHTS_KEPT = 4_096


class WrappedDelegate(QStyledItemDelegate):
    """Takes words, face and colour from the cell; a line stands below each row."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._heights: dict[tuple[str, str, int], float] = {}

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        width = max(1, option.rect.width() - round(2 * PADDING_PX))
        words, font = str(index.data() or ""), _font_of(index, option.font)
        key = (words, font.key(), width)
        height = self._heights.get(key)
        if height is None:
            if len(self._heights) >= _HEIGHTS_KEPT:
                self._heights.clear()
            height = self._heights[key] = _laid_out(words, font, width)[1]
        return QSize(option.rect.width(), round(height + 2 * _ABOVE_PX + 1.5))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        tokens, rect = self._tokens, QRectF(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, qcolor(tokens.accent_soft))
        painter.setPen(qcolor(tokens.line))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        brush = index.data(Qt.ItemDataRole.ForegroundRole)
        painter.setPen(brush.color() if isinstance(brush, QBrush) else qcolor(tokens.ink))
        words, font = str(index.data() or ""), _font_of(index, option.font)
        layout, _ = _laid_out(words, font, rect.width() - 2 * PADDING_PX)
        layout.draw(painter, rect.topLeft() + QPointF(PADDING_PX, _ABOVE_PX))
        painter.restore()


def _font_of(index: AnyIndex, font: QFont) -> QFont:
    chosen = index.data(Qt.ItemDataRole.FontRole)
    return chosen if isinstance(chosen, QFont) else font


def _laid_out(words: str, font: QFont, width_px: float) -> tuple[QTextLayout, float]:
    """Return words in lines of at most `width_px`, and how high these are."""
    layout = QTextLayout(words, font)
    layout.setTextOption(_option())
    layout.beginLayout()
    below = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(1.0, width_px))
        line.setPosition(QPointF(0, below))
        below += line.height()
    layout.endLayout()
    return layout, below


def _option() -> QTextOption:
    option = QTextOption(Qt.AlignmentFlag.AlignLeft)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    return option
