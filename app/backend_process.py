"""Owns one backend process: its pipes, its first line, its log and its end.

It never starts a process again and never passes a secret by argument, environment or file.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from app.domain.errors import EnvironmentFault
from app.process_memory import frugal_environment

LOG_BYTES = 1_000_000
LOG_COPIES = 3
LONGEST_LINE = 4_000
CLOSE_GRACE_S = 5.0
TERMINATE_GRACE_S = 3.0


@dataclass(frozen=True, slots=True)
class EmbeddedPlan:
    """Where the backend keeps its data and log, and the 32-byte key of its database."""

    data_dir: Path
    log_dir: Path
    database_key: bytes = field(repr=False)


class BackendProcess:
    """A process with a thread that starts it and waits for its end; made on the loop's thread."""

    def __init__(self, plan: EmbeddedPlan, secret: str) -> None:
        self._plan = plan
        self.secret = secret
        self._loop = asyncio.get_running_loop()
        self._hello: asyncio.Future[bytes] = self._loop.create_future()
        self.ended = asyncio.Event()
        self._lock = threading.Lock()
        self._popen: subprocess.Popen[bytes] | None = None
        self._stopping = False
        threading.Thread(target=self._live, name="embedded backend", daemon=True).start()

    @classmethod
    def begin(cls, plan: EmbeddedPlan) -> BackendProcess:
        """Start a process with a fresh secret."""
        return cls(plan, secrets.token_urlsafe(32))

    @property
    def pid(self) -> int | None:
        """Return the process id, None before the start and after the end."""
        return self._popen.pid if self._popen is not None and not self.ended.is_set() else None

    @property
    def status(self) -> int | None:
        """Return the exit status, None while it runs or when it never started."""
        return self._popen.returncode if self._popen is not None else None

    async def port(self) -> int:
        """Return the port the process listens on; raises EnvironmentFault when it tells none."""
        line = await asyncio.shield(self._hello)
        try:
            port = json.loads(line)["port"]
        except (ValueError, KeyError, TypeError) as fault:
            raise EnvironmentFault("the backend did not tell its port") from fault
        if not isinstance(port, int) or not 0 < port < 65_536:
            raise EnvironmentFault("the backend told no usable port")
        return port

    async def stop(self) -> None:
        """Close its input, then ask, then force it to end; returns once it is gone."""
        with self._lock:
            self._stopping = True
            popen = self._popen
        if popen is not None:
            await asyncio.to_thread(_close_quietly, popen.stdin)
        if await self._ends_within(CLOSE_GRACE_S):
            return
        self._signal(subprocess.Popen.terminate)
        if await self._ends_within(TERMINATE_GRACE_S):
            return
        self._signal(subprocess.Popen.kill)
        await self.ended.wait()

    async def _ends_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.ended.wait()
        except TimeoutError:
            return False
        return True

    def _signal(self, send: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._popen is not None:
            send(self._popen)

    # -- on its own threads ----------------------------------------------------------------

    def _live(self) -> None:
        """Start the process, say what it must know, read what it says, wait for its end."""
        popen: subprocess.Popen[bytes] | None = None
        try:
            popen = self._start()
            log = threading.Thread(target=self._keep_log, args=(popen.stderr,), daemon=True)
            out = threading.Thread(target=self._read_hello, args=(popen.stdout,), daemon=True)
            log.start()
            out.start()
            popen.wait()
            out.join(timeout=1.0)
            log.join(timeout=1.0)
        except OSError:
            logging.getLogger(__name__).error("the embedded backend can't be started")
        finally:
            if popen is not None:
                _close_quietly(popen.stdin)
            self._post(self._note_hello, b"")
            self._post(self.ended.set)

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the process and hand it its secrets on standard input, which stays open."""
        self._plan.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        no_window = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        popen = subprocess.Popen(
            [*backend_command(), "serve", "--embedded", "--data-dir", str(self._plan.data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            creationflags=no_window,
            start_new_session=os.name == "posix",
            env={**frugal_environment(), **os.environ},
        )
        line = json.dumps(
            {
                "secret": self.secret,
                "database_key": self._plan.database_key.hex(),
                "parent_pid": os.getpid(),
            }
        )
        with self._lock:
            self._popen = popen
            stopping = self._stopping
        try:
            assert popen.stdin is not None
            popen.stdin.write(line.encode() + b"\n")
            popen.stdin.flush()
        except (OSError, ValueError):
            pass  # it ended at once, or is being stopped: its status tells
        if stopping:
            _close_quietly(popen.stdin)
        return popen

    def _read_hello(self, stdout: IO[bytes]) -> None:
        try:
            self._post(self._note_hello, stdout.readline(LONGEST_LINE))
            while stdout.read(4096):
                pass  # nothing else is expected; a full pipe must not stop the process
        except (OSError, ValueError):
            pass
        finally:
            _close_quietly(stdout)

    def _keep_log(self, stderr: IO[bytes]) -> None:
        handler: RotatingFileHandler | None = None
        try:
            handler = self._open_log()
            while line := stderr.readline(LONGEST_LINE):
                if handler is not None:
                    text = line.decode("utf-8", "replace").rstrip()
                    handler.handle(logging.LogRecord("backend", 20, "", 0, text, None, None))
        except (OSError, ValueError):
            pass
        finally:
            _close_quietly(stderr)
            if handler is not None:
                handler.close()

    def _open_log(self) -> RotatingFileHandler | None:
        """Open the backend's own log; without one its words are read and dropped."""
        try:
            self._plan.log_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            return RotatingFileHandler(
                self._plan.log_dir / "backend.log",
                maxBytes=LOG_BYTES,
                backupCount=LOG_COPIES,
                encoding="utf-8",
            )
        except OSError:
            return None

    def _post(self, call: Callable[..., None], *args: bytes) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *args)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    def _note_hello(self, line: bytes) -> None:
        if not self._hello.done():
            self._hello.set_result(line)


def backend_command() -> list[str]:
    """Return how to run the backend: the packaged program beside ours, else this Python."""
    if getattr(sys, "frozen", False):
        own = Path(sys.executable)
        return [str(own.with_name("parley-backend").with_suffix(own.suffix))]
    return [sys.executable, "-P", "-m", "backend"]


def _close_quietly(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except OSError:
        pass
