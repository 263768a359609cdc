"""The means to serve HTTP on a socket of ours: handshake, socket, parent watch and signals.

It never prints the secret or the key and never knows what is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import msgspec
from starlette.types import ASGIApp

from backend import bare_uvicorn

KEY_BYTES = 32
_PARENT_EVERY_S = 2.0
_STREAMS_END_WITHIN_S = 2


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """The one JSON line on stdin: the per-start secret and the database key (64 hex digits).

    A witness is told the verifier key of the log it watches instead of a secret, and the notes
    of the rotations that led to it.
    """

    database_key: str
    secret: str = ""
    parent_pid: int = 0
    log_key: str = ""
    rotations: tuple[str, ...] = ()

    @property
    def key(self) -> bytes:
        """Return the key's 32 bytes; raises ValueError for another length."""
        key = bytes.fromhex(self.database_key)
        if len(key) != KEY_BYTES:
            raise ValueError("the database key must hold 64 hex digits")
        return key


H = TypeVar("H", bound=Handshake)


class Server(bare_uvicorn.Server):
    """uvicorn that tells when it listens and leaves signals to us."""

    def __init__(self, config: bare_uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then tell."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handler: `serve` below has its own."""
        yield


def read_handshake() -> Handshake:
    """Read the line from stdin; raises msgspec.ValidationError or ValueError when it is wrong."""
    return handshake_in(sys.stdin.buffer.readline(), Handshake)


def handshake_in(line: bytes, kind: type[H]) -> H:
    """Return what a line tells: JSON, or the bare key's hex digits; raises ValueError."""
    line = line.strip()
    if line.startswith(b"{"):
        return msgspec.json.decode(line, type=kind)
    return kind(database_key=line.decode("ascii"))


def server_of(app: ASGIApp) -> Server:
    """Return a server of an application, which prints nothing and installs no handler."""
    return Server(
        bare_uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_STREAMS_END_WITHIN_S,
        )
    )


async def serve_until(
    server: Server,
    listener: socket.socket,
    stopping: asyncio.Event,
    parent_pid: int,
    *,
    ready: Callable[[], None],
    closing: Callable[[], None] = lambda: None,
) -> None:
    """Serve until `stopping` is set or the parent is gone; calls `ready` once it listens."""
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    watching = asyncio.create_task(_parent_gone(parent_pid), name="parent")
    listening = asyncio.create_task(server.listening.wait(), name="listening")
    await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
    if listening.done():
        ready()
    stopped = asyncio.create_task(stopping.wait(), name="stopping")
    await asyncio.wait({serving, watching, stopped}, return_when=asyncio.FIRST_COMPLETED)
    closing()
    server.should_exit = True
    await serving
    for task in (watching, listening, stopped):
        task.cancel()


def run_on_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run a command's coroutine to its end, on the fastest loop there is for this system."""
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket that no child inherits; port 0 takes any. Raises OSError."""
    # asyncio switches Nagle's delay off for sockets that name their protocol only.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.set_inheritable(False)
    return listener


def print_line(value: msgspec.Struct) -> None:
    """Print one JSON line on stdout at once."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Call `stop` on the loop at SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: _tell(loop, stop))


def watch_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Call `stop` on the loop once stdin ends; a thread, for pipes of all systems."""

    def wait() -> None:
        # Not through sys.stdin: a thread in its buffer aborts the interpreter's own end.
        with contextlib.suppress(OSError):
            while os.read(descriptor, 4096):
                pass
        _tell(loop, stop)

    descriptor = sys.stdin.fileno()
    threading.Thread(target=wait, name="stdin-watch", daemon=True).start()


def _tell(loop: asyncio.AbstractEventLoop, stop: Callable[..., Any]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: we are stopping already
        loop.call_soon_threadsafe(stop)


async def _parent_gone(parent_pid: int) -> None:
    """Return once the process that started us is gone; never, when it is not our parent."""
    watched = os.name != "nt" and parent_pid > 0 and os.getppid() == parent_pid
    while not watched or os.getppid() == parent_pid:  # noqa: ASYNC110 - no system tells of it
        await asyncio.sleep(_PARENT_EVERY_S)
