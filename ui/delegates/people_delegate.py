"""Paints one contact of the people page: avatar, name, organisation, channels, consent.

It never changes the model.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from contract.wire import ConsentKind, Contact
from ui.models.consents import consent_words
from ui.models.people_model import PeopleRole, channels_of
from ui.theme.fonts import BOLD, ui_font
from ui.theme.painting import paint_avatar
from ui.theme.tokens import BODY_PX, SECONDARY_PX, Tokens, qcolor

AnyIndex = QModelIndex | QPersistentModelIndex
ROW_HEIGHT_PX = 58
_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)


class PeopleDelegate(QStyledItemDelegate):
    """One look; `set_tokens` takes another."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens

    def _text(self, painter: QPainter, rect: QRectF, text: str, font: QFont, color: str) -> None:
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(qcolor(color))
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, _LEFT, shown)

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(200, ROW_HEIGHT_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        contact = index.data(PeopleRole.CONTACT)
        if not isinstance(contact, Contact):
            return
        tokens = self._tokens
        rect = QRectF(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, qcolor(tokens.accent_soft))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, qcolor(tokens.hover))
        painter.setPen(qcolor(tokens.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        avatar = QRectF(rect.left() + 20, rect.top() + 10, 38, 38)
        paint_avatar(painter, avatar, contact.initials, contact.color)
        third = (rect.width() - 90) / 3
        left = rect.left() + 72
        name = QRectF(left, rect.top() + 9, third, 20)
        below = QRectF(left, rect.top() + 29, third, 18)
        bold = ui_font(BODY_PX, BOLD, contact.display_name)
        plain = ui_font(SECONDARY_PX)
        self._text(painter, name, contact.display_name, bold, tokens.ink)
        place = " · ".join(part for part in (contact.organisation, contact.city) if part)
        self._text(painter, below, place, plain, tokens.ink2)
        middle = QRectF(left + third, rect.top(), third - 12, rect.height())
        self._text(painter, middle, channels_of(contact), ui_font(BODY_PX), tokens.ink2)
        last = QRectF(left + 2 * third, rect.top(), third - 12, rect.height())
        consent = f"Recording notice: {consent_words(contact, ConsentKind.RECORDING)}"
        self._text(painter, last, consent, plain, tokens.ink2)
        painter.restore()
