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

from backend.listening import Handshake, handshake_in
from backend.workspace_errors import WorkspaceError


class Told(Handshake, frozen=True, kw_only=True):
    """The line on stdin with the settings of a channel account, for the commands that take them."""

    settings: dict[str, str] = msgspec.field(default_factory=dict)


def told_key(arguments: argparse.Namespace) -> Told:
    """Return the line on stdin, or that of the key file: stdin stays unread then.

    Raises WorkspaceError, or ValueError for a line that is wrong.
    """
    if arguments.key_file is None:
        told = handshake_in(sys.stdin.buffer.readline(), Told)
        _check(told)
        return told
    try:
        told = handshake_in(_content(arguments.key_file), Told)
        _check(told)
    except ValueError as error:
        raise WorkspaceError(
            "The key file must hold the database key's 64 hex digits, or the line that stdin "
            "would tell: make a key with `openssl rand -hex 32`."
        ) from error
    return told


def read_settings_line() -> dict[str, str]:
    """Return the settings on the next line of stdin, none at its end; raises ValueError."""
    line = sys.stdin.buffer.readline().strip()
    return msgspec.json.decode(line, type=_Settings).settings if line else {}


class _Settings(msgspec.Struct, frozen=True, kw_only=True):
    settings: dict[str, str]


def _check(told: Told) -> None:
    """Raise ValueError for a key that is none."""
    len(told.key)


def _content(path: Path) -> bytes:
    try:
        if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o007:
            raise WorkspaceError("Others can read the key file: run `chmod 600` on it.")
        return path.read_bytes()
    except OSError as error:
        raise WorkspaceError("The key file can't be read.") from error
