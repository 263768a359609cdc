"""Chooses between the light and the dark look and applies it to the whole application.

It never stores the choice.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from ui.theme.fonts import load_fonts
from ui.theme.palette import apply_theme
from ui.theme.tokens import Tokens, tokens_for

SYSTEM = "system"


class Look(QObject):
    """One application's look; `on_changed` hears the tokens whenever they change."""

    def __init__(self, application: QApplication, theme: str) -> None:
        super().__init__(application)
        self._application = application
        self._theme = theme
        self._on_changed: Callable[[Tokens], None] | None = None
        load_fonts()
        self.tokens = self._wanted()
        apply_theme(application, self.tokens)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)

    @property
    def theme(self) -> str:
        """Return the choice: system, light or dark."""
        return self._theme

    def follow(self, on_changed: Callable[[Tokens], None] | None) -> None:
        """Tell one listener of each change; None ends it."""
        self._on_changed = on_changed

    def choose(self, theme: str) -> None:
        """Take another choice: system, light or dark."""
        self._theme = theme
        self._apply()

    def _apply(self) -> None:
        wanted = self._wanted()
        if wanted is self.tokens:
            return
        self.tokens = wanted
        apply_theme(self._application, wanted)
        if self._on_changed is not None:
            self._on_changed(wanted)

    def _wanted(self) -> Tokens:
        if self._theme == SYSTEM:
            scheme = QGuiApplication.styleHints().colorScheme()
            return tokens_for(scheme == Qt.ColorScheme.Dark)
        return tokens_for(self._theme == "dark")
