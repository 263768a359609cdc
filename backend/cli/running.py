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
from backend.sample_side import SampleOptions, SampleSide
from backend.serving import serve
from backend.workspace_errors import WorkspaceError


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve until stopped; returns the exit status. Raises WorkspaceError or DatabaseError."""
    host, port = address_of(arguments.listen, loopback_only=True)
    _keep_files_private()
    if arguments.firm:
        from backend.cli.firm_serving import run_serve_firm

        return run_serve_firm(arguments, host, port)
    handshake = read_handshake()
    if not handshake.secret:
        raise WorkspaceError("The line on stdin must hold a secret for this start.")
    runtime = _runtime(arguments, handshake)
    run_on_loop(serve(runtime, handshake, host, port, embedded=arguments.embedded))
    return 0


def run_worker(arguments: argparse.Namespace) -> int:
    """Deliver and receive until stopped; returns the exit status."""
    _keep_files_private()
    run_on_loop(_work(_runtime(arguments, read_handshake())))
    return 0


async def _work(runtime: Runtime) -> None:
    stopping = asyncio.Event()
    on_signals(asyncio.get_running_loop(), stopping.set)
    try:
        await runtime.start()
        await stopping.wait()
    finally:
        await runtime.stop()


def _keep_files_private() -> None:
    """Let no other user of this computer read what this process writes (no effect on Windows)."""
    os.umask(0o077)


def _runtime(arguments: argparse.Namespace, handshake: Handshake) -> Runtime:
    side = SampleSide(
        SampleOptions(
            data_dir=arguments.data_dir,
            database_key=handshake.key,
            pace=max(0.0, arguments.sandbox_pace),
            answers=not arguments.sandbox_silent,
        )
    )
    options = RuntimeOptions(
        data_dir=arguments.data_dir,
        database_key=handshake.key,
        tiles=getattr(arguments, "tiles", ""),
    )
    return Runtime(options, side)
