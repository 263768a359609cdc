"""Small shapes that several delegates and widgets paint alike: avatars, badges, tags, pills.

It never measures rows and keeps no state.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import bidirectional

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyle

from contract.wire import Channel
from ui.theme.channels import channel_look
from ui.theme.fonts import BOLD, ui_font
from ui.theme.tokens import META_PX, RADIUS_CHIP_PX, Tokens, avatar_color, qcolor

TAG_HEIGHT_PX = 17.0
TAG_PADDING_PX = 6.0
# No letter is wider than this, but for rare signs: those end at the row's edge.
_WIDEST_EM = 1.3

# tone → (ink, ground, border) as names of Tokens' fields; an empty ground or border is not drawn.
TONES: dict[str, tuple[str, str, str]] = {
    "neutral": ("ink2", "background", "line"),
    "accent": ("accent", "accent_soft", ""),
    "ok": ("ok", "ok_soft", ""),
    "warn": ("warn", "warn_soft", ""),
    "block": ("block", "block_soft", ""),
}


def tone_colors(tokens: Tokens, tone: str) -> tuple[str, str, str]:
    """Return (ink, ground, border) of a tone in TONES as `#RRGGBB`, the border maybe empty."""
    ink, ground, border = TONES[tone]
    return (
        str(getattr(tokens, ink)),
        str(getattr(tokens, ground)),
        str(getattr(tokens, border)) if border else "",
    )


def paint_avatar(
    painter: QPainter,
    rect: QRectF,
    initials: str,
    color_index: int,
    channel: Channel | None = None,
    ring: QColor | None = None,
) -> None:
    """Paint a round avatar filling `rect`, with a channel badge at its lower trailing corner.

    `ring` is the ground around the badge (the row's background); without it no ring is drawn.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(qcolor(avatar_color(color_index)))
    painter.drawEllipse(rect)
    painter.setPen(qcolor("#FFFFFF"))
    painter.setFont(ui_font(max(8, round(rect.height() * 0.36)), BOLD, initials))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, initials[:3])
    if channel is not None:
        side = max(14.0, rect.height() * 0.42)
        badge = QRectF(0, 0, side, side)
        overhang = side * 0.15
        if painter.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            badge.moveBottomLeft(rect.bottomLeft() + QPointF(-overhang, overhang))
        else:
            badge.moveBottomRight(rect.bottomRight() + QPointF(overhang, overhang))
        paint_channel_badge(painter, badge, channel, ring)
    painter.restore()


def paint_channel_badge(
    painter: QPainter, rect: QRectF, channel: Channel, ring: QColor | None = None
) -> None:
    """Paint the channel's round badge with its letters into `rect`."""
    look = channel_look(channel)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    inner = rect
    if ring is not None:
        painter.setBrush(ring)
        painter.drawEllipse(rect)
        inner = rect.adjusted(1.5, 1.5, -1.5, -1.5)
    painter.setBrush(qcolor(look.ground))
    painter.drawEllipse(inner)
    painter.setPen(qcolor(look.ink))
    painter.setFont(ui_font(max(7, round(inner.height() * 0.47)), BOLD, look.letters))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, look.letters)
    painter.restore()


def text_direction(text: str) -> Qt.LayoutDirection:
    """Return the direction of the first letter that has one, whatever the window's is."""
    for character in text[:64]:
        kind = bidirectional(character)
        if kind in ("R", "AL"):
            return Qt.LayoutDirection.RightToLeft
        if kind == "L":
            break
    return Qt.LayoutDirection.LeftToRight


def tag_font(text: str = "") -> QFont:
    """Return the face of tags and pills."""
    return ui_font(META_PX, BOLD, text)


def tag_width(text: str) -> float:
    """Return how wide `paint_tag` draws `text`, in logical pixels."""
    return QFontMetricsF(tag_font(text)).horizontalAdvance(text) + 2 * TAG_PADDING_PX


