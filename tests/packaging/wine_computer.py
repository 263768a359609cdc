"""A computer with Windows to install packages on: a wine prefix, seen through registry and files.

It never runs on the machine's own prefix, and knows no package by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from installers.windows.wine import Ran, Wine, prepare, windows_path

# What a Unix exit status keeps of Windows Installer's codes.
REFUSED = 1603 % 256
INSTALL_S = 900.0
_LOG_END_BYTES = 4_000

Registry = dict[str, dict[str, str]]


_BESIDE_THE_POINT = re.compile(
    r"\\installer($|\\(features|products|upgradecodes|userdata))"
    r"|\\(external )?fonts$|^software\\wine"
)


@dataclass(frozen=True, slots=True)
class State:
    """What is on a computer: its registry and its files."""

    registry: Registry
    files: set[str]

    def since(self, before: State) -> list[str]:
        """Return what is there now and was not before, or the other way round."""
        keys = self.registry.keys() | before.registry.keys()
        changed = {key for key in keys if self.registry.get(key) != before.registry.get(key)}
        return sorted(changed | (self.files ^ before.files))


@dataclass(frozen=True, slots=True)
class Computer:
    """A prefix and the folders of its one user."""

    wine: Wine
    local_app_data: Path

    def msiexec(self, *words: str | Path, log: Path | None = None) -> Ran:
        """Run Windows Installer without a window; return its status (modulo 256) and output.

        What it printed and the end of its log go where a failed test shows them.
        """
        logged = log or self.wine.folder / "msiexec.log"
        logged.unlink(missing_ok=True)
        ran = self.wine.run(["msiexec", *words, "/qn", "/l*v", logged], timeout_s=INSTALL_S)
        told = logged.read_bytes()[-_LOG_END_BYTES:] if logged.is_file() else b""
        print(f"msiexec {words} ended with {ran.status}: {ran.output}\n{_readable(told)}")
        return ran

    def install(self, package: Path, **properties: object) -> int:
        """Install a package with public properties; return the exit status, modulo 256."""
        given = [f"{name}={value}" for name, value in properties.items()]
        return self.msiexec("/i", package, *given).status

    def uninstall(self, package: Path) -> int:
        """Remove what a package installed; return the exit status, modulo 256."""
        return self.msiexec("/x", package).status

    def registry(self, key: str) -> Registry:
        """Return a key with everything below it, by lower-case paths; empty when there is none.

        Values are as `reg export` writes them: `"text"`, `dword:00000001`.
        """
        target = self.wine.folder / "export.reg"
        target.unlink(missing_ok=True)
        self.wine.run(["reg", "export", key, windows_path(target), "/y"])
        if not target.is_file():
            return {}
        return _parsed(target.read_text(encoding="utf-16"))

    def values(self, key: str) -> dict[str, str]:
        """Return one key's own values; empty when there is none."""
        full = key.replace("HKLM", "HKEY_LOCAL_MACHINE").replace("HKCU", "HKEY_CURRENT_USER")
        return self.registry(key).get(full.lower(), {})

    def state(self) -> State:
        """Return the whole registry and the paths of all files; programs of the prefix end.

        Left out: the empty books of Windows Installer itself, wine's own keys and fonts, and the
        key of autostart while it is empty, which wine drops.
        """
        self.wine.stop()  # only its end writes the registry down
        stored = {
            f"{hive}/{line}": values
            for hive in ("system", "user")
            for line, values in _stored(self.wine.prefix / f"{hive}.reg").items()
            if line.startswith("software\\")
            and not _BESIDE_THE_POINT.search(line)
            and (values or not line.endswith("\\run"))
        }
        paths = (path.relative_to(self.wine.prefix) for path in self.wine.drive_c.rglob("*"))
        files = {path.as_posix() for path in paths if path.name != "Installer"}
        desktop = {path for path in self.shortcuts() if "/Desktop/" in path}
        return State(stored, files | desktop)

    @property
    def programs(self) -> Path:
        """Return the folder of programs for everyone."""
        return self.wine.drive_c / "Program Files"

    def shortcuts(self) -> list[str]:
        """Return the paths of all shortcuts on drive C and on the desktop."""
        desktops = self.wine.drive_c.glob("users/*/Desktop/*.lnk")
        return sorted({path.as_posix() for path in (*desktops, *self.wine.drive_c.rglob("*.lnk"))})


def _readable(log: bytes) -> str:
    """Return what a log in UTF-16 or ASCII says, as far as it can be read."""
    return log.replace(b"\0", b"").decode("ascii", errors="replace")


def new_computer(folder: Path) -> Computer:
    """Set a computer up below `folder`, with one user and nothing installed."""
    wine = prepare(folder)
    told = wine.run(["cmd", "/c", "echo %LOCALAPPDATA%"]).output.strip()
    parts = told.replace("\\", "/").partition(":/")[2]
    return Computer(wine, wine.drive_c / parts)


def _parsed(text: str) -> Registry:
    keys: Registry = {}
    values: dict[str, str] = {}
    for line in text.replace("\\\n", "").splitlines():
        if line.startswith("["):
            values = keys.setdefault(line[1:-1].lower(), {})
        elif "=" in line:
            name, _, value = line.partition("=") if line[0] == "@" else line[1:].partition('"=')
            values[name] = value
    return keys


def _stored(file: Path) -> Registry:
    """Return a hive as wine stores it, without the times at which keys were changed."""
    keys: Registry = {}
    values: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("["):
            name = line[1 : line.rindex("]")].replace("\\\\", "\\").lower()
            values = keys.setdefault(name, {})
        elif line.startswith(('"', "@")):
            name, _, value = line.partition("=")
            values[name] = value
    return keys
