"""Paints one row of a queue that waits for a decision: whom it is about, the words, since when.

It never changes the model, and what a row says it is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from contract.wire import Channel
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
ROW_HEIGHT_PX = 74
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


class WaitingRow(NamedTuple):
    """What a row says, line by line; `tone` is the tag's, which may be empty."""

    channel: Channel
    title: str
    when: str
    about: str
    preview: str
    tag: str
    tone: str


class WaitingDelegate(QStyledItemDelegate):
    """One look; `set_tokens` takes another. A row of which `row_of` knows nothing stays empty."""

    def __init__(
        self,
        tokens: Tokens,
        row_of: Callable[[AnyIndex], WaitingRow | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._row_of = row_of

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens

    def _paint_words(self, painter: QPainter, rect: QRectF, words: WaitingRow) -> None:
        tokens = self._tokens
        left, width = rect.left() + 48, rect.width() - 64
        when = ui_font(META_PX)
        when_px = QFontMetricsF(when).horizontalAdvance(words.when) + 2
        first = QRectF(left, rect.top() + 9, width - when_px - 8, 20)
        paint_elided(painter, first, words.title, ui_font(BODY_PX, BOLD, words.title), tokens.ink)
        painter.setFont(when)
        painter.setPen(qcolor(tokens.ink3))
        at = QRectF(left + width - when_px, rect.top() + 9, when_px, 20)
        painter.drawText(at, _RIGHT, words.when)
        second = QRectF(left, rect.top() + 29, width, 18)
        font = ui_font(SECONDARY_PX, text=words.about)
        paint_elided(painter, second, words.about, font, tokens.ink2)
        tag_px = tag_width(words.tag) if words.tag else 0.0
        third = QRectF(left, rect.top() + 48, width - tag_px - (8 if tag_px else 0), 18)
        font = ui_font(SECONDARY_PX, text=words.preview)
        paint_elided(painter, third, words.preview, font, tokens.ink2)
        if tag_px:
            tag = QRectF(left + width - tag_px, rect.top() + 49, tag_px, TAG_HEIGHT_PX)
            paint_tag(painter, tag, words.tag, words.tone, tokens)

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(200, ROW_HEIGHT_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        words = self._row_of(index)
        if words is None:
            return
        rect = QRectF(option.rect)
        painter.save()
        paint_row_ground(painter, rect, option.state, self._tokens)
        badge = QRectF(rect.left() + 16, rect.top() + 11, 20, 20)
        paint_channel_badge(painter, badge, words.channel)
        self._paint_words(painter, rect, words)
        paint_row_focus(painter, rect, option.state, self._tokens)
        painter.restore()
