"""Runs the window from its start to its end: first frame, loop, core, clean shutdown.

It never decides anything about messages, and imports no Qt and no loop before they are needed:
the order of what is imported here is the order in which a cold start can afford it.
"""

from __future__ import annotations

import gc
import logging

from app.core import Core
from app.domain.clock import SystemClock
from app.settings.keys import Key
from app.settings.paths import AppPaths, app_paths, config_dir
from app.settings.settings import Settings
from ui.early_start import EarlyStart
from ui.qt_bindings import spare_source_reading

_LEVELS = {"warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}


def run_window(*, theme: str | None, version: str) -> int:
    """Open Parley's window and return when it was closed."""
    gc.disable()  # what a start imports stays: looking it over again and again takes a tenth of it
    config = config_dir()
    settings = Settings.load(config)
    paths = app_paths(settings)

    def make_core(passphrase: str | None) -> Core:
        return Core(settings, paths, SystemClock(), passphrase=passphrase)

    early = EarlyStart(make_core)
    spare_source_reading()
    from ui.window_life import WindowLife, create_application

    application = create_application(config)
    life = WindowLife(application, config, theme or settings.text(Key.THEME), version, make_core)
    life.show_early(early)
    from app.diagnostics.logs import stop_logging
    from app.process_memory import limit_arenas
    from ui.bridge.loop import create_loop, log_what_qt_says, run_to_end

    limit_arenas()
    _start_log(paths, settings)
    log_what_qt_says()
    loop = create_loop(application)
    try:
        return run_to_end(loop, life.live)
    finally:
        stop_logging()


def _start_log(paths: AppPaths, settings: Settings) -> None:
    from app.diagnostics.logs import start_logging

    try:
        start_logging(paths.log_dir, level=_LEVELS[settings.text(Key.LOG_LEVEL)])
    except OSError:
        logging.getLogger(__name__).warning("the log folder can't be written")
