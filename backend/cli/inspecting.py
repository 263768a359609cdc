"""The command that tells what policy may know of a file, and serves as a process of its own.

It never opens a workspace, and what it is given it keeps nowhere.
"""

from __future__ import annotations

import argparse
import logging
import sys

from backend.cli.printing import print_line
from contract.inspection.apart import serve_one
from contract.inspection.inspect import inspect_file

_MOST_MEMORY_BYTES = 2 * 1024 * 1024 * 1024


def run_inspect(arguments: argparse.Namespace) -> int:
    """Inspect a file, or without one what stdin brings; print JSON and return the exit status."""
    # The library that reads PDF quotes a hostile file's words in its warnings.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)
    _limit_memory()
    if arguments.file is None:
        serve_one(sys.stdin.buffer, sys.stdout.buffer)
        return 0
    try:
        with arguments.file.open("rb") as source:
            print_line(inspect_file(arguments.file.name, source))
    except OSError as error:
        sys.stderr.write(f"The file can't be read: {error.strerror}.\n")
        return 2
    return 0


def _limit_memory() -> None:
    """Let the system refuse more memory than any limit of an inspection needs."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _MOST_MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, _MOST_MEMORY_BYTES)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    except (OSError, ValueError):
        return  # a system that knows no such limit
