"""Where files lie: by default, moved for a test, and placed by IT.

It does not create a store.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings.paths import app_paths, config_dir
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source


def settings(**managed: object) -> Settings:
    """Return settings with some managed values."""
    return Settings(load_schema(), [Source(Origin.MANAGED, "policies.json", managed)])


def test_everything_lies_below_the_variable(tmp_path: Path) -> None:
    environ = {"PARLEY_DATA_DIR": str(tmp_path)}
    paths = app_paths(settings(), environ)
    assert paths.data_dir == paths.outbox_dir == tmp_path / "data"
    assert paths.config_dir == config_dir(environ) == tmp_path / "config"
    assert paths.log_dir == tmp_path / "logs"


def test_it_places_folders_over_the_variable(tmp_path: Path) -> None:
    environ = {"PARLEY_DATA_DIR": str(tmp_path / "own")}
    managed = settings(DataFolder=str(tmp_path / "it"), OutboxFolder=str(tmp_path / "out"))
    paths = app_paths(managed, environ)
    assert (paths.data_dir, paths.outbox_dir) == (tmp_path / "it", tmp_path / "out")
    assert paths.config_dir == tmp_path / "own" / "config"


def test_the_outbox_follows_the_data_folder(tmp_path: Path) -> None:
    paths = app_paths(settings(DataFolder=str(tmp_path / "it")), {})
    assert paths.outbox_dir == tmp_path / "it"


def test_the_systems_folders_are_local_to_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    paths = app_paths(settings(), {})
    assert paths.data_dir.is_relative_to(tmp_path)
    assert paths.config_dir == config_dir({})


def test_folders_are_made_for_this_user_alone(tmp_path: Path) -> None:
    paths = app_paths(settings(), {"PARLEY_DATA_DIR": str(tmp_path / "p")})
    paths.create()
    paths.create()
    assert all(
        folder.is_dir() and folder.stat().st_mode & 0o077 == 0
        for folder in (paths.data_dir, paths.config_dir, paths.log_dir)
    )
