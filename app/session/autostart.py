"""Owns the entry by which this user's session starts Parley: there while they want it.

It never touches what IT laid down for the whole computer; `--autostart` respects the user there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

OPTION = "--autostart"
DESKTOP_ENTRY = "parley.desktop"
LAUNCH_AGENT = "com.parley.desktop.autostart"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
RUN_VALUE = "Parley"


class UserValues(Protocol):
    """The text values of one key below HKEY_CURRENT_USER."""

    def get(self, name: str) -> str | None:
        """Return a value, None when there is none."""

    def put(self, name: str, text: str) -> None:
        """Write a value; raises OSError."""

    def remove(self, name: str) -> None:
        """Remove a value that may be there; raises OSError."""


def keep_autostart(
    wanted: bool,
    command: Sequence[str],
    *,
    platform: str = sys.platform,
    environ: Mapping[str, str] = os.environ,
    run_values: Callable[[], UserValues] | None = None,
) -> None:
    """Have the session start `command` with `--autostart`, or have it start nothing.

    What already says so is left as it is. `run_values` replaces the registry's Run key. Raises
    OSError when the entry can't be written.
    """
    words = (*command, OPTION)
    if platform == "win32":
        _keep_value((run_values or _registry_values)(), wanted, words)
    elif platform == "darwin":
        home = Path(environ.get("HOME") or Path.home())
        path = home / "Library" / "LaunchAgents" / f"{LAUNCH_AGENT}.plist"
        _keep_file(path, _launch_agent(words) if wanted else None)
    else:
        path = _config_home(environ) / "autostart" / DESKTOP_ENTRY
        _keep_file(path, _desktop_entry(words) if wanted else None)


def windows_command(words: Sequence[str]) -> str:
    """Return words as one Windows command line, the program always in quotation marks."""
    import subprocess

    return f'"{words[0]}" {subprocess.list2cmdline(words[1:])}'.rstrip()


def _keep_value(values: UserValues, wanted: bool, words: Sequence[str]) -> None:
    if wanted:
        text = windows_command(words)
        if values.get(RUN_VALUE) != text:
            values.put(RUN_VALUE, text)
    elif values.get(RUN_VALUE) is not None:
        values.remove(RUN_VALUE)


def _registry_values() -> UserValues:
    from app.session.run_key import RunKey

    return RunKey(RUN_KEY)


def _keep_file(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    try:
        if path.read_bytes() == content:
            return
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(content)
    draft.replace(path)


def _config_home(environ: Mapping[str, str]) -> Path:
    """Return the folder of the XDG Base Directory Specification; a relative one is not taken."""
    own = environ.get("XDG_CONFIG_HOME", "")
    if own.startswith("/"):
        return Path(own)
    return Path(environ.get("HOME") or Path.home()) / ".config"


def _desktop_entry(words: Sequence[str]) -> bytes:
    """Return the entry of the Desktop Application Autostart Specification."""
    command = " ".join(_desktop_quoted(word) for word in words)
    return (
        "[Desktop Entry]\n"
        "Type=Application\n"
        "Name=Parley\n"
        "Comment=Starts Parley with the session\n"
        f"Exec={command}\n"
        "Icon=parley\n"
        "Terminal=false\n"
        "X-GNOME-Autostart-enabled=true\n"
    ).encode()


def _desktop_quoted(word: str) -> str:
    """Quote a word of an Exec line (Desktop Entry Specification, "The Exec key")."""
    inner = word.replace("%", "%%")
    for sign in ("\\", '"', "`", "$"):
        inner = inner.replace(sign, f"\\{sign}")
    # The value's own escape rule doubles each backslash once more.
    return '"' + inner.replace("\\", "\\\\") + '"'


def _launch_agent(words: Sequence[str]) -> bytes:
    import plistlib

    return plistlib.dumps(
        {
            "Label": LAUNCH_AGENT,
            "ProgramArguments": list(words),
            "RunAtLoad": True,
            "ProcessType": "Interactive",
            "LimitLoadToSessionType": "Aqua",
        }
    )
