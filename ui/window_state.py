"""Remembers where the window stood, how large its text is and which conversation was open.

It never keeps anything about clients or messages but that conversation's opaque id.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, QSettings, QSize
from PySide6.QtGui import QGuiApplication

from contract.ids import ConversationId
from ui.views.main_window import MainWindow

FILE_NAME = "window.ini"
_FIRST_SIZE = QSize(1440, 900)
_TEXT_SIZE = "text_size_percent"
_CONVERSATION = "conversation"
_DISMISSED_VERSION = "dismissed_version"


class WindowState:
    """One small file beside the user's settings."""

    def __init__(self, config_dir: Path) -> None:
        self._settings = QSettings(str(config_dir / FILE_NAME), QSettings.Format.IniFormat)

    def restore(self, window: MainWindow) -> None:
        """Put the window where it was; the first time, or off every screen, in its middle."""
        geometry = self._settings.value("geometry")
        splitter = self._settings.value("splitter")
        if isinstance(splitter, QByteArray):
            window.restore_splitter(bytes(splitter.data()))
        if isinstance(geometry, QByteArray) and window.restoreGeometry(geometry):
            screens = QGuiApplication.screens()
            if any(one.availableGeometry().intersects(window.geometry()) for one in screens):
                return
        window.resize(_FIRST_SIZE.boundedTo(_available().size()))

    def save(self, window: MainWindow) -> None:
        """Note where the window stands; a full disk is no fault here."""
        self._settings.setValue("geometry", window.saveGeometry())
        self._settings.setValue("splitter", QByteArray(window.splitter_state()))
        self._settings.sync()

    def conversation(self) -> ConversationId | None:
        """Return the conversation that was open last, None when there was none."""
        value = self._settings.value(_CONVERSATION, "")
        return ConversationId(value) if isinstance(value, str) and value else None

    def set_conversation(self, conversation_id: ConversationId | None) -> None:
        """Keep which conversation is open; written to the file when Qt sees fit."""
        self._settings.setValue(_CONVERSATION, conversation_id or "")

    def dismissed_version(self) -> str:
        """Return the newer version the user has read of, "" for none."""
        return str(self._settings.value(_DISMISSED_VERSION, ""))

    def set_dismissed_version(self, version: str) -> None:
        """Keep which newer version need not be told of again."""
        self._settings.setValue(_DISMISSED_VERSION, version)
        self._settings.sync()

    def text_size_percent(self) -> int:
        """Return the chosen text size, 100 when none was chosen."""
        return read_text_size_percent(self._settings)

    def set_text_size_percent(self, percent: int) -> None:
        """Keep the text size for the next start."""
        self._settings.setValue(_TEXT_SIZE, percent)
        self._settings.sync()


def read_text_size_percent(settings: QSettings) -> int:
    """Return a kept text size between 100 and 200, 100 for anything else."""
    value = settings.value(_TEXT_SIZE, 100)
    try:
        percent = int(str(value))
    except ValueError:
        return 100
    return percent if 100 <= percent <= 200 else 100


def _available() -> QRect:
    return QGuiApplication.primaryScreen().availableGeometry()
