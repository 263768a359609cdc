"""Compiles the bundle's two programs from packaging/macos/launcher.c, for Macs, without one.

It needs neither Apple's compiler nor its headers, and signs ad hoc alone (the linker does).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from installers.faults import BuildFault
from installers.macos import ARCHITECTURE, MINIMUM_SYSTEM
from installers.places import PACKAGING

MATERIAL = PACKAGING / "macos"
LINKERS = ("ld64.lld", "ld64.lld-14", "ld64.lld-19", "ld64.lld-16")


def build_launcher(target: Path) -> None:
    """Write the program `target`; it starts ../Resources/start.pyc by ../Frameworks' Python.

    Its name becomes part of its signature. Raises BuildFault where clang or lld is missing.
    """
    version = ".".join(str(part) for part in MINIMUM_SYSTEM)
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "launcher.o"
        _run(
            [
                *(_program("clang"), "-target", f"{ARCHITECTURE}-apple-macos{version}", "-Os"),
                *("-ffreestanding", "-fno-stack-protector", "-Wall", "-Wextra", "-Werror"),
                *("-c", "launcher.c", "-o", str(compiled)),
            ]
        )
        linked = Path(folder) / target.name
        _run(
            [
                *(_program(*LINKERS), "-arch", ARCHITECTURE, "-adhoc_codesign", "-pie"),
                *("-platform_version", "macos", version, version),
                *("-o", str(linked), str(compiled), "libpython.tbd", "libSystem.tbd"),
            ]
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(linked.read_bytes())
    target.chmod(0o755)


def _program(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise BuildFault(f"{names[0]} is missing: run .ci/packaging-tools (Debian's clang and lld).")


def _run(command: list[str]) -> None:
    told = subprocess.run(
        command, cwd=MATERIAL, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if told.returncode != 0:
        raise BuildFault(f"The launcher can't be built; {command[0]} says: {told.stderr.strip()}")
