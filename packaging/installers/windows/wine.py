"""A Windows to build and to test in: wine prefixes of our own, and programs run in them.

It never touches the prefix or the home of whoever builds, and nothing of a prefix is shipped.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from installers.faults import BuildFault
from installers.places import CACHE, PACKAGING

SETUP_S = 900.0
RUN_S = 600.0
# Windows' own libraries that wine 8 lacks and our wheels import (Qt's core, Rust's library).
STAND_INS = ("icuuc", "bcryptprimitives")
_LOADER = Path("/usr/lib/wine/wine64")
_SERVER = Path("/usr/lib/wine/wineserver64")
# What wine prints, with status 1, where its server ended just as a program asked for it: the
# server goes seconds after the last program. Thread 0: no program of Windows has begun yet.
_NEVER_BEGAN = "wine client error:0:"
_MOST_STARTS = 4
_REVISION = 2  # raise it whenever prefixes are set up differently


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program did: its exit status, and all it printed, both streams in one."""

    status: int
    output: str


@dataclass(frozen=True, slots=True)
class Wine:
    """One prefix: a drive C of its own with its registry, and a home beside it."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> Path:
        """Return the folder that wine calls WINEPREFIX."""
        return self.folder / "prefix"

    @property
    def drive_c(self) -> Path:
        """Return drive C as a folder of this machine."""
        return self.prefix / "drive_c"

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return all environment variables a program gets, those of `variables` last.

        Names that begin with QT_ reach no program in wine: give WINEQT_… instead.
        """
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "WINEPREFIX": str(self.prefix),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "winemenubuilder.exe=d;mscoree=;mshtml=",
            "WINEQT_QPA_PLATFORM": "offscreen",
            **self.variables,
            **(variables or {}),
        }

    def run(
        self,
        arguments: Sequence[str | Path],
        *,
        variables: Mapping[str, str] | None = None,
        folder: Path | None = None,
        timeout_s: float = RUN_S,
    ) -> Ran:
        """Run a program of Windows to its end; paths among the arguments are translated.

        Its standard input is empty and its output a pipe: with others wine loses output. One that
        never began, as its server was just ending, is run again. Raises BuildFault where it has
        not ended within `timeout_s`, and then ends all that runs in this prefix; a failure is in
        the status.
        """
        ran = self._run(arguments, variables, folder, timeout_s)
        for _ in range(_MOST_STARTS - 1):
            if ran.status == 0 or _NEVER_BEGAN not in ran.output:
                break
            ran = self._run(arguments, variables, folder, timeout_s)
        return ran

    def _run(
        self,
        arguments: Sequence[str | Path],
        variables: Mapping[str, str] | None,
        folder: Path | None,
        timeout_s: float,
    ) -> Ran:
        try:
            ran = subprocess.run(
                self.command(arguments),
                env=self.environment(variables),
                cwd=folder or self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            self.stop()  # only wine's own process was ended, not the program in it
            raise BuildFault(
                f"{Path(str(arguments[0])).name} has not ended within {timeout_s:.0f} s in wine."
            ) from late
        output = ran.stdout.decode("utf-8", errors="replace").replace("\r\n", "\n")
        return Ran(ran.returncode, output)

    def command(self, arguments: Sequence[str | Path]) -> list[str]:
        """Return the command line that starts a program of Windows in this prefix."""
        told = [windows_path(word) if isinstance(word, Path) else word for word in arguments]
        return [str(_LOADER), *told]

    def stop(self) -> None:
        """End every program of this prefix, and its server."""
        for option in ("-k", "-w"):
            subprocess.run(
                [str(_SERVER), option],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=300,
                check=False,
            )


def windows_path(path: Path) -> str:
    """Return how a program in wine names a file of this machine: drive Z is the root."""
    return "Z:" + str(path.absolute()).replace("/", "\\")


def building() -> Wine:
    """Return the prefix in which bundles are built, made at the first call and then kept."""
    folder = CACHE / "wine" / f"building-{_key()}"
    return Wine(folder) if folder.is_dir() else prepare(folder)


def prepare(folder: Path) -> Wine:
    """Make a new prefix, `folder`, that passes for Windows 10 and has one user.

    The first one of all takes some 20 s, each further one is a copy of 700 MB. Raises BuildFault
    when wine is missing or can't.
    """
    pristine = _pristine()
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(pristine.folder, folder, symlinks=True)
    return Wine(folder)


def _pristine() -> Wine:
    """Return the prefix that all others are copied from; nothing runs in it any more."""
    folder = CACHE / "wine" / f"pristine-{_key()}"
    if not folder.is_dir():
        print("Setting wine up")
        folder.parent.mkdir(parents=True, exist_ok=True)
        for outdated in folder.parent.glob("*-*"):
            shutil.rmtree(outdated)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new") as new:
            made = _set_up(Wine(Path(new) / "made"))
            made.folder.rename(folder)
    return Wine(folder)


def _set_up(wine: Wine) -> Wine:
    if not _LOADER.is_file():
        raise BuildFault("wine is not installed: run .ci/packaging-tools once.")
    (wine.folder / "home").mkdir(parents=True)
    for command in (["wineboot", "--init"], ["winecfg", "-v", "win10"]):
        ran = wine.run(command, timeout_s=SETUP_S)
        if ran.status != 0:
            raise BuildFault(f"{command[0]} can't set wine up: {ran.output.strip()[-400:]}")
    for name in STAND_INS:
        _compile(name, wine.drive_c / "windows" / "system32" / f"{name}.dll")
    wine.stop()
    for path in (wine.drive_c / "users").rglob("*"):
        if path.is_symlink():  # Desktop, Documents and others: wine leads them out of the prefix
            path.unlink()
            path.mkdir()
    return wine


def _compile(name: str, target: Path) -> None:
    source = PACKAGING / "windows" / f"wine_{name}.c"
    compile_library = ["x86_64-w64-mingw32-gcc", "-shared", "-Os", "-s", str(source)]
    ran = subprocess.run(
        [*compile_library, "-ladvapi32", "-Wl,--no-insert-timestamp", "-o", str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise BuildFault(f"{source.name} can't be compiled: {ran.stderr.strip()[-400:]}")


def _key() -> str:
    """Return what a prefix depends on, as a short digest."""
    parts = [str(_REVISION).encode()]
    parts += [(PACKAGING / "windows" / f"wine_{name}.c").read_bytes() for name in STAND_INS]
    if _LOADER.is_file():
        parts.append(str(_LOADER.stat().st_size).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
