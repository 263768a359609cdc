"""The user's settings file: written whole or not at all, and only what the user may set.

It does not test precedence.
"""

from __future__ import annotations

from pathlib import Path

from app.settings.schema import Value, load_schema
from app.settings.user_file import UserSettings

SCHEMA = load_schema()


def save(folder: Path, **changes: Value | None) -> tuple[str, ...]:
    """Save changes in a folder; return the faults."""
    return UserSettings(folder).save(SCHEMA, changes)


def test_settings_are_kept_and_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    assert UserSettings(folder).read().values == {}
    assert save(folder, Theme="dark", EnterSends=False) == ()
    assert save(folder, Theme=None, UndoSendSeconds=0) == ()
    assert UserSettings(folder).read().values == {"EnterSends": False, "UndoSendSeconds": 0}


def test_one_bad_change_saves_none(tmp_path: Path) -> None:
    save(tmp_path, Theme="dark")
    faults = save(tmp_path, Theme="light", UndoSendSeconds=99, PolicyVerifierKey="x", Nothing=1)
    assert faults == (
        "UndoSendSeconds: it has to be a whole number from 0 to 10",
        "PolicyVerifierKey: only your IT department can set this",
        "Nothing: there is no such setting",
    )
    assert UserSettings(tmp_path).read().values == {"Theme": "dark"}


def test_keys_of_a_newer_version_survive(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"FromTheFuture": 1}')
    save(tmp_path, Theme="dark")
    assert UserSettings(tmp_path).read().values == {"FromTheFuture": 1, "Theme": "dark"}


def test_a_broken_file_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{broken")
    assert "not a JSON object" in UserSettings(tmp_path).read().fault
    assert save(tmp_path, Theme="dark") == ()
    assert (tmp_path / "settings.json.broken").read_text() == "{broken"
    assert UserSettings(tmp_path).read().values == {"Theme": "dark"}


def test_a_failed_write_leaves_no_rest_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (fault,) = save(tmp_path / "file", Theme="dark")
    assert fault.startswith("Your settings could not be saved")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_file_is_the_users_alone(tmp_path: Path) -> None:
    save(tmp_path, Theme="dark")
    assert (tmp_path / "settings.json").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]
