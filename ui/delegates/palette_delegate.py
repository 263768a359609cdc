"""Paints the palette's rows: headings, people, messages with their found words, actions.

It never changes the model and measures by kind alone.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from contract.wire import Channel
from ui.delegates.picture_cache import PictureCache, painting
from ui.models.palette_model import PaletteModel
from ui.models.palette_rows import PaletteKind, PaletteRow
from ui.theme.fonts import BOLD, ui_font
from ui.theme.painting import paint_at_end, paint_avatar, paint_channel_badge, paint_elided
from ui.theme.tokens import BODY_PX, META_PX, SECONDARY_PX, Tokens, qcolor

AnyIndex = QModelIndex | QPersistentModelIndex

HEIGHT_PX = {
    PaletteKind.HEADING: 32,
    PaletteKind.NOTE: 34,
    PaletteKind.CHOICE: 32,
    PaletteKind.MORE: 36,
    PaletteKind.PERSON: 42,
    PaletteKind.MESSAGE: 50,
    PaletteKind.ACTION: 32,
}
_MARGIN = 20.0
_BADGE_PX = 18
_MOST_BADGE_BYTES = 256 * 1024


class PaletteDelegate(QStyledItemDelegate):
    """One look; `set_tokens` takes another."""

    def __init__(self, model: PaletteModel, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # Asked directly: the way through an index costs several times as much, with each key.
        self._model = model
        self._tokens = tokens
        self._badges = PictureCache[tuple[Channel, float]](_MOST_BADGE_BYTES)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens

    def _heading(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        rect = rect.adjusted(0, 8, 0, 0)
        paint_elided(painter, rect, row.title.upper(), ui_font(META_PX, BOLD), self._tokens.ink3)

    def _person(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        paint_avatar(painter, QRectF(rect.left(), rect.top() + 6, 30, 30), row.initials, row.color)
        rest = rect.adjusted(42, 0, 0, 0)
        font = ui_font(BODY_PX, BOLD, row.title)
        shown = paint_elided(painter, rest, row.title, font, self._tokens.ink)
        rest.setLeft(rest.left() + QFontMetricsF(font).horizontalAdvance(shown) + 12)
        paint_elided(painter, rest, row.text, ui_font(BODY_PX), self._tokens.ink2)

    def _message(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        if row.channel is not None:
            corner = QPointF(rect.left(), rect.center().y() - _BADGE_PX / 2)
            ratio = painter.device().devicePixelRatio()
            painter.drawPixmap(corner, self._badge(row.channel, ratio))
        words = rect.adjusted(30, 6, 0, -6)
        aside = ui_font(SECONDARY_PX)
        when = f"Archive · {row.aside}" if row.in_archive else row.aside
        width = _width_of(when)
        paint_at_end(painter, words, when, width, aside, self._tokens.ink2)
        words.setRight(words.right() - width - 12)
        half = words.height() / 2
        upper = QRectF(words.left(), words.top(), words.width(), half)
        lower = QRectF(words.left(), words.top() + half, words.width(), half)
        paint_elided(painter, upper, row.title, ui_font(BODY_PX, BOLD, row.title), self._tokens.ink)
        self._snippet(painter, lower, row)

    def _badge(self, channel: Channel, ratio: float) -> QPixmap:
        known = self._badges.get((channel, ratio))
        if known is not None:
            return known
        picture = QPixmap(round(_BADGE_PX * ratio), round(_BADGE_PX * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        with painting(picture) as painter:
            paint_channel_badge(painter, QRectF(0, 0, _BADGE_PX, _BADGE_PX), channel)
        self._badges.put((channel, ratio), picture)
        return picture

    def _snippet(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        font = ui_font(BODY_PX, text=row.text)
        metrics = QFontMetricsF(font)
        for start, end in row.highlights:
            left = rect.left() + metrics.horizontalAdvance(row.text[:start])
            width = metrics.horizontalAdvance(row.text[start:end])
            if left + width <= rect.right():
                mark = QRectF(left - 1, rect.center().y() - 9, width + 2, 18)
                painter.fillRect(mark, qcolor(self._tokens.highlight))
        paint_elided(painter, rect, row.text, font, self._tokens.ink2)

    def _note(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        painter.fillRect(rect.adjusted(-_MARGIN, 2, _MARGIN, -2), qcolor(self._tokens.warn_soft))
        paint_elided(painter, rect, row.title, ui_font(SECONDARY_PX), self._tokens.warn)

    def _more(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        rest = rect.adjusted(30, 0, 0, 0)
        paint_elided(painter, rest, row.title, ui_font(BODY_PX), self._tokens.accent)

    def _action(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        paint_elided(painter, rect, row.title, ui_font(BODY_PX), self._tokens.ink)
        if not row.aside:
            return
        font = ui_font(META_PX)
        width = QFontMetricsF(font).horizontalAdvance(row.aside) + 12
        cap = QRectF(rect.right() - width, rect.center().y() - 10, width, 20)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(qcolor(self._tokens.line))
        painter.setBrush(qcolor(self._tokens.background))
        painter.drawRoundedRect(cap, 4, 4)
        painter.setPen(qcolor(self._tokens.ink2))
        painter.setFont(font)
        painter.drawText(cap, int(Qt.AlignmentFlag.AlignCenter), row.aside)

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        row = self._model.row_at(index.row())
        return QSize(200, HEIGHT_PX[PaletteKind.ACTION if row is None else row.kind])

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row = self._model.row_at(index.row())
        if row is None:
            return
        painter.save()
        state: QStyle.StateFlag = option.state
        rect = QRectF(option.rect)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, qcolor(self._tokens.accent_soft))
        inner = rect.adjusted(_MARGIN, 0, -_MARGIN, 0)
        {
            PaletteKind.HEADING: self._heading,
            PaletteKind.NOTE: self._note,
            PaletteKind.PERSON: self._person,
            PaletteKind.MESSAGE: self._message,
            PaletteKind.MORE: self._more,
        }.get(row.kind, self._action)(painter, inner, row)
        painter.restore()


@lru_cache(maxsize=256)
def _width_of(when: str) -> float:
    """Return how wide a row's time is, in px; times come again with each key."""
    return QFontMetricsF(ui_font(SECONDARY_PX)).horizontalAdvance(when)
