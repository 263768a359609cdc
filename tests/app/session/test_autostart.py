"""Tests of the user's own autostart entry on each system. They never touch this user's own."""

from __future__ import annotations

import configparser
import plistlib
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from app.session.autostart import DESKTOP_ENTRY, LAUNCH_AGENT, keep_autostart

COMMAND = ("/opt/parley x/parley",)


class Values:
    """One key of a registry, counting what is written."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {"Other": "kept"}
        self.writes = 0

    def get(self, name: str) -> str | None:
        return self.held.get(name)

    def put(self, name: str, text: str) -> None:
        self.writes += 1
        self.held[name] = text

    def remove(self, name: str) -> None:
        self.writes += 1
        del self.held[name]


def test_windows_starts_the_quoted_program_and_is_written_only_when_it_differs() -> None:
    values = Values()
    program = (r"C:\Program Files\Parley\parley.exe",)
    for _ in range(2):
        keep_autostart(True, program, platform="win32", run_values=lambda: values)
    assert values.held["Parley"] == r'"C:\Program Files\Parley\parley.exe" --autostart'
    assert values.writes == 1
    for _ in range(2):
        keep_autostart(False, program, platform="win32", run_values=lambda: values)
    assert values.held == {"Other": "kept"} and values.writes == 2


def test_linux_keeps_an_entry_that_starts_the_very_words(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    path = tmp_path / "config" / "autostart" / DESKTOP_ENTRY
    keep_autostart(True, COMMAND, platform="linux", environ=environ)
    entry = configparser.RawConfigParser()
    entry.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    entry.read(path)
    line = entry["Desktop Entry"]["Exec"].replace("\\\\", "\\").replace("%%", "%")
    assert shlex.split(line) == [*COMMAND, "--autostart"]
    assert entry["Desktop Entry"]["Type"] == "Application"
    before = path.stat().st_mtime_ns
    keep_autostart(True, COMMAND, platform="linux", environ=environ)
    assert path.stat().st_mtime_ns == before
    keep_autostart(False, COMMAND, platform="linux", environ=environ)
    keep_autostart(False, COMMAND, platform="linux", environ=environ)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("own", ["", "relative/config"])
def test_linux_takes_the_home_folder_without_a_usable_config_home(tmp_path: Path, own: str) -> None:
    environ = {"XDG_CONFIG_HOME": own, "HOME": str(tmp_path)}
    keep_autostart(True, COMMAND, platform="linux", environ=environ)
    assert (tmp_path / ".config" / "autostart" / DESKTOP_ENTRY).exists()


def test_what_a_shell_would_read_in_a_path_is_only_a_path(tmp_path: Path) -> None:
    odd = ('/opt/a "b" $HOME `id` 100% \\x/parley',)
    environ = {"HOME": str(tmp_path)}
    keep_autostart(True, odd, platform="linux", environ=environ)
    text = (tmp_path / ".config" / "autostart" / DESKTOP_ENTRY).read_text("utf-8")
    line = next(one for one in text.splitlines() if one.startswith("Exec="))[5:]
    # The value's own escapes first, then the quoted word's (Desktop Entry Specification).
    line = line.replace("\\\\", "\\").replace("%%", "%")
    read = subprocess.run(
        ["sh", "-c", f"printf '%s|' {line}"], capture_output=True, text=True, check=True, timeout=60
    )
    assert read.stdout.split("|")[:2] == [*odd, "--autostart"]


def test_macos_keeps_a_launch_agent_of_the_user(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    path = tmp_path / "Library" / "LaunchAgents" / f"{LAUNCH_AGENT}.plist"
    keep_autostart(True, COMMAND, platform="darwin", environ=environ)
    agent = plistlib.loads(path.read_bytes())
    assert agent["ProgramArguments"] == [*COMMAND, "--autostart"]
    assert agent["RunAtLoad"] is True and agent["Label"] == path.stem
    keep_autostart(False, COMMAND, platform="darwin", environ=environ)
    assert not path.exists()


def test_an_entry_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("a file stands here", "utf-8")
    assert stat.S_ISREG((tmp_path / ".config").stat().st_mode)
    with pytest.raises(OSError):
        keep_autostart(True, COMMAND, platform="linux", environ={"HOME": str(tmp_path)})
