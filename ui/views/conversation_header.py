"""The strip above a conversation: who, on which channel, under which rules, find and menu.

It never reads anything; it is handed facts.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from ui.models.conversation_facts import ConversationFacts, header_chips, header_line
from ui.theme.icons import icon
from ui.theme.tokens import Tokens
from ui.theme.widgets import Avatar, Chip, ElidedLabel


class ConversationHeader(QFrame):
    """64 pixels: avatar, name, line, chips, find in conversation, menu."""

    find_requested = Signal()
    details_toggled = Signal()
    mark_read_requested = Signal()
    copy_link_requested = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._said = ""
        self.setObjectName("conversationHeader")
        self.setFixedHeight(64)
        self.setAccessibleName("Conversation")
        self._avatar = Avatar(40, tokens)
        self._name = ElidedLabel("", "name")
        self._line = ElidedLabel("", "secondary")
        self._chips = QHBoxLayout()
        self._chips.setSpacing(8)
        self._find = self._quiet("search", "Find in this conversation (Ctrl+F)")
        self._menu_button = self._quiet("ellipsis", "More for this conversation")
        self._find.clicked.connect(self.find_requested)
        self._menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu_button.setMenu(self._menu())
        second = QHBoxLayout()
        second.setSpacing(8)
        second.addWidget(self._line, 100)
        second.addLayout(self._chips)
        second.addStretch(1)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self._name)
        words.addLayout(second)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 0, 16, 0)
        row.setSpacing(10)
        row.addWidget(self._avatar)
        row.addLayout(words, 1)
        row.addWidget(self._find)
        row.addWidget(self._menu_button)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self._avatar.set_tokens(tokens)
        self._find.setIcon(icon("search", tokens.ink2, 18))
        self._menu_button.setIcon(icon("ellipsis", tokens.ink2, 18))
        for number in range(self._chips.count()):
            item = self._chips.itemAt(number)
            chip = item.widget() if item is not None else None
            if isinstance(chip, Chip):
                chip.set_tokens(tokens)
        self.setStyleSheet(
            f"QFrame#conversationHeader {{ background: {tokens.panel};"
            f" border: none; border-bottom: 1px solid {tokens.line}; }}"
            "QToolButton::menu-indicator { image: none; }"
        )

    def show_facts(self, facts: ConversationFacts) -> None:
        """Show a conversation."""
        talk = facts.conversation
        self._avatar.set_person(talk.title, talk.initials, talk.color, talk.channel)
        self._name.ensurePolished()
        self._name.set_full_text(talk.title)
        self.setAccessibleName(f"Conversation with {talk.title}")
        self._said = header_line(facts)
        self._line.ensurePolished()
        self._line.set_full_text(self._said)
        self._line.setMaximumWidth(self._line.sizeHint().width())
        while (item := self._chips.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for words, tone in header_chips(facts):
            self._chips.addWidget(Chip(words, tone, self._tokens))

    def show_typing(self, typing: bool) -> None:
        """Say that the client types, or say the conversation's line again."""
        self._line.set_full_text("typing…" if typing else self._said)

    def texts(self) -> tuple[str, str]:
        """Return the name and the line shown."""
        return self._name.full_text(), self._line.full_text()

    def _quiet(self, icon_name: str, name: str) -> QToolButton:
        result = QToolButton()
        result.setProperty("kind", "quiet")
        result.setIcon(icon(icon_name, self._tokens.ink2, 18))
        result.setIconSize(QSize(18, 18))
        result.setAccessibleName(name)
        result.setToolTip(name)
        return result

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Mark as read", self.mark_read_requested.emit)
        menu.addAction("Find in this conversation", self.find_requested.emit)
        menu.addAction("Show or hide details", self.details_toggled.emit)
        menu.addAction("Copy link to this conversation", self.copy_link_requested.emit)
        return menu
