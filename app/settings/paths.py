"""Owns where Parley keeps its files on this computer.

It never picks a roaming folder, and it creates nothing before it is asked to.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.settings.keys import Key
from app.settings.settings import Settings

DATA_DIR_VARIABLE = "PARLEY_DATA_DIR"
_APP_NAME = "Parley"
_FOLDER_MODE = 0o700


@dataclass(frozen=True, slots=True)
class AppPaths:
    """The folders of one user: cache, unsent messages, own settings, logs."""

    data_dir: Path
    outbox_dir: Path
    config_dir: Path
    log_dir: Path

    def create(self) -> None:
        """Create the folders, readable by this user alone; raises OSError."""
        for folder in (self.data_dir, self.outbox_dir, self.config_dir, self.log_dir):
            folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)


def config_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the user's settings file: what `Settings.load` needs first."""
    own = environ.get(DATA_DIR_VARIABLE)
    return Path(own).absolute() / "config" if own else _platform_dirs()[1]


def app_paths(settings: Settings, environ: Mapping[str, str] = os.environ) -> AppPaths:
    """Return the folders: managed ones first, then PARLEY_DATA_DIR, then the system's custom.

    PARLEY_DATA_DIR holds everything below itself; it never moves what IT has placed.
    """
    own = environ.get(DATA_DIR_VARIABLE)
    if own:
        root = Path(own).absolute()
        data, config, log = root / "data", root / "config", root / "logs"
    else:
        data, config, log = _platform_dirs()
    data = settings.path(Key.DATA_FOLDER) or data
    return AppPaths(
        data_dir=data,
        outbox_dir=settings.path(Key.OUTBOX_FOLDER) or data,
        config_dir=config,
        log_dir=log,
    )


def _platform_dirs() -> tuple[Path, Path, Path]:
    from platformdirs import PlatformDirs

    dirs = PlatformDirs(_APP_NAME, appauthor=False, roaming=False)
    return Path(dirs.user_data_dir), Path(dirs.user_config_dir), Path(dirs.user_log_dir)
