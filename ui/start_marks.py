"""Owns the moments of a start that a benchmark may want to know, appended to a file it names.

It never does anything while PARLEY_START_MARKS is not set, and writes nothing but marks and times.
"""

from __future__ import annotations

import os
import time

VARIABLE = "PARLEY_START_MARKS"


def mark(name: str) -> None:
    """Append `{"mark": name, "at_ns": …}` (CLOCK_MONOTONIC) to the file of PARLEY_START_MARKS.

    Marks in use: main, window, first_paint, store_open, connected, online, embedded_ready. A file
    that can't be written is no fault of the start.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return
    line = f'{{"mark": "{name}", "at_ns": {time.monotonic_ns()}}}\n'
    try:
        with open(path, "a", encoding="ascii") as file:  # noqa: PTH123 -- pathlib costs 9 ms
            file.write(line)
    except OSError:
        return
