"""Owns what is looked at after each round: memory, Qt's and Python's objects, files, threads, rows.

It never holds on to an object it counted.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from ui.workspace import Workspace

_SMAPS = Path("/proc/self/smaps_rollup")
_OPEN_FILES = Path("/proc/self/fd")
_MOST_KINDS = 400


class Sample(msgspec.Struct, frozen=True):
    """Figures of one moment; `kinds` are counts of Python objects by type."""

    pss_mb: float
    figures: dict[str, float]
    kinds: dict[str, int]


def take(workspace: Workspace) -> Sample:
    """Collect garbage, then count."""
    for _ in range(2):
        gc.collect()
        QApplication.processEvents()
    kinds = Counter(
        f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects()
    )
    figures = {
        "widgets": float(len(QApplication.allWidgets())),
        "Qt objects of the window": float(len(workspace.window.findChildren(QObject))),
        "Qt objects of the workspace": float(len(workspace.findChildren(QObject))),
        "Python objects": float(sum(kinds.values())),
        "open files": float(sum(1 for _ in _OPEN_FILES.iterdir())),
        "threads": float(threading.active_count()),
        "tasks": float(len(asyncio.all_tasks())),
        "inbox rows": float(workspace.inbox.model.rowCount()),
        "timeline rows": float(workspace.timeline.model.rowCount()),
    }
    return Sample(_pss_mb(), figures, dict(kinds.most_common(_MOST_KINDS)))


def _pss_mb() -> float:
    for line in _SMAPS.read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError("this system does not tell a process's share of memory")
