"""What the bundle's compiled files need, and taking out what only debuggers read.

It reads through binutils and changes no code, only tables beside it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from installers.faults import BuildFault

_NEEDED = re.compile(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]")
# PyInstaller's programs carry their modules behind the last section: strip would cut them off.
_CARRIES_MORE = re.compile(rb"PYZ\0")


def elf_files(folder: Path) -> Iterator[Path]:
    """Yield the compiled files below `folder` in the order of their paths; links are left out."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def needed(path: Path) -> frozenset[str]:
    """Return the names of the libraries a compiled file is linked to, as `libGL.so.1`."""
    return frozenset(_NEEDED.findall(run_tool("readelf", "--wide", "--dynamic", str(path))))


def needed_from_outside(folder: Path) -> dict[str, list[Path]]:
    """Return the libraries that no file below `folder` provides, each with who needs it."""
    files = list(elf_files(folder))
    inside = {path.name for path in folder.rglob("*.so*")}
    found: dict[str, list[Path]] = {}
    for path in files:
        for name in sorted(needed(path) - inside):
            found.setdefault(name, []).append(path)
    return found


def strip(files: Iterable[Path]) -> None:
    """Take out the symbols and lines that only debuggers read."""
    for path in files:
        if not _CARRIES_MORE.search(path.read_bytes()):
            run_tool("strip", "--strip-unneeded", "--enable-deterministic-archives", str(path))


def run_tool(*command: str, folder: Path | None = None) -> str:
    """Run one of binutils' programs, in `folder`, and return what it printed; BuildFault else."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise BuildFault(f"{command[0]} is missing: run .ci/packaging-tools.") from error
    if done.returncode != 0:
        raise BuildFault(f"{command[0]} refused {command[-1]}: {done.stderr.strip()[-300:]}")
    return done.stdout
