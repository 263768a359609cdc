"""Small widgets shared by every view: chips, buttons, banners, avatars, badges, elided labels.

It never knows what they stand for: callers pass words and colours.

Public names: Chip, Avatar, ChannelBadge, Banner, ElidedLabel, button, label, pane, hairline,
restyle; and from painting: paint_avatar, paint_channel_badge, paint_tag, paint_count_pill.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from contract.wire import Channel
from ui.theme.channels import channel_name
from ui.theme.icons import icon_pixmap
from ui.theme.painting import (
    TAG_HEIGHT_PX,
    paint_avatar,
    paint_channel_badge,
    paint_count_pill,
    paint_tag,
    tag_width,
)
from ui.theme.tokens import Tokens
from ui.theme.tool_tips import plain_tip

__all__ = [
    "Avatar",
    "Banner",
    "ChannelBadge",
    "Chip",
    "ElidedLabel",
    "button",
    "hairline",
    "label",
    "paint_avatar",
    "paint_channel_badge",
    "paint_count_pill",
    "paint_tag",
    "pane",
    "restyle",
]


def restyle(widget: QWidget, name: str, value: object) -> None:
    """Set a dynamic property that the style sheet reads, and have the widget drawn anew."""
    widget.setProperty(name, value)
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def button(text: str, kind: str = "secondary", accessible_name: str = "") -> QPushButton:
    """Return a push button of kind primary, secondary, link, chip, accent-chip, search or quiet."""
    result = QPushButton(text)
    result.setProperty("kind", kind)
    result.setAccessibleName(accessible_name or text)
    result.setAutoDefault(False)
    if kind == "link":
        result.setCursor(Qt.CursorShape.PointingHandCursor)
    return result


def label(text: str, kind: str = "body", *, selectable: bool = False) -> QLabel:
    """Return a plain-text label of kind title, name, strong, body, secondary, meta, section,
    error or keycap."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setProperty("look", kind)
    if selectable:
        result.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return result


def pane(ground: str = "panel") -> QWidget:
    """Return an empty widget on a ground: panel, background or rail."""
    result = QWidget()
    result.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    result.setProperty("pane", ground)
    return result


def hairline(vertical: bool = False) -> QFrame:
    """Return a one-pixel line."""
    result = QFrame()
    result.setProperty("line", "left" if vertical else "top")
    if vertical:
        result.setFixedWidth(1)
    else:
        result.setFixedHeight(1)
    return result


class Chip(QWidget):
    """A small rounded label; `tone` is neutral, accent, ok, warn or block."""

    def __init__(self, text: str, tone: str, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._text = ""
        self._tone = tone
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_text(text, tone)

    def set_text(self, text: str, tone: str) -> None:
        """Show other words in another tone."""
        self._text, self._tone = text, tone
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self.update()

    def text(self) -> str:
        """Return the words shown."""
        return self._text

    def sizeHint(self) -> QSize:
        return QSize(round(tag_width(self._text) + 0.5), round(TAG_HEIGHT_PX) + 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_tag(painter, QRectF(self.rect()), self._text, self._tone, self._tokens)
        painter.end()


class Avatar(QWidget):
    """A round avatar of `size_px` with an optional channel badge."""

    def __init__(self, size_px: int, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._size_px = size_px
        self._initials = ""
        self._color = 0
        self._channel: Channel | None = None
        self.setFixedSize(size_px + 4, size_px + 4)

    def set_person(
        self, name: str, initials: str, color_index: int, channel: Channel | None = None
    ) -> None:
        """Show a person or group; `name` is what a screen reader says."""
        shown = (self._initials, self._color, self._channel)
        self._initials, self._color, self._channel = initials, color_index, channel
        self.setAccessibleName(name)
        if shown != (initials, color_index, channel):
            self.update()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setLayoutDirection(self.layoutDirection())
        rect = QRectF(1, 1, self._size_px, self._size_px)
        ring = self.palette().color(self.backgroundRole())
        paint_avatar(painter, rect, self._initials, self._color, self._channel, ring)
        painter.end()


class ChannelBadge(QWidget):
    """A channel's round badge on its own."""

    def __init__(self, channel: Channel, size_px: int = 20, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._channel = channel
        self.setFixedSize(size_px, size_px)
        self.setAccessibleName(channel_name(channel))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_channel_badge(painter, QRectF(self.rect()), self._channel)
        painter.end()


class ElidedLabel(QLabel):
    """A one-line plain-text label that ends in … when the room is short."""

    def __init__(self, text: str = "", kind: str = "body", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._full = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("look", kind)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.set_full_text(text)

    def set_full_text(self, text: str) -> None:
        """Show `text`, elided as needed; the whole of it is the accessible name and tool tip."""
        self._full = text
        self.setAccessibleName(text)
        self._elide()

    def full_text(self) -> str:
        """Return the whole text."""
        return self._full

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(
            self._full, Qt.TextElideMode.ElideRight, max(0, self.width())
        )
        self.setText(shown)
        self.setToolTip(plain_tip(self._full) if shown != self._full else "")

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(self.fontMetrics().horizontalAdvance(self._full) + 2, hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()


class Banner(QFrame):
    """A coloured strip: bold lead, sentence, link buttons; `tone` is info, warn or block."""

    action_triggered = Signal(str)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._tone = "info"
        self._icon = QLabel()
        self._lead = label("", "strong")
        self._sentence = label("")
        self._sentence.setWordWrap(True)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(8)
        words = QHBoxLayout()
        words.setSpacing(6)
        words.addWidget(self._icon)
        words.addWidget(self._lead)
        words.addWidget(self._sentence, 1)
        words.addLayout(self._actions)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 6)
        column.addLayout(words)

    def show_words(
        self, tone: str, lead: str, sentence: str, actions: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Show words and (key, text) link buttons; a click emits action_triggered(key)."""
        self._tone = tone
        restyle(self, "banner", tone)
        self._lead.setText(lead)
        self._lead.setVisible(bool(lead))
        self._sentence.setText(sentence)
        self.setAccessibleName(f"{lead} {sentence}".strip())
        while (item := self._actions.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for key, text in actions:
            link = button(text, "link")
            link.clicked.connect(lambda _checked=False, key=key: self.action_triggered.emit(key))
            self._actions.addWidget(link)
        self.set_tokens(self._tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        names = {"warn": ("triangle-alert", tokens.warn), "block": ("circle-x", tokens.block)}
        shown = names.get(self._tone)
        self._icon.setVisible(shown is not None)
        if shown is not None:
            self._icon.setPixmap(icon_pixmap(*shown, 16, self.devicePixelRatioF()))