def paint_tag(painter: QPainter, rect: QRectF, text: str, tone: str, tokens: Tokens) -> None:
    """Paint a small rounded label such as `Draft` or `2 h left` into `rect`."""
    ink, ground, border = tone_colors(tokens, tone)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(qcolor(ground))
    painter.setPen(QPen(qcolor(border), 1) if border else Qt.PenStyle.NoPen)
    box = rect.adjusted(0.5, 0.5, -0.5, -0.5) if border else rect
    painter.drawRoundedRect(box, RADIUS_CHIP_PX - 1, RADIUS_CHIP_PX - 1)
    painter.setLayoutDirection(text_direction(text))
    painter.setPen(qcolor(ink))
    painter.setFont(tag_font(text))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def count_text(count: int) -> str:
    """Return a count as pills show it: `99+` above 99."""
    return "99+" if count > 99 else str(count)


def count_pill_width(count: int) -> float:
    """Return the width of a count pill of 17 px height."""
    text = count_text(count)
    return max(19.0, QFontMetricsF(tag_font()).horizontalAdvance(text) + 2 * TAG_PADDING_PX)


def paint_count_pill(painter: QPainter, rect: QRectF, count: int, ground: str, ink: str) -> None:
    """Paint a round-ended pill with a count, as for unread messages."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(qcolor(ground))
    painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    painter.setPen(qcolor(ink))
    painter.setFont(tag_font())
    painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, count_text(count))
    painter.restore()


def paint_row_ground(
    painter: QPainter, rect: QRectF, state: QStyle.StateFlag, tokens: Tokens
) -> None:
    """Paint a list row's ground, chosen or under the pointer, with the hairline below it."""
    if state & QStyle.StateFlag.State_Selected:
        painter.fillRect(rect, qcolor(tokens.accent_soft))
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(rect, qcolor(tokens.hover))
    painter.setPen(qcolor(tokens.line))
    painter.drawLine(rect.bottomLeft(), rect.bottomRight())


def paint_row_focus(
    painter: QPainter, rect: QRectF, state: QStyle.StateFlag, tokens: Tokens
) -> None:
    """Paint the ring of a row that was reached by keyboard."""
    if state & QStyle.StateFlag.State_HasFocus and (
        state & QStyle.StateFlag.State_KeyboardFocusChange
    ):
        painter.setPen(QPen(qcolor(tokens.accent), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(3, 3, -3, -3), 6, 6)


def paint_elided(painter: QPainter, rect: QRectF, text: str, font: QFont, ink: str) -> str:
    """Paint one line from the left, centred in height, and return it as it fits.

    What does not fit ends with an ellipsis; what surely fits is not even measured. Several lines
    are joined. All scripts stand on the first family's baseline: a line laid out in a rectangle
    costs twice as much.
    """
    room = max(0.0, rect.width())
    if "\n" in text:
        text = " ".join(text.split())
    if len(text) * font.pixelSize() * _WIDEST_EM > room:
        text = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room)
    _paint_line(painter, QPointF(rect.left(), _baseline(rect, font)), text, font, ink)
    return text


def paint_at_end(
    painter: QPainter, rect: QRectF, text: str, width_px: float, font: QFont, ink: str
) -> None:
    """Paint one line, which is `width_px` wide, so that it ends where the rectangle does."""
    start = QPointF(rect.left() + rect.width() - width_px, _baseline(rect, font))
    _paint_line(painter, start, text, font, ink)


def _paint_line(painter: QPainter, start: QPointF, text: str, font: QFont, ink: str) -> None:
    painter.setFont(font)
    painter.setPen(qcolor(ink))
    painter.drawText(start, text)


def _baseline(rect: QRectF, font: QFont) -> float:
    return rect.center().y() + _below_middle_px(font.pixelSize(), font.weight())


@lru_cache(maxsize=64)
def _below_middle_px(size_px: int, weight: int) -> float:
    """Return how far below a line's middle its baseline is."""
    metrics = QFontMetricsF(ui_font(size_px, QFont.Weight(weight)))
    return (metrics.ascent() - metrics.descent()) / 2
