"""The command that runs a witness until it is stopped.

It never opens the archive: it sees checkpoints only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import time
from pathlib import Path

import msgspec

from backend.archive.witness import AnotherLog, Witness
from backend.archive.witness_service import witness_app
from backend.archive.witness_state import (
    STATE_FILE,
    WitnessDamaged,
    WitnessState,
    load_witness_key,
)
from backend.cli.addresses import address_of
from backend.listening import (
    Handshake,
    listen,
    on_signals,
    print_line,
    read_handshake,
    run_on_loop,
    serve_until,
    server_of,
    watch_stdin,
)
from backend.workspace_errors import WorkspaceError
from contract.receipts.errors import NoteError
from contract.receipts.keys import VerifierKey, witness_name


class WitnessReady(msgspec.Struct, frozen=True, kw_only=True):
    """The one JSON line on stdout, printed once the witness listens."""

    port: int
    pid: int
    witness_key: str


def run_witness(arguments: argparse.Namespace) -> int:
    """Serve add-checkpoint until stopped; returns the exit status. Raises WorkspaceError."""
    host, port = address_of(arguments.listen, loopback_only=False)
    os.umask(0o077)  # the key and the memory are this user's alone
    handshake = read_handshake()
    try:
        log_key = VerifierKey.parse(arguments.log_key or handshake.log_key)
        state = WitnessState(arguments.data_dir / STATE_FILE)
        name = witness_name(secrets.token_bytes(3))
        witness = Witness(
            load_witness_key(arguments.data_dir, name, handshake.key),
            log_key,
            state,
            now_s=lambda: int(time.time()),
            rotations=[note.encode() for note in _rotations(arguments, handshake)],
        )
    except (NoteError, AnotherLog, WitnessDamaged) as error:
        raise WorkspaceError(str(error)) from error
    run_on_loop(_serve(witness, handshake, host, port, embedded=arguments.embedded))
    state.close()
    return 0


def _rotations(arguments: argparse.Namespace, handshake: Handshake) -> list[str]:
    files: list[Path] = arguments.rotation
    return [*handshake.rotations, *(file.read_text(encoding="utf-8") for file in files)]


async def _serve(
    witness: Witness, handshake: Handshake, host: str, port: int, *, embedded: bool
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    on_signals(loop, stopping.set)
    if embedded:
        watch_stdin(loop, stopping.set)
    listener = listen(host, port)

    def ready() -> None:
        bound = listener.getsockname()[1]
        print_line(WitnessReady(port=bound, pid=os.getpid(), witness_key=str(witness.key)))

    try:
        await serve_until(
            server_of(witness_app(witness)), listener, stopping, handshake.parent_pid, ready=ready
        )
    finally:
        listener.close()
