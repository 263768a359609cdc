"""Owns the inspection of files off the event loop: small ones in a thread, others in a process.

It never writes a byte of them in clear to a disk, and a file that fells its process fells no more.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator

from contract.inspection.apart import (
    LONGEST_S,
    MOST_BYTES_HERE,
    InspectionRequest,
    answered,
    exchange,
    inspect_here,
)
from contract.inspection.model import FileInspection, Reason, unread

MOST_AT_ONCE = 2


class FileInspector:
    """Inspects at most MOST_AT_ONCE files at a time; the others wait."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MOST_AT_ONCE)
        self._running: dict[str, asyncio.Task[FileInspection]] = {}

    async def inspect(
        self, key: str, request: InspectionRequest, pieces: Callable[[], Iterable[bytes]]
    ) -> FileInspection:
        """Tell what a file holds; `pieces` is called at most once, in a thread: its bytes.

        Who asks under a `key` that is being inspected, as after a cut line, gets that result.
        Raises what `pieces` raises. Where no process can be started the file is not evaluated.
        """
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._inspect(request, pieces), name="inspect a file")
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(task)

    async def _inspect(
        self, request: InspectionRequest, pieces: Callable[[], Iterable[bytes]]
    ) -> FileInspection:
        async with self._free:
            return await asyncio.to_thread(_inspect, request, pieces)


def _inspect(request: InspectionRequest, pieces: Callable[[], Iterable[bytes]]) -> FileInspection:
    coming = iter(pieces())
    content = b""
    for piece in coming:
        content += piece
        if len(content) > MOST_BYTES_HERE:
            break
    return inspect_here(request, content) or _inspect_apart(request, content, coming)


def _inspect_apart(
    request: InspectionRequest, content: bytes, rest: Iterator[bytes]
) -> FileInspection:
    try:
        process = _start()
    except OSError:  # the system has no room for it
        return unread(request.name, request.declared_type, Reason.NOT_INSPECTED)
    late = threading.Event()
    timer = threading.Timer(LONGEST_S, _end, (process, late))
    timer.daemon = True
    timer.start()
    try:
        answer = exchange(process, request, itertools.chain((content,), rest))
    finally:
        timer.cancel()
    return answered(request, answer, in_time=not late.is_set())


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, "inspect"]
    return [sys.executable, "-P", "-m", "backend", "inspect"]
