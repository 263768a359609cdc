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


class WrappedDelegate(QStyledItemDelegate):
    """Takes words, face and colour from the cell; a line stands below each row."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        width = option.rect.width() - 2 * PADDING_PX
        _, height = _laid_out(index, option.font, width if width > 0 else 1e6)
        natural = _natural_px(index, option.font) + 2 * PADDING_PX + 1
        return QSize(round(natural + 0.5), round(height + 2 * _ABOVE_PX + 1.5))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        tokens, rect = self._tokens, QRectF(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, qcolor(tokens.accent_soft))
        painter.setPen(qcolor(tokens.line))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        brush = index.data(Qt.ItemDataRole.ForegroundRole)
        painter.setPen(brush.color() if isinstance(brush, QBrush) else qcolor(tokens.ink))
        layout, _ = _laid_out(index, option.font, rect.width() - 2 * PADDING_PX)
        layout.draw(painter, rect.topLeft() + QPointF(PADDING_PX, _ABOVE_PX))
        painter.restore()


def _laid_out(index: AnyIndex, font: QFont, width_px: float) -> tuple[QTextLayout, float]:
    """Return the cell's words in lines of at most `width_px`, and how high these are."""
    chosen = index.data(Qt.ItemDataRole.FontRole)
    words = str(index.data() or "")
    layout = QTextLayout(words, chosen if isinstance(chosen, QFont) else font)
    layout.setTextOption(_option())
    layout.beginLayout()
    below = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(1.0, width_px))
        line.setPosition(QPointF(0, below))
        below += line.height()
    layout.endLayout()
    return layout, below


def _natural_px(index: AnyIndex, font: QFont) -> float:
    layout, _ = _laid_out(index, font, 1e6)
    return layout.lineAt(0).naturalTextWidth() if layout.lineCount() else 0.0


def _option() -> QTextOption:
    option = QTextOption(Qt.AlignmentFlag.AlignLeft)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    return option
