"""The commands' answers on stdout: one JSON value a line.

It never writes to a log.
"""

from __future__ import annotations

import sys

import msgspec


def print_line(value: object) -> None:
    """Print a value as one line of JSON; bytes are JSON already."""
    line = value if isinstance(value, bytes) else msgspec.json.encode(value)
    sys.stdout.write(line.decode() + "\n")
