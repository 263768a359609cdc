"""Paints a row to choose: a box where it may be ticked, a name, and a word at its end.

It never changes anything but the tick of the row that was clicked or got a Space.
"""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.theme.fonts import ui_font
from ui.theme.icons import icon_pixmap
from ui.theme.tokens import BODY_PX, RADIUS_CHIP_PX, SECONDARY_PX, Tokens, qcolor

AnyIndex = QModelIndex | QPersistentModelIndex
ROW_HEIGHT_PX = 32
# What the row shows; its display text is what a screen reader says and what is searched.
NAME_ROLE = Qt.ItemDataRole.UserRole + 1
END_ROLE = Qt.ItemDataRole.UserRole + 2
_BOX_PX = 16
_MARGIN_PX = 8.0
_END_MARGIN_PX = 14.0  # a scroll bar lies over the end
_GAP_PX = 10.0
_INSET = QPoint(2, 2)
_FLAGS = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_CHECK = Qt.ItemDataRole.CheckStateRole


class ChoiceDelegate(QStyledItemDelegate):
    """One look; the whole row is the box's target, as far as the row is enabled."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens

    def _ground(self, painter: QPainter, rect: QRectF, option: QStyleOptionViewItem) -> None:
        tokens, state = self._tokens, option.state
        box = rect.adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(qcolor(tokens.accent_soft))
            if state & QStyle.StateFlag.State_HasFocus:
                painter.setPen(QPen(qcolor(tokens.accent), 1))
                box = box.adjusted(0.5, 0.5, -0.5, -0.5)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(qcolor(tokens.hover))
        else:
            return
        painter.drawRoundedRect(box, RADIUS_CHIP_PX, RADIUS_CHIP_PX)

    def _box(self, painter: QPainter, rect: QRectF, checked: bool, enabled: bool) -> None:
        tokens = self._tokens
        if checked:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(qcolor(tokens.accent if enabled else tokens.ink3))
            painter.drawRoundedRect(rect, 4, 4)
            ratio = painter.device().devicePixelRatio()
            mark = icon_pixmap("check", tokens.on_accent, 12, ratio)
            painter.drawPixmap(rect.topLeft().toPoint() + _INSET, mark)
            return
        painter.setPen(QPen(qcolor(tokens.ink3), 1))
        painter.setBrush(qcolor(tokens.panel))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _words(self, painter: QPainter, rect: QRectF, words: str, font: QFont, color: str) -> None:
        shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, rect.width())
        painter.setFont(font)
        painter.setPen(qcolor(color))
        painter.drawText(rect, _FLAGS, shown)

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(120, max(ROW_HEIGHT_PX, option.fontMetrics.height() + 12))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        tokens = self._tokens
        rect = QRectF(option.rect)
        enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, rect, option)
        left, right = rect.left() + _MARGIN_PX, rect.right() - _END_MARGIN_PX
        if (state := index.data(_CHECK)) is not None:
            top = rect.center().y() - _BOX_PX / 2
            checked = Qt.CheckState(state) is Qt.CheckState.Checked
            self._box(painter, QRectF(left, round(top), _BOX_PX, _BOX_PX), checked, enabled)
            left += _BOX_PX + _GAP_PX
        end = str(index.data(END_ROLE) or "")
        if end:
            font = ui_font(SECONDARY_PX, text=end)
            width = min(QFontMetricsF(font).horizontalAdvance(end) + 1, (right - left) / 2)
            place = QRectF(right - width, rect.top(), width, rect.height())
            self._words(painter, place, end, font, tokens.ink3)
            right -= width + _GAP_PX
        name = str(index.data(NAME_ROLE) or "")
        color = tokens.ink if enabled else tokens.ink3
        place = QRectF(left, rect.top(), max(0.0, right - left), rect.height())
        self._words(painter, place, name, ui_font(BODY_PX, text=name), color)
        painter.restore()

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: AnyIndex,
    ) -> bool:
        state = index.data(_CHECK)
        if state is None or not index.flags() & Qt.ItemFlag.ItemIsEnabled or not _ticks(event):
            return False
        checked = Qt.CheckState(state) is Qt.CheckState.Checked
        wanted = Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked
        return model.setData(index, wanted, _CHECK)


def _ticks(event: QEvent) -> bool:
    if isinstance(event, QKeyEvent):
        return event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Space
    released = event.type() == QEvent.Type.MouseButtonRelease
    return (
        released and isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.LeftButton
    )
