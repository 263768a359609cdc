"""Owns the standard streams of a windowed program, which may have been started without any.

It never takes a stream away that the program was given.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

_PARENT_PROCESS = -1


def provide_streams() -> None:
    """Give the process a standard output and error where it has none; call it before printing.

    A windowed EXE has none (`sys.stdout` is None). It then writes to the console it was started
    from, if there is one, else to nowhere.
    """
    if sys.stdout is not None and sys.stderr is not None:
        return
    console = _console_of_parent()
    if sys.stdout is None:
        sys.stdout = console or _nowhere()
    if sys.stderr is None:
        sys.stderr = console or _nowhere()


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


if sys.platform == "win32":

    def _console_of_parent() -> TextIO | None:
        """Return the console of the program that started this one, None when it has none."""
        import ctypes

        if not ctypes.windll.kernel32.AttachConsole(_PARENT_PROCESS):
            return None
        try:
            return Path("CONOUT$").open("w", encoding="utf-8", errors="replace")
        except OSError:
            return None

else:

    def _console_of_parent() -> TextIO | None:
        """Return None: only Windows has programs without streams."""
        return None
