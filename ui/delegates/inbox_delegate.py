"""Paints one row of the inbox list.

It never paints a row twice that looks the same and never changes the model.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.delegates.picture_cache import PictureCache, painting
from ui.models.inbox_model import InboxRole
from ui.models.inbox_words import RowWords
from ui.theme.fonts import BOLD, MEDIUM, REGULAR, ui_font
from ui.theme.icons import icon_pixmap
from ui.theme.painting import (
    TAG_HEIGHT_PX,
    count_pill_width,
    paint_avatar,
    paint_count_pill,
    paint_tag,
    tag_width,
    text_direction,
)
from ui.theme.tokens import BODY_PX, META_PX, Tokens, qcolor

ROW_HEIGHT_PX = 60
_MARGIN_PX = 16.0
_AVATAR_PX = 40.0
_TEXT_LEFT_PX = _MARGIN_PX + _AVATAR_PX + 12.0
_GAP_PX = 6.0
_MIN_PREVIEW_PX = 60.0


_HAS_FOCUS = QStyle.StateFlag.State_HasFocus
_BY_KEY = QStyle.StateFlag.State_KeyboardFocusChange
_SELECTED = QStyle.StateFlag.State_Selected
_UNDER_MOUSE = QStyle.StateFlag.State_MouseOver
# All that a row's picture depends on: words, ground, ring, width, scale, direction.
_Shown = tuple[RowWords | None, str, bool, int, float, Qt.LayoutDirection]


class InboxDelegate(QStyledItemDelegate):
    """Avatar with channel badge, name, time, preview, tags and the unread pill."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._pictures: PictureCache[_Shown] = PictureCache()

    def set_tokens(self, tokens: Tokens) -> None:
        """Paint in another look from now on."""
        self._tokens = tokens
        self._pictures.clear()

    def _ground(self, option: QStyleOptionViewItem) -> str:
        if option.state & _SELECTED:
            return self._tokens.accent_soft
        if option.state & _UNDER_MOUSE:
            return self._tokens.hover
        return self._tokens.panel

    def _paint_first_line(self, painter: QPainter, line: _Line, words: RowWords) -> None:
        tokens = self._tokens
        when_font = ui_font(META_PX, MEDIUM if words.unread else REGULAR)
        width = QFontMetricsF(when_font).horizontalAdvance(words.when) + 1
        ink = tokens.accent if words.unread else tokens.ink3
        line.text(painter, line.take_end(width), words.when, when_font, ink)
        if words.mark:
            box = line.take_end(14)
            name, color = (
                ("circle-alert", tokens.block) if words.mark == "failed" else ("clock", tokens.ink3)
            )
            line.icon(painter, box, name, color)
        font = ui_font(BODY_PX, BOLD, words.title)
        line.text(painter, line.rest(), words.title, font, tokens.ink)

    def _paint_second_line(self, painter: QPainter, line: _Line, words: RowWords) -> None:
        tokens = self._tokens
        if words.unread:
            pill = line.take_end(count_pill_width(words.unread))
            box = QRectF(pill.left(), pill.center().y() - 8.5, pill.width(), TAG_HEIGHT_PX)
            paint_count_pill(painter, line.seen(box), words.unread, tokens.accent, tokens.on_accent)
        tags = self._tags_that_fit(line, words)
        room = line.rest().width() - sum(tag_width(text) + _GAP_PX for text, _ in tags)
        if words.lead:
            font = ui_font(BODY_PX, BOLD, words.lead)
            wanted = QFontMetricsF(font).horizontalAdvance(words.lead) + 4
            box = line.take_start(min(wanted, room), gap=0)
            line.text(painter, box, words.lead, font, tokens.ink2)
            room -= box.width()
        font = ui_font(BODY_PX, REGULAR, words.preview)
        wanted = QFontMetricsF(font).horizontalAdvance(words.preview) + 2
        line.text(painter, line.take_start(min(wanted, room)), words.preview, font, tokens.ink2)
        for text, tone in tags:
            box = line.take_start(tag_width(text))
            box = QRectF(box.left(), box.center().y() - 8.5, box.width(), TAG_HEIGHT_PX)
            paint_tag(painter, line.seen(box), text, tone, tokens)

    def _paint_row(self, painter: QPainter, row: QRectF, key: _Shown) -> None:
        words, ground, ringed, _width, _scale, direction = key
        painter.setLayoutDirection(direction)
        painter.fillRect(row, qcolor(ground))
        if words is None:
            self._paint_coming(painter, row, direction)
            return
        avatar = QRectF(row.left() + _MARGIN_PX, row.top() + 10, _AVATAR_PX, _AVATAR_PX)
        first = _Line(row, row.top() + 9, 20, direction)
        second = _Line(row, row.top() + 29, 20, direction)
        paint_avatar(
            painter,
            first.seen(avatar),
            words.initials,
            words.color,
            words.channel,
            qcolor(ground),
        )
        self._paint_first_line(painter, first, words)
        self._paint_second_line(painter, second, words)
        if ringed:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(qcolor(self._tokens.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(row.adjusted(2, 2, -2, -2), 6, 6)

    def _paint_coming(self, painter: QPainter, row: QRectF, direction: Qt.LayoutDirection) -> None:
        """Paint a row whose words are being read: the shapes that will hold them."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(qcolor(self._tokens.line))
        line = _Line(row, row.top() + 14, 10, direction)
        avatar = QRectF(row.left() + _MARGIN_PX, row.top() + 10, _AVATAR_PX, _AVATAR_PX)
        painter.drawEllipse(line.seen(avatar))
        painter.drawRoundedRect(line.seen(line.take_start(120)), 5, 5)
        below = _Line(row, row.top() + 36, 8, direction)
        painter.drawRoundedRect(below.seen(below.take_start(180)), 4, 4)

    @staticmethod
    def _tags_that_fit(line: _Line, words: RowWords) -> list[tuple[str, str]]:
        room = line.rest().width() - _MIN_PREVIEW_PX
        result: list[tuple[str, str]] = []
        for tag in words.tags:
            room -= tag_width(tag[0]) + _GAP_PX
            if room < 0 and result:
                break
            result.append(tag)
        return result

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        words = index.data(InboxRole.WORDS)
        shown = words if isinstance(words, RowWords) else None
        ground = self._ground(option)
        ringed = bool(option.state & _HAS_FOCUS) and bool(option.state & _BY_KEY)
        size, scale = option.rect.size(), painter.device().devicePixelRatioF()
        key = (shown, ground, ringed, size.width(), scale, option.direction)
        picture = self._pictures.get(key)
        if picture is None:
            picture = QPixmap(size * scale)
            picture.setDevicePixelRatio(scale)
            with painting(picture) as brush:
                self._paint_row(brush, QRectF(0, 0, size.width(), size.height()), key)
            self._pictures.put(key, picture)
        painter.drawPixmap(option.rect.topLeft(), picture)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(200, ROW_HEIGHT_PX)


class _Line:
    """One line of a row, taken up from both ends as if left to right, painted mirrored if not."""

    def __init__(
        self, row: QRectF, top_px: float, height_px: float, direction: Qt.LayoutDirection
    ) -> None:
        self._row = row
        self._direction = direction
        self._left = row.left() + _TEXT_LEFT_PX
        self._right = row.right() - _MARGIN_PX
        self._top = top_px
        self._height = height_px

    def rest(self) -> QRectF:
        """Return what is still free."""
        return QRectF(self._left, self._top, max(0.0, self._right - self._left), self._height)

    def take_end(self, width_px: float) -> QRectF:
        """Take a box from the trailing end."""
        box = QRectF(self._right - width_px, self._top, width_px, self._height)
        self._right -= width_px + _GAP_PX
        return box

    def take_start(self, width_px: float, gap: float = _GAP_PX) -> QRectF:
        """Take a box from the leading end."""
        box = QRectF(self._left, self._top, max(0.0, width_px), self._height)
        self._left += width_px + gap
        return box

    def seen(self, box: QRectF) -> QRectF:
        """Return where a box stands on screen in this direction of layout."""
        if self._direction is Qt.LayoutDirection.LeftToRight:
            return box
        left = self._row.left() + self._row.right() - box.right()
        return QRectF(left, box.top(), box.width(), box.height())

    def text(self, painter: QPainter, box: QRectF, text: str, font: QFont, ink: str) -> None:
        """Paint one line of text, ended by … where the box is too narrow."""
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.setFont(font)
        painter.setPen(qcolor(ink))
        painter.setLayoutDirection(text_direction(text))
        leading = (
            Qt.AlignmentFlag.AlignLeft
            if self._direction is Qt.LayoutDirection.LeftToRight
            else Qt.AlignmentFlag.AlignRight
        )
        flags = leading | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.seen(box), flags | Qt.TextFlag.TextSingleLine, shown)

    def icon(self, painter: QPainter, box: QRectF, name: str, color: str) -> None:
        """Paint an outline centred in the box."""
        pixmap = icon_pixmap(name, color, 14, painter.device().devicePixelRatioF())
        seen = self.seen(box)
        place = QRectF(seen.left(), seen.center().y() - 7, 14, 14)
        painter.drawPixmap(place, pixmap, QRectF(pixmap.rect()))
