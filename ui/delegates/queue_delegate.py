"""Paints one waiting message of the queue: to whom, its state, since when, text and reason.

It never changes the model.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from app.domain.queue import QueueRow
from ui.models.queue_model import QueueRole
from ui.models.queue_words import QueueWords
from ui.theme.fonts import BOLD, ui_font
from ui.theme.painting import (
    TAG_HEIGHT_PX,
    paint_channel_badge,
    paint_elided,
    paint_row_focus,
    paint_row_ground,
    paint_tag,
    tag_width,
)
from ui.theme.tokens import BODY_PX, META_PX, SECONDARY_PX, Tokens, qcolor

AnyIndex = QModelIndex | QPersistentModelIndex
_PADDING_PX = 9.0
_BADGE_PX = 20.0
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


class QueueDelegate(QStyledItemDelegate):
    """Rows of one height, as high as the tallest script's lines; `set_tokens` takes a look."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        sizes = (BODY_PX, SECONDARY_PX, SECONDARY_PX)
        self._lines_px = [round(QFontMetricsF(ui_font(px)).height() * 1.25) for px in sizes]

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens

    def height_px(self) -> int:
        """Return the height of every row."""
        return round(sum(self._lines_px) + 2 * _PADDING_PX)

    def _paint_words(self, painter: QPainter, rect: QRectF, words: QueueWords) -> None:
        tokens = self._tokens
        left, width = rect.left() + 48, rect.width() - 64
        top = rect.top() + _PADDING_PX
        first_px, second_px, third_px = self._lines_px
        when = ui_font(META_PX)
        when_px = QFontMetricsF(when).horizontalAdvance(words.when) + 2
        tag_px = tag_width(words.state)
        name = QRectF(left, top, width - when_px - tag_px - 16, first_px)
        paint_elided(painter, name, words.title, ui_font(BODY_PX, BOLD, words.title), tokens.ink)
        tag = QRectF(left + width - when_px - tag_px - 8, top + (first_px - TAG_HEIGHT_PX) / 2,
                     tag_px, TAG_HEIGHT_PX)  # fmt: skip
        paint_tag(painter, tag, words.state, words.tone, tokens)
        painter.setFont(when)
        painter.setPen(qcolor(tokens.ink2))
        painter.drawText(QRectF(left + width - when_px, top, when_px, first_px), _RIGHT, words.when)
        second = QRectF(left, top + first_px, width, second_px)
        face = ui_font(SECONDARY_PX, text=words.preview)
        paint_elided(painter, second, words.preview, face, tokens.ink)
        third = QRectF(left, top + first_px + second_px, width, third_px)
        paint_elided(painter, third, words.reason, ui_font(SECONDARY_PX), tokens.ink2)

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(200, self.height_px())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row, words = index.data(QueueRole.ROW), index.data(QueueRole.WORDS)
        if not isinstance(row, QueueRow) or not isinstance(words, QueueWords):
            return
        rect = QRectF(option.rect)
        painter.save()
        paint_row_ground(painter, rect, option.state, self._tokens)
        if row.channel is not None:
            badge = QRectF(rect.left() + 16, rect.top() + _PADDING_PX + 2, _BADGE_PX, _BADGE_PX)
            paint_channel_badge(painter, badge, row.channel)
        self._paint_words(painter, rect, words)
        paint_row_focus(painter, rect, option.state, self._tokens)
        painter.restore()
