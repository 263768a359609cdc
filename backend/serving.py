"""The serving of a backend: runtime, HTTP face and graceful stop.

It never prints the secret or the key, and never outlives the program that started it where that
one gave its process id.
"""

from __future__ import annotations

import asyncio
import os

import msgspec

from backend.api.loopback import LoopbackHosts
from backend.listening import (
    Handshake,
    listen,
    on_signals,
    print_line,
    serve_until,
    server_of,
    watch_stdin,
)
from backend.runtime import Runtime


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The one JSON line on stdout, printed once the socket listens."""

    port: int
    pid: int
    instance_id: str


async def serve(
    runtime: Runtime,
    handshake: Handshake,
    host: str,
    port: int,
    *,
    embedded: bool,
) -> None:
    """Serve until SIGTERM or SIGINT, or until the app that started us is gone.

    With `embedded` the end of stdin counts as the app's end. Raises OSError when the address is
    taken, and what Runtime.start raises. Prints one Ready line.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    on_signals(loop, stopping.set)
    if embedded:
        watch_stdin(loop, stopping.set)
    listener = listen(host, port)

    def ready() -> None:
        instance_id = runtime.workspace.instance_id
        bound = listener.getsockname()[1]
        print_line(Ready(port=bound, pid=os.getpid(), instance_id=instance_id))

    try:
        await runtime.start()
        await serve_until(
            server_of(LoopbackHosts(runtime.app(handshake.secret), runtime.names)),
            listener,
            stopping,
            handshake.parent_pid,
            ready=ready,
            closing=runtime.close_streams,
        )
    finally:
        await runtime.stop()
        listener.close()
