"""A TCP proxy on loopback that breaks connections the way networks do.

It never understands what passes through it, and never leaves loopback.

    with TcpProxy(backend_port) as proxy:
        client = connect("127.0.0.1", proxy.port)
        proxy.stall()      # accepted, but nothing moves
        proxy.restore()    # all as it should be

The proxy runs in a thread of its own with a loop of its own, so it works the same from plain
tests, pytest-asyncio tests and tests that own a Qt loop. Every method may be called from any
thread, takes effect on live connections too, and returns once it has.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self, TypeVar

_CHUNK_BYTES = 64 * 1024
_TICK_S = 0.02
_CALL_TIMEOUT_S = 60.0
_GARBLE_MASK = 0x2A
_GARBLE_EVERY = 5
# Linger for 0 s: closing sends a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)

T = TypeVar("T")


class _Mode(Enum):
    PASS = auto()
    CUT = auto()
    SLOW = auto()
    STALL = auto()
    GARBLE = auto()


class _Link:
    """One client's connection and its counterpart towards the target."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.writers = [client]

    async def close(self) -> None:
        """End both sides in order: what was taken in is sent first."""
        for writer in self.writers:
            writer.close()
        for writer in self.writers:
            await writer.wait_closed()

    def reset(self) -> None:
        """Drop both sides at once; what was not sent yet is lost."""
        for writer in self.writers:
            sock: socket.socket | None = writer.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class TcpProxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target_port`, with faults on demand."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.accepted = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self._target_port = target_port
        self._mode = _Mode.PASS
        self._bytes_per_s = 0
        self._budget_up: int | None = None
        self._budget_down: int | None = None
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._kept_port: socket.socket | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy")

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_TIMEOUT_S)
        self._loop.close()

    # -- faults

    def restore(self) -> None:
        """Let everything pass again, on the same port."""
        self._call(self._restore())

    def cut(self) -> None:
        """Reset every connection now, and each new one as soon as it is accepted."""
        self._call(self._set_mode(_Mode.CUT))

    def cut_once(self) -> None:
        """Reset every connection now; new ones pass."""
        self._call(self._reset_all())

    def cut_after(self, *, up_bytes: int | None = None, down_bytes: int | None = None) -> None:
        """Close a connection once so many more bytes went up or down, then let new ones pass.

        Exactly that many bytes arrive, then an end of stream; 0 lets none through.
        """
        self._call(self._set_budget(up_bytes, down_bytes))

    def refuse(self) -> None:
        """Stop listening: reset every connection, refuse new ones."""
        self._call(self._refuse())

    def slow(self, bytes_per_s: int) -> None:
        """Forward at most so many bytes per second in each direction of each connection."""
        self._bytes_per_s = bytes_per_s
        self._call(self._set_mode(_Mode.SLOW))

    def stall(self) -> None:
        """Accept connections but move nothing; what waits is forwarded after `restore`."""
        self._call(self._set_mode(_Mode.STALL))

    def garble(self) -> None:
        """Flip bits in every fifth byte that goes down to the client."""
        self._call(self._set_mode(_Mode.GARBLE))

    def retarget(self, target_port: int) -> None:
        """Send new connections to another port, as after a restart of the backend."""
        self._target_port = target_port

    # -- on the proxy's loop

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_TIMEOUT_S)

    async def _listen(self) -> None:
        if self._server is None:
            bound, self._kept_port = self._kept_port or _bound_to(0), None
            self._server = await asyncio.start_server(self._accept, sock=bound)
            self.port = bound.getsockname()[1]

    async def _restore(self) -> None:
        self._budget_up = self._budget_down = None
        await self._set_mode(_Mode.PASS)
        await self._listen()

    async def _set_mode(self, mode: _Mode) -> None:
        self._mode = mode
        if mode is _Mode.CUT:
            await self._reset_all()

    async def _set_budget(self, up_bytes: int | None, down_bytes: int | None) -> None:
        self._budget_up, self._budget_down = up_bytes, down_bytes

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            # Nobody listens, and nobody else on this machine gets the port meanwhile.
            self._kept_port = _bound_to(self.port)
        await self._reset_all()

    async def _reset_all(self) -> None:
        for link in list(self._links):
            link.reset()

    async def _close(self) -> None:
        self._mode = _Mode.PASS  # what stalls moves on, and finds its connection reset
        await self._refuse()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CALL_TIMEOUT_S / 2)
        if self._kept_port is not None:
            self._kept_port.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link = _Link(writer)
        self._links.add(link)
        self.accepted += 1
        try:
            if self._mode is not _Mode.CUT:
                await self._hold_while_stalled()
                await self._forward(reader, writer, link)
                await link.close()
        except* OSError:
            pass  # A connection that breaks on one side breaks on the other, too.
        finally:
            link.reset()
            self._links.discard(link)
            self._tasks.discard(task)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link
    ) -> None:
        target_reader, target = await asyncio.open_connection("127.0.0.1", self._target_port)
        link.writers.append(target)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._pump(reader, target, link, self._spend_up))
            both.create_task(self._pump(target_reader, writer, link, self._spend_down))

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        link: _Link,
        spend: Callable[[bytes], tuple[bytes, bool]],
    ) -> None:
        while data := await source.read(_CHUNK_BYTES):
            while data:
                await self._hold_while_stalled()
                piece, data = await self._take(data)
                piece, exhausted = spend(piece)
                sink.write(piece)
                await sink.drain()
                if exhausted:
                    await link.close()
                    return
        if sink.can_write_eof():
            sink.write_eof()

    async def _take(self, data: bytes) -> tuple[bytes, bytes]:
        """Return what may go now and the rest, after waiting as long as `slow` asks."""
        if self._mode is not _Mode.SLOW:
            return data, b""
        size = max(1, int(self._bytes_per_s * _TICK_S))
        await asyncio.sleep(min(size, len(data)) / self._bytes_per_s)
        return data[:size], data[size:]

    def _spend_up(self, piece: bytes) -> tuple[bytes, bool]:
        piece, self._budget_up, exhausted = _spend(piece, self._budget_up)
        self.bytes_up += len(piece)
        return piece, exhausted

    def _spend_down(self, piece: bytes) -> tuple[bytes, bool]:
        piece, self._budget_down, exhausted = _spend(piece, self._budget_down)
        self.bytes_down += len(piece)
        if self._mode is _Mode.GARBLE:
            piece = garbled(piece)
        return piece, exhausted

    async def _hold_while_stalled(self) -> None:
        while self._mode is _Mode.STALL:
            await asyncio.sleep(_TICK_S)


def _bound_to(port: int) -> socket.socket:
    """Return a socket that holds a loopback port without listening; 0 takes any free one."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


def garbled(data: bytes) -> bytes:
    """Return `data` with bits of every fifth byte flipped, starting with the first."""
    return bytes(
        byte ^ _GARBLE_MASK if index % _GARBLE_EVERY == 0 else byte
        for index, byte in enumerate(data)
    )


def _spend(piece: bytes, budget: int | None) -> tuple[bytes, int | None, bool]:
    """Return what of `piece` the budget allows, the new budget, and whether it ran out."""
    if budget is None:
        return piece, None, False
    if len(piece) < budget:
        return piece, budget - len(piece), False
    return piece[:budget], None, True
