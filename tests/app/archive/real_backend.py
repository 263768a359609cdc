"""Runs a client against real backend processes with their logs, and operates these as one would.

It never changes the code of either side: only files, processes and the way between them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from app.core import Core
from backend_client.endpoint import BackendEndpoint
from contract.receipts.keys import KeyType
from contract.receipts.signers import format_private_key
from tests.app.archive.logged_backend import RECOVERY
from tests.app.core_world import new_core, online
from tests.support.rewriting_relay import RewritingRelay
from tests.support.served_backend import KEY, SECRET, ServedBackend
from tests.support.surroundings import ROOT


@dataclass
class Real:
    """A backend process behind a relay, and the settings that pin its log."""

    backend: ServedBackend
    relay: RewritingRelay
    url: str
    folder: Path

    @asynccontextmanager
    async def core(self, **settings: object) -> AsyncIterator[Core]:
        """Run a client on it."""
        endpoint = BackendEndpoint(url=self.url, token=SECRET)
        core = new_core(self.folder / "client", endpoint=endpoint, clock=None, **settings)
        try:
            await core.open()
            await core.connect()
            await online(core)
            yield core
        finally:
            await core.close()

    def restart(self) -> None:
        """Start the backend anew on the same files."""
        self.backend.start()
        self.relay.port = self.backend.port

    async def operate(self, *words: str) -> dict[str, Any]:
        """Run an `admin` command with the recovery key on the stopped backend's files."""
        file = self.folder / "recovery.key"
        seed = hashlib.sha256(b"recovery.example 1").digest()
        file.write_text(format_private_key("recovery.example", KeyType.ED25519, seed))
        file.chmod(0o600)
        where = ("--data-dir", str(self.backend.data_dir), "--recovery-key-file", str(file))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "backend", "admin", *words, *where),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        order = msgspec.json.encode({"database_key": KEY.hex()}) + b"\n"
        told, said = await process.communicate(order)
        assert process.returncode == 0, said.decode()
        answer: dict[str, Any] = json.loads(told)
        return answer


async def pins(core: Core) -> dict[str, object]:
    """Return settings that pin what the backend shows now, as IT would write them."""
    keys = (await core.api.workspace.capabilities()).archive
    assert keys is not None
    return {
        "LogVerifierKey": keys.log_key,
        "WitnessVerifierKeys": list(keys.witness_keys),
        "RecoveryVerifierKeys": [str(RECOVERY.verifier_key)],
    }
