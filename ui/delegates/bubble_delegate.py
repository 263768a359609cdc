"""Paints the rows of a timeline: bubbles, system lines, day and new-message separators.

It never changes the model and measures only through the cache of layouts.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from contract.ids import MessageId
from contract.wire import Attachment
from ui.delegates.bubble_layout import (
    ICON_PX,
    BubbleLayout,
    LayoutCache,
    Placed,
    guessed_height,
    part_font,
    part_width,
    separator_width,
)
from ui.delegates.line_painting import line_height, paint_line
from ui.models.diffed_list_model import AnyIndex
from ui.models.message_words import BubbleWords, file_words
from ui.models.timeline_items import ItemKind, TimelineItem
from ui.models.timeline_model import TimelineRole
from ui.theme.fonts import BOLD, REGULAR, ui_font
from ui.theme.icons import icon_pixmap
from ui.theme.painting import text_direction
from ui.theme.tokens import (
    BODY_PX,
    META_PX,
    RADIUS_CARD_PX,
    RADIUS_FIELD_PX,
    SECONDARY_PX,
    Tokens,
    qcolor,
)

_FILE_COLORS = {
    "PDF": "#DC3D43",
    "DOC": "#2F6FDE",
    "DOCX": "#2F6FDE",
    "XLS": "#15803D",
    "XLSX": "#15803D",
    "CSV": "#15803D",
    "PPT": "#C2570C",
    "PPTX": "#C2570C",
    "PNG": "#8057EE",
    "JPG": "#8057EE",
    "JPEG": "#8057EE",
}
_OTHER_FILE = "#55617A"


class BubbleDelegate(QStyledItemDelegate):
    """Paints through BubbleLayouts; the view tells it what is selected and highlighted."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._cache = LayoutCache()
        self.selection: tuple[MessageId, int, int] | None = None
        self.highlighted: MessageId | None = None
        self.ringed: MessageId | None = None

    def set_tokens(self, tokens: Tokens) -> None:
        """Paint in another look from now on; measures stay true."""
        self._tokens = tokens

    def bubble(self, words: BubbleWords, width_px: int, mirrored: bool) -> BubbleLayout:
        """Return the layout of a bubble in a row of that width."""
        return self._cache.layout(words, width_px, mirrored)

    def row_height(self, index: AnyIndex, width_px: int, mirrored: bool) -> int:
        """Return a row's height in logical pixels."""
        words = index.data(TimelineRole.WORDS)
        if isinstance(words, BubbleWords):
            return int(self.bubble(words, width_px, mirrored).height_px)
        item = index.data(TimelineRole.ITEM)
        return line_height(item, width_px) if isinstance(item, TimelineItem) else 0

    def guessed_height(self, item: TimelineItem, width_px: int) -> int:
        """Return about how high a row is, without measuring it."""
        if item.row is not None and item.kind is ItemKind.BUBBLE:
            return guessed_height(item.row.message, width_px)
        return line_height(item, width_px)

    # -- parts of a bubble ---------------------------------------------------------------------

    def _paint_bubble(self, painter: QPainter, layout: BubbleLayout) -> None:
        tokens, words = self._tokens, layout.words
        self._paint_ground(painter, layout)
        if layout.author is not None:
            self._text(painter, layout.author, words.author, SECONDARY_PX, tokens.accent, bold=True)
        if layout.quote is not None and words.quote is not None:
            self._paint_quote(painter, layout.quote, *words.quote)
        ink = tokens.ink2 if words.faint else tokens.ink
        chosen = None
        if self.selection is not None and self.selection[0] == words.message_id:
            chosen = self.selection[1:]
        if words.text:
            layout.text.draw(painter, layout.text_origin, ink, tokens, chosen)
        for file, rect in layout.files:
            self._paint_file(painter, rect, file)
        self._paint_parts(painter, layout.footer, META_PX, dotted=True)
        self._paint_parts(painter, layout.below, SECONDARY_PX, dotted=False)
        for text, rect in layout.reactions:
            painter.setBrush(qcolor(tokens.panel))
            painter.setPen(QPen(qcolor(tokens.line), 1))
            painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
            self._text(painter, rect.adjusted(7, 0, 0, 0), text, SECONDARY_PX, tokens.ink2)

    def _paint_ground(self, painter: QPainter, layout: BubbleLayout) -> None:
        tokens, words = self._tokens, layout.words
        box = layout.bubble.adjusted(0.5, 0.5, -0.5, -0.5)
        ground = tokens.own_bubble if words.own else tokens.client_bubble
        pen = QPen(qcolor(ground if words.own else tokens.line), 1)
        if words.dashed:
            ground = tokens.background
            pen = QPen(qcolor(tokens.ink3), 1, Qt.PenStyle.DashLine)
        if self.highlighted == words.message_id:
            ground = tokens.highlight
        if self.ringed == words.message_id:
            pen = QPen(qcolor(tokens.accent), 2)
        painter.setPen(pen)
        painter.setBrush(qcolor(ground))
        painter.drawRoundedRect(box, RADIUS_CARD_PX, RADIUS_CARD_PX)

    def _paint_quote(self, painter: QPainter, rect: QRectF, author: str, text: str) -> None:
        tokens = self._tokens
        painter.fillRect(rect, qcolor(tokens.quote))
        painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), qcolor(tokens.accent))
        font = ui_font(SECONDARY_PX, BOLD, author)
        width = min(QFontMetricsF(font).horizontalAdvance(author) + 2, rect.width() - 24)
        name = QRectF(rect.left() + 11, rect.top(), width, rect.height())
        self._text(painter, name, author, SECONDARY_PX, tokens.ink2, bold=True)
        rest = QRectF(name.right(), rect.top(), rect.right() - name.right() - 8, rect.height())
        self._text(painter, rest, f" · {text}", SECONDARY_PX, tokens.ink2)

    def _paint_file(self, painter: QPainter, rect: QRectF, file: Attachment) -> None:
        tokens = self._tokens
        painter.setPen(QPen(qcolor(tokens.line), 1))
        painter.setBrush(qcolor(tokens.panel))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_FIELD_PX, 10)
        kind = PurePosixPath(file.name).suffix[1:].upper()[:4] or "FILE"
        badge = QRectF(rect.left() + 10, rect.top() + 9, 34, 38)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(qcolor(_FILE_COLORS.get(kind, _OTHER_FILE)))
        painter.drawRoundedRect(badge, 5, 5)
        painter.setPen(qcolor("#FFFFFF"))
        painter.setFont(ui_font(10, BOLD))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, kind)
        left = badge.right() + 10
        name = QRectF(left, rect.top() + 10, rect.right() - left - 10, 18)
        self._text(painter, name, file.name, BODY_PX, tokens.ink, bold=True, middle=True)
        self._text(painter, name.translated(0, 18), file_words(file), META_PX, tokens.ink3)

    def _paint_parts(
        self, painter: QPainter, parts: list[Placed], size_px: int, *, dotted: bool
    ) -> None:
        tokens = self._tokens
        last_top = -1.0
        for part, rect in parts:
            if dotted and rect.top() == last_top:
                dot = QRectF(rect.left() - separator_width(), rect.top(), separator_width(), 16)
                self._text(painter, dot, " · ", META_PX, tokens.ink3)
            last_top = rect.top()
            color = str(getattr(tokens, part.tone))
            box = QRectF(rect)
            if part.icon:
                scale = painter.device().devicePixelRatioF()
                pixmap = icon_pixmap(part.icon, color, int(ICON_PX), scale)
                place = QRectF(box.left(), box.center().y() - ICON_PX / 2, ICON_PX, ICON_PX)
                painter.drawPixmap(place, pixmap, QRectF(pixmap.rect()))
                box.setLeft(box.left() + ICON_PX + 3)
            painter.setFont(part_font(part, size_px))
            painter.setPen(qcolor(color))
            painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
            shown = part.text
            if part_width(part, size_px) > rect.width() + 1:
                metrics = QFontMetricsF(painter.font())
                shown = metrics.elidedText(shown, Qt.TextElideMode.ElideRight, box.width() + 1)
            painter.drawText(box, _UNCLIPPED, shown)

    @staticmethod
    def _text(
        painter: QPainter,
        rect: QRectF,
        text: str,
        size_px: int,
        ink: str,
        *,
        bold: bool = False,
        middle: bool = False,
    ) -> None:
        font = ui_font(size_px, BOLD if bold else REGULAR, text)
        mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        painter.setFont(font)
        painter.setPen(qcolor(ink))
        painter.setLayoutDirection(text_direction(text))
        shown = QFontMetricsF(font).elidedText(text, mode, rect.width() + 1)
        painter.drawText(rect, _UNCLIPPED, shown)

    # -- Qt ------------------------------------------------------------------------------------

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: AnyIndex,
    ) -> None:
        item = index.data(TimelineRole.ITEM)
        if not isinstance(item, TimelineItem):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(QPointF(option.rect.topLeft()))
        width = option.rect.width()
        if item.kind is ItemKind.BUBBLE:
            words = index.data(TimelineRole.WORDS)
            if isinstance(words, BubbleWords):
                mirrored = option.direction is Qt.LayoutDirection.RightToLeft
                self._paint_bubble(painter, self.bubble(words, width, mirrored))
        else:
            paint_line(painter, item, width, self._tokens)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        width = option.rect.width()
        mirrored = option.direction is Qt.LayoutDirection.RightToLeft
        return QSize(width, self.row_height(index, width, mirrored))


_LEADING = (
    Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
)
_UNCLIPPED = _LEADING | Qt.TextFlag.TextDontClip
