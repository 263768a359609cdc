"""Compiles Python files for the bundle with the bundle's own version of Python, in wine.

It runs none of what it compiles. The bytes depend on the sources alone: no times, no folders.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from installers.faults import BuildFault
from installers.windows import runtime, wine

_PROGRAM = Path(__file__).with_name("compiling.py")


@dataclass(frozen=True, slots=True)
class Compilation:
    """One file to compile: `shown` is the path that a traceback names."""

    source: Path
    target: Path
    shown: str
    is_checked: bool = False


def compile_all(files: list[Compilation]) -> None:
    """Write each target, whose folder must stand; raises BuildFault where one can't be compiled."""
    interpreter = runtime.python()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work.json"
        work.write_text(
            json.dumps(
                [
                    (
                        wine.windows_path(one.source),
                        wine.windows_path(one.target),
                        one.shown,
                        one.is_checked,
                    )
                    for one in files
                ]
            ),
            encoding="utf-8",
        )
        ran = wine.building().run([interpreter, "-I", "-S", "-B", _PROGRAM, work])
    if ran.status != 0 or not ran.output.rstrip().endswith(f"magic {MAGIC.hex()}"):
        raise BuildFault(f"Python's files can't be compiled: {ran.output.strip()[-400:]}")


# importlib.util.MAGIC_NUMBER of every CPython 3.13
MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
