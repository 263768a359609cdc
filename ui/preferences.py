"""Applies the user's settings to the window and keeps what the user changes.

It never changes a setting that the firm has locked; the settings' own writer refuses it, too.
"""

from __future__ import annotations

from collections.abc import Callable

from app.core import Core
from app.settings.keys import Key
from app.settings.schema import Value
from app.settings.settings import Settings
from app.settings.user_file import UserSettings
from ui.autostarting import follow_autostart
from ui.look import Look
from ui.models.settings_rows import TEXT_SIZE, service_words, setting_rows
from ui.views.main_window import MainWindow
from ui.window_state import WindowState

_LIMITS = frozenset({Key.LOCAL_CACHE_MEGABYTES, Key.ATTACHMENT_CACHE_MEGABYTES})


class Preferences:
    """The settings page's other side."""

    def __init__(
        self,
        core: Core,
        look: Look,
        state: WindowState,
        window: MainWindow,
        reload: Callable[[], Settings],
        follow_autostart: Callable[[Settings], str] = follow_autostart,
    ) -> None:
        """`follow_autostart` makes the session's entry true to the settings, or says why not."""
        self._core = core
        self._reload = reload
        self._follow_autostart = follow_autostart
        self._look = look
        self._state = state
        self._window = window
        window.settings.setting_chosen.connect(self.choose)

    def show(self) -> None:
        """Show the settings as they hold now, and apply those of the window."""
        settings = self._core.settings
        rows = setting_rows(settings, self._state.text_size_percent())
        self._window.settings.show_settings(rows, service_words(settings))
        self._window.composer.set_enter_sends(settings.flag(Key.ENTER_SENDS))

    def choose(self, key: str, value: Value) -> None:
        """Keep a choice and apply it; what can't be kept is said on the page.

        An empty text gives the setting back to what holds without the user's word.
        """
        self._window.settings.show_fault("")
        if key == TEXT_SIZE:
            self._state.set_text_size_percent(int(str(value)))
            return
        own = UserSettings(self._core.paths.config_dir)
        chosen = None if value == "" else value
        faults = own.save(self._core.settings.schema, {key: chosen})
        if faults:
            self._window.settings.show_fault(" ".join(faults))
        self._core.settings = self._reload()
        if key == Key.THEME and not faults:
            self._look.choose(self._core.settings.text(Key.THEME))
        if key == Key.AUTOSTART and (fault := self._follow_autostart(self._core.settings)):
            self._window.settings.show_fault(fault)
        if key in _LIMITS:
            self._core.rooms.upkeep.limits_changed()
        self.show()
