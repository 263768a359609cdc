"""The commands that run until they are stopped: `serve` and `worker`.

It never listens anywhere but on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import os

from backend.cli.addresses import address_of
from backend.listening import Handshake, on_signals, read_handshake, run_on_loop
from backend.runtime import Runtime, RuntimeOptions
from backend.serving import serve
from backend.workspace_errors import WorkspaceError


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve until stopped; returns the exit status. Raises WorkspaceError or DatabaseError."""
    host, port = address_of(arguments.listen, loopback_only=True)
    _keep_files_private()
    handshake = read_handshake()
    if not handshake.secret:
        raise WorkspaceError("The line on stdin must hold a secret for this start.")
    options = _options(arguments, handshake)
    run_on_loop(serve(options, handshake, host, port, embedded=arguments.embedded))
    return 0


def run_worker(arguments: argparse.Namespace) -> int:
    """Deliver and receive until stopped; returns the exit status."""
    _keep_files_private()
    run_on_loop(_work(_options(arguments, read_handshake())))
    return 0


async def _work(options: RuntimeOptions) -> None:
    stopping = asyncio.Event()
    on_signals(asyncio.get_running_loop(), stopping.set)
    runtime = Runtime(options)
    try:
        await runtime.start()
        await stopping.wait()
    finally:
        await runtime.stop()


def _keep_files_private() -> None:
    """Let no other user of this computer read what this process writes (no effect on Windows)."""
    os.umask(0o077)


def _options(arguments: argparse.Namespace, handshake: Handshake) -> RuntimeOptions:
    return RuntimeOptions(
        data_dir=arguments.data_dir,
        database_key=handshake.key,
        sandbox_pace=max(0.0, arguments.sandbox_pace),
        sandbox_answers=not arguments.sandbox_silent,
        tiles=getattr(arguments, "tiles", ""),
    )
