"""Reads what processes cost: memory, CPU time and wake-ups, from Linux's /proc.

It never signals a process, and counts no process that has ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

from tests.benchmarks.lines import NotMeasured

_MB = 1e6


def require_proc() -> None:
    """Raise NotMeasured where there is no /proc with memory maps."""
    if not sys.platform.startswith("linux"):
        raise NotMeasured("memory and wake-ups are read from Linux's /proc")


def family(pid: int) -> list[int]:
    """Return a process with all that descend from it."""
    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def pss_mb(pids: list[int]) -> float:
    """Return the memory of processes in MB (10^6 bytes), what they share with others by parts."""
    return sum(map(_pss_kib, pids)) * 1024 / _MB


def cpu_s(pids: list[int]) -> float:
    """Return the CPU time of processes so far, to 0.01 s, their ended threads included."""
    return sum(map(_ticks, pids)) / os.sysconf("SC_CLK_TCK")


def wake_ups(pids: list[int]) -> int:
    """Return how often the processes' living threads went to sleep, and so woke, so far."""
    return sum(_switches(task / "status") for pid in pids for task in _tasks(pid))


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _pss_kib(pid: int) -> int:
    return _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")


def _switches(path: Path) -> int:
    return _field(path, "voluntary_ctxt_switches:")


def _field(path: Path, name: str) -> int:
    try:
        lines = path.read_text("ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def _ticks(pid: int) -> int:
    try:
        # The command's name stands in brackets and may hold anything; user and system time follow.
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
