"""Measures and paints the rows of a timeline that are no bubbles: days, new mark, system lines.

It never reads a model.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from ui.delegates.bubble_text import MeasuredText
from ui.models.timeline_items import ItemKind, TimelineItem
from ui.theme.fonts import BOLD, REGULAR, ui_font
from ui.theme.icons import icon_pixmap
from ui.theme.tokens import META_PX, SECONDARY_PX, Tokens, qcolor

_DAY_HEIGHT_PX = 36
_NEW_HEIGHT_PX = 28
_PILL_HEIGHT_PX = 20.0
_SYSTEM_LINE_PX = 18.0
_SYSTEM_MARGIN_PX = 56.0
_ICON_PX = 13.0


def line_height(item: TimelineItem, width_px: int) -> int:
    """Return the row's height in logical pixels."""
    if item.kind is ItemKind.DAY:
        return _DAY_HEIGHT_PX
    if item.kind is ItemKind.NEW:
        return _NEW_HEIGHT_PX
    return round(_system_text(item.words, width_px).height_px) + 12


def paint_line(painter: QPainter, item: TimelineItem, width_px: int, tokens: Tokens) -> None:
    """Paint the row with its top left corner at the painter's origin."""
    if item.kind is ItemKind.DAY:
        _paint_day(painter, item.words, width_px, tokens)
    elif item.kind is ItemKind.NEW:
        _paint_new(painter, item.words, width_px, tokens)
    else:
        _paint_system(painter, item.words, width_px, tokens)


@lru_cache(maxsize=256)
def _system_text(words: str, width_px: int) -> MeasuredText:
    font = ui_font(SECONDARY_PX, REGULAR, words)
    room = max(80.0, width_px - 2 * _SYSTEM_MARGIN_PX)
    return MeasuredText(words, font, room, _SYSTEM_LINE_PX, Qt.AlignmentFlag.AlignHCenter)


def _paint_day(painter: QPainter, words: str, width_px: int, tokens: Tokens) -> None:
    font = ui_font(META_PX, REGULAR, words)
    width = QFontMetricsF(font).horizontalAdvance(words) + 20
    top = (_DAY_HEIGHT_PX - _PILL_HEIGHT_PX) / 2
    pill = QRectF((width_px - width) / 2, top, width, _PILL_HEIGHT_PX)
    painter.setBrush(qcolor(tokens.panel))
    painter.setPen(QPen(qcolor(tokens.line), 1))
    painter.drawRoundedRect(pill, _PILL_HEIGHT_PX / 2, _PILL_HEIGHT_PX / 2)
    painter.setPen(qcolor(tokens.ink3))
    painter.setFont(font)
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, words)


def _paint_new(painter: QPainter, words: str, width_px: int, tokens: Tokens) -> None:
    font = ui_font(META_PX, BOLD, words)
    width = QFontMetricsF(font).horizontalAdvance(words) + 20
    middle = _NEW_HEIGHT_PX / 2
    left, right = (width_px - width) / 2, (width_px + width) / 2
    painter.setPen(QPen(qcolor(tokens.accent), 1))
    painter.drawLine(QPointF(28, middle), QPointF(left, middle))
    painter.drawLine(QPointF(right, middle), QPointF(width_px - 28, middle))
    painter.setFont(font)
    painter.drawText(QRectF(left, 0, width, _NEW_HEIGHT_PX), Qt.AlignmentFlag.AlignCenter, words)


def _paint_system(painter: QPainter, words: str, width_px: int, tokens: Tokens) -> None:
    text = _system_text(words, width_px)
    left = max(_SYSTEM_MARGIN_PX, (width_px - 2 * _SYSTEM_MARGIN_PX) / 2 + _SYSTEM_MARGIN_PX)
    edge = left - text.width_px / 2 - _ICON_PX - 5
    pixmap = icon_pixmap(
        "shield-check", tokens.ink2, int(_ICON_PX), painter.device().devicePixelRatioF()
    )
    place = QRectF(max(8.0, edge), 6 + (_SYSTEM_LINE_PX - _ICON_PX) / 2, _ICON_PX, _ICON_PX)
    painter.drawPixmap(place, pixmap, QRectF(pixmap.rect()))
    text.draw(painter, QPointF(_SYSTEM_MARGIN_PX, 6), tokens.ink2, tokens)
