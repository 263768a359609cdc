"""Stacks the banners above the inbox and the timeline.

It never decides which there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.models.banner_words import BannerWords
from ui.theme.tokens import Tokens
from ui.theme.widgets import Banner
from ui.views.tab_order import join_tab_order


class BannerStack(QWidget):
    """One strip a banner; strips that stay keep their widget and the focus within."""

    action_triggered = Signal(str)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._strips: dict[str, tuple[BannerWords, Banner]] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 8, 12, 8)
        self._column.setSpacing(6)
        self.setAccessibleName("Notices")
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        for _, strip in self._strips.values():
            strip.set_tokens(tokens)

    def show_banners(self, wanted: Sequence[BannerWords]) -> None:
        """Show exactly `wanted`, in that order; new words are told to screen readers."""
        for key in set(self._strips) - {words.key for words in wanted}:
            _, strip = self._strips.pop(key)
            self._column.removeWidget(strip)
            strip.hide()
            strip.deleteLater()
        for place, words in enumerate(wanted):
            known = self._strips.get(words.key)
            strip = known[1] if known else self._new_strip()
            if known is None or known[0] != words:
                strip.show_words(words.tone, words.lead, words.text, words.actions)
            if known is None or (known[0].lead, known[0].text) != (words.lead, words.text):
                self._announce(words)
            self._strips[words.key] = (words, strip)
            self._column.insertWidget(place, strip)
        self.setVisible(bool(wanted))
        join_tab_order(self)

    def texts(self) -> tuple[str, ...]:
        """Return what the strips say, from the top."""
        strips = sorted(self._strips.values(), key=lambda pair: self._column.indexOf(pair[1]))
        return tuple(f"{words.lead} {words.text}".strip() for words, _ in strips)

    def _new_strip(self) -> Banner:
        strip = Banner(self._tokens, self)
        strip.action_triggered.connect(self.action_triggered)
        return strip

    def _announce(self, words: BannerWords) -> None:
        event = QAccessibleAnnouncementEvent(self, f"{words.lead} {words.text}".strip())
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)
