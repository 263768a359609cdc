"""Owns how a firm's commands get the database key: from a file, or from the line on stdin.

It never takes a key from the command line, where other users of the computer could read it.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from pathlib import Path

import msgspec

from backend.listening import Handshake
from backend.workspace_errors import WorkspaceError


class Told(Handshake, frozen=True, kw_only=True):
    """The line on stdin with the settings of a channel account, for the commands that take them."""

    settings: dict[str, str] = msgspec.field(default_factory=dict)


def told_key(arguments: argparse.Namespace) -> Told:
    """Return the line on stdin, or with a key file that one's key: stdin stays unread then.

    Raises WorkspaceError, or ValueError for a line that is wrong.
    """
    if arguments.key_file is None:
        told = read_told()
        assert told.key
        return told
    told = Told(database_key=_read_key(arguments.key_file))
    try:
        assert told.key
    except ValueError as error:
        raise WorkspaceError(
            "The key file must hold 64 hex digits and nothing else: make one with "
            "`openssl rand -hex 32`."
        ) from error
    return told


def read_told() -> Told:
    """Return the next line of stdin; raises ValueError when it is wrong."""
    return msgspec.json.decode(sys.stdin.buffer.readline(), type=Told)


def read_settings_line() -> dict[str, str]:
    """Return the settings on the next line of stdin, none at its end; raises ValueError."""
    line = sys.stdin.buffer.readline().strip()
    return msgspec.json.decode(line, type=_Settings).settings if line else {}


class _Settings(msgspec.Struct, frozen=True, kw_only=True):
    settings: dict[str, str]


def _read_key(path: Path) -> str:
    try:
        if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise WorkspaceError("Others can read the key file: run `chmod 600` on it.")
        return path.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        raise WorkspaceError("The key file can't be read.") from error
