"""Owns the embedded witness: a child process with its own key, started again when it dies.

It never stands in for the witness, and leaves no process behind: the child ends with its stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

import backend
from contract.receipts.keys import VerifierKey

_log = logging.getLogger(__name__)
RESTART_FIRST_S = 0.1
RESTART_MOST_S = 5.0
_STEADY_S = 10.0
_END_WITHIN_S = 3.0


class _Hello(msgspec.Struct, frozen=True, kw_only=True):
    port: int
    witness_key: str


class WitnessProcess:
    """Keeps one witness running; `prepare` starts the first before the log's key is known."""

    def __init__(
        self, data_dir: Path, database_key: bytes, moved: Callable[[VerifierKey, str], None]
    ) -> None:
        """`moved` is told the witness's key and each new address, "" while it is away."""
        self._folder = data_dir
        self._database_key = database_key
        self._moved = moved
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Return the running process's id, None between two starts."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def prepare(self) -> None:
        """Start the process; it loads its code while the backend opens its database."""
        self._process = await asyncio.create_subprocess_exec(
            *_command(),
            "witness",
            "--embedded",
            "--data-dir",
            str(self._folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": _python_path()},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    async def run(self, log_key: VerifierKey, rotations: Sequence[str] = ()) -> None:
        """Have the witness watch this log, and start it anew whenever it ends, until cancelled."""
        loop = asyncio.get_running_loop()
        delay_s = RESTART_FIRST_S
        try:
            while True:
                began_s = loop.time()
                if self._process is None:
                    await self.prepare()
                await self._live(log_key, rotations)
                if loop.time() - began_s > _STEADY_S:
                    delay_s = RESTART_FIRST_S
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, RESTART_MOST_S)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """End the process: close its input, then force it."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_END_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _live(self, log_key: VerifierKey, rotations: Sequence[str]) -> None:
        """Say what the witness must know, tell its address, return once it has ended."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        line = msgspec.json.encode(
            {
                "database_key": self._database_key.hex(),
                "log_key": str(log_key),
                "rotations": list(rotations),
                "parent_pid": os.getpid(),
            }
        )
        key: VerifierKey | None = None
        with contextlib.suppress(ConnectionError):
            process.stdin.write(line + b"\n")
            await process.stdin.drain()
        told = await process.stdout.readline()
        with contextlib.suppress(msgspec.DecodeError):
            hello = msgspec.json.decode(told, type=_Hello)
            key = VerifierKey.parse(hello.witness_key)
            self._moved(key, f"http://127.0.0.1:{hello.port}")
        await process.wait()
        self._process = None
        if key is not None:
            self._moved(key, "")
        _log.warning("the witness ended", extra={"status": process.returncode})


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-P", "-m", "backend"]


def _python_path() -> str:
    """Return the search path by which the child finds this very code."""
    own = str(Path(backend.__file__).parent.parent)
    return os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])])
