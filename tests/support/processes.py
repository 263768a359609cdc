"""Finds processes that the tests started, by a word of their command line.

It never names a process that has ended: one that goes while it is looked at counts as gone.
"""

from __future__ import annotations

import os

import psutil


def children_with(word: str, *, of: int | None = None) -> list[psutil.Process]:
    """Return the living children of process `of` (this one: None) with `word` in their command."""
    try:
        children = psutil.Process(os.getpid() if of is None else of).children()
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if word in " ".join(_command(child))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie counts as one, too
        return []
