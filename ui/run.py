"""Runs the window from its start to its end: first frame, loop, core, clean shutdown.

It never decides anything about messages, and imports no Qt and no loop before they are needed:
the order of what is imported here is the order in which a cold start can afford it.
"""

from __future__ import annotations

import gc
import logging

from app.core import Core
from app.domain.clock import SystemClock
from app.session.instance_door import knock
from app.settings.keys import Key
from app.settings.paths import AppPaths, app_paths, config_dir
from app.settings.settings import Settings
from ui.early_start import EarlyStart
from ui.qt_bindings import spare_source_reading

_LEVELS = {"warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}


def run_window(*, theme: str | None, version: str, link: str = "", by_session: bool = False) -> int:
    """Open Parley's window and return when it was closed.

    `link` is followed, by the Parley that runs already if there is one. With `by_session` the
    session started it: nothing happens unless the setting Autostart is on and a backend is set.
    """
    gc.disable()  # what a start imports stays: looking it over again and again takes a tenth of it
    config = config_dir()
    settings = Settings.load(config)
    lacks_backend = not (settings.text(Key.BACKEND_URL) or settings.flag(Key.EMBEDDED_BACKEND))
    if by_session and (lacks_backend or not settings.flag(Key.AUTOSTART)):
        return 0
    paths = app_paths(settings)
    if knock(paths.data_dir, link, quietly=by_session):
        return 0
    start = _Start(settings, paths, theme or "", version)
    if lacks_backend:
        return start.run_once_set_up(link)
    return start.run(link, quietly=by_session)


class _Start:
    """One start over settings that may be read anew before there is a backend."""

    def __init__(self, settings: Settings, paths: AppPaths, own_theme: str, version: str) -> None:
        """`own_theme` is this run's, "" for that of the settings."""
        self._settings = settings
        self._paths = paths
        self._own_theme = own_theme
        self._theme = own_theme or settings.text(Key.THEME)
        self._version = version
        self._try_sample = False

    def run_once_set_up(self, link: str) -> int:
        """Say that Parley is not set up, and go on once it is or the sample is wished for."""
        spare_source_reading()
        from app.setup import Setup, setup_of
        from ui.look import Look
        from ui.not_set_up import Outcome, stay_until_set_up
        from ui.window_life import create_application

        if setup_of(self._settings) is not Setup.READY:
            look = Look(create_application(self._paths.config_dir), self._theme)
            outcome = stay_until_set_up(look, self._settings, self._version, self._reload)
            if outcome is Outcome.CLOSED:
                return 0
            self._try_sample = outcome is Outcome.SAMPLE
        return self.run(link, quietly=False)

    def run(self, link: str, *, quietly: bool) -> int:
        """Open the window, over a core of the settings that hold now."""
        early = EarlyStart(self._make_core)
        spare_source_reading()
        from ui.look import Look
        from ui.window_life import WindowLife, create_application

        config = self._paths.config_dir
        application = create_application(config)
        look = Look(application, self._theme)
        life = WindowLife(
            application,
            config,
            look,
            self._version,
            self._make_core,
            link=link,
            quietly=quietly,
            own_theme=self._own_theme,
        )
        life.show_early(early)
        from app.diagnostics.logs import stop_logging
        from app.process_memory import limit_arenas
        from ui.bridge.loop import create_loop, log_what_qt_says, run_to_end

        limit_arenas()
        _start_log(self._paths, self._settings)
        log_what_qt_says()
        loop = create_loop(application)
        try:
            return run_to_end(loop, life.live)
        finally:
            stop_logging()

    def _reload(self) -> Settings:
        self._settings = Settings.load(self._paths.config_dir)
        self._paths = app_paths(self._settings)
        return self._settings

    def _make_core(self, passphrase: str | None) -> Core:
        return Core(
            self._settings,
            self._paths,
            SystemClock(),
            passphrase=passphrase,
            try_sample=self._try_sample,
        )


def _start_log(paths: AppPaths, settings: Settings) -> None:
    from app.diagnostics.logs import start_logging

    try:
        start_logging(paths.log_dir, level=_LEVELS[settings.text(Key.LOG_LEVEL)])
    except OSError:
        logging.getLogger(__name__).warning("the log folder can't be written")
