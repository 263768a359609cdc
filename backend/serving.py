"""The serving of the embedded backend: socket, handshake, parent watch and graceful stop.

It never prints the secret or the key and never outlives the app that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import uvicorn

from backend.runtime import Runtime, RuntimeOptions

KEY_BYTES = 32
_PARENT_EVERY_S = 2.0
_STREAMS_END_WITHIN_S = 2


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """The one JSON line on stdin: the per-start secret and the database key (64 hex digits)."""

    database_key: str
    secret: str = ""
    parent_pid: int = 0

    @property
    def key(self) -> bytes:
        """Return the key's 32 bytes; raises ValueError for another length."""
        key = bytes.fromhex(self.database_key)
        if len(key) != KEY_BYTES:
            raise ValueError("the database key must hold 64 hex digits")
        return key


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The one JSON line on stdout, printed once the socket listens."""

    port: int
    pid: int
    instance_id: str


class _Server(uvicorn.Server):
    """uvicorn that tells when it listens and leaves signals to us."""

    def __init__(self, config: uvicorn.Config) -> None:
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
    return msgspec.json.decode(sys.stdin.buffer.readline(), type=Handshake)


async def serve(
    options: RuntimeOptions, handshake: Handshake, host: str, port: int, *, watch_stdin: bool
) -> None:
    """Serve until SIGTERM or SIGINT, or until the app that started us is gone.

    With `watch_stdin` the end of stdin counts as the app's end. Raises OSError when the address
    is taken, and what Runtime.start raises. Prints one Ready line.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    on_signals(loop, stopping.set)
    if watch_stdin:
        _watch_stdin(loop, stopping.set)
    listener = _listen(host, port)
    runtime = Runtime(options)
    try:
        await runtime.start()
        server = _Server(_config(runtime, handshake.secret))
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
        watching = asyncio.create_task(_parent_gone(handshake.parent_pid), name="parent")
        listening = asyncio.create_task(server.listening.wait(), name="listening")
        await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            _print_ready(listener, runtime)
        stopped = asyncio.create_task(stopping.wait(), name="stopping")
        await asyncio.wait({serving, watching, stopped}, return_when=asyncio.FIRST_COMPLETED)
        runtime.close_streams()
        server.should_exit = True
        await serving
        for task in (watching, listening, stopped):
            task.cancel()
    finally:
        await runtime.stop()
        listener.close()


def _config(runtime: Runtime, secret: str) -> uvicorn.Config:
    from backend.api.loopback import LoopbackHosts

    return uvicorn.Config(
        LoopbackHosts(runtime.app(secret)),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STREAMS_END_WITHIN_S,
    )


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.set_inheritable(False)
    return listener


def _print_ready(listener: socket.socket, runtime: Runtime) -> None:
    ready = Ready(
        port=listener.getsockname()[1],
        pid=os.getpid(),
        instance_id=runtime.workspace.instance_id,
    )
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()


def on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Call `stop` on the loop at SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: _tell(loop, stop))


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
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
