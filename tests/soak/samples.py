"""Owns what is looked at after each round: memory, Qt's and Python's objects, files, threads, rows.

It never holds on to an object it counted.
"""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from collections import Counter
from pathlib import Path

import msgspec
from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from ui.workspace import Workspace

_SMAPS = Path("/proc/self/smaps")
_OPEN_FILES = Path("/proc/self/fd")
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)$")
_MOST_KINDS = 400
_TURN_S = 0.05  # long enough for what was put off to be deleted


class Sample(msgspec.Struct, frozen=True):
    """Figures of one moment.

    `kinds` are counts of Python objects by type and of Qt's by class, `mapped_mb` the memory by
    what is mapped: the heap, nameless memory, each file.
    """

    pss_mb: float
    figures: dict[str, float]
    kinds: dict[str, int]
    mapped_mb: dict[str, float]


async def take(workspace: Workspace) -> Sample:
    """Collect garbage, then count.

    The loop turns in between, by itself: a turn of Qt's within a task would lose the wake-up of
    whatever other task is due just then.
    """
    for _ in range(2):
        gc.collect()
        await asyncio.sleep(_TURN_S)
    kinds = Counter(
        f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects()
    )
    of_qt = Counter[str]()
    for top in (*QApplication.topLevelWidgets(), workspace):
        if top.parent() is None:
            of_qt += _tree(top)
    mapped = _mapped_mb()
    figures = {
        # What is mapped from files is shared: its share falls and rises with other programs.
        "memory of its own, MB": sum(mapped[name] for name in ("nameless", "[heap]", "[stack]")),
        "Qt objects": float(sum(of_qt.values())),
        "Python objects": float(sum(kinds.values())),
        "windows": float(len(QApplication.topLevelWidgets())),
        "open files": float(sum(1 for _ in _OPEN_FILES.iterdir())),
        "threads": float(threading.active_count()),
        "tasks": float(len(asyncio.all_tasks())),
        "inbox rows": float(workspace.inbox.model.rowCount()),
        "timeline rows": float(workspace.timeline.model.rowCount()),
    }
    known = dict(kinds.most_common(_MOST_KINDS)) | {f"Qt's {k}": n for k, n in of_qt.items()}
    return Sample(sum(mapped.values()), figures, known, dict(mapped.most_common(20)))


def _tree(top: QObject) -> Counter[str]:
    """Count the classes of an object and all below it.

    Qt tells them to the log: asked for as Python objects, each would stay as one more.
    """
    found = Counter[str]()

    def take_line(_kind: QtMsgType, _where: QMessageLogContext, line: str) -> None:
        found[line.strip().split("::")[0]] += 1

    before = qInstallMessageHandler(take_line)
    try:
        top.dumpObjectTree()
    finally:
        qInstallMessageHandler(before)
    return found


def _mapped_mb() -> Counter[str]:
    """Return this process's share of memory (PSS) by what is mapped."""
    found, name = Counter[str](), ""
    for line in _SMAPS.read_text().splitlines():
        if line.startswith("Pss:"):
            found[name] += int(line.split()[1]) / 1024  # type: ignore[assignment]  # counts of MB
        elif mapping := _MAPPING.match(line):
            name = Path(mapping[1]).name or "nameless"
    return found
