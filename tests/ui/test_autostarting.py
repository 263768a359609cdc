"""Tests of the setting Autostart becoming an entry of this user's session, on a real disk.

They never touch the entry of whoever runs them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.session.autostart import DESKTOP_ENTRY
from app.settings.paths import DATA_DIR_VARIABLE
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from tests.support.log_guard import LogGuard
from ui.autostarting import follow_autostart

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the entry is a file on Linux")


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the entry comes to lie; the configuration is the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(DATA_DIR_VARIABLE, raising=False)
    return tmp_path / "config" / "autostart" / DESKTOP_ENTRY


def _settings(**by_origin: bool) -> Settings:
    sources = [
        Source(Origin(origin), origin, {"Autostart": on}) for origin, on in by_origin.items()
    ]
    return Settings(load_schema(), sources)


def test_the_entry_comes_and_goes_with_the_setting_that_holds(entry: Path) -> None:
    assert follow_autostart(_settings(user=True)) == ""
    assert "--autostart" in entry.read_text("utf-8")
    assert follow_autostart(_settings(user=False, installer=True)) == ""
    assert not entry.exists()
    assert follow_autostart(_settings(managed=True, user=False)) == ""
    assert entry.exists()


def test_a_parley_with_a_folder_for_this_run_leaves_the_session_alone(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATA_DIR_VARIABLE, "/tmp/elsewhere")
    assert follow_autostart(_settings(user=True)) == ""
    assert not entry.exists()


def test_an_entry_that_can_not_be_written_is_said_in_a_sentence(
    entry: Path, expect_log: LogGuard
) -> None:
    expect_log("autostart entry was not written")
    entry.parent.parent.write_text("a file stands here", "utf-8")
    words = follow_autostart(_settings(user=True))
    assert words.startswith("The session's autostart entry could not be written")
