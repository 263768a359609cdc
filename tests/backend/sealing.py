"""A real sequencer with a real witness in the test's own process, to stop and start at will.

It never fakes a signature: only the way to the witness is a call instead of HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from backend.archive.board import SealBoard
from backend.archive.desk import ArchiveDesk
from backend.archive.log import read_head
from backend.archive.nodes import NodeCache
from backend.archive.sequencer import Sequencer, WitnessAway, WitnessBehind, WitnessRefused
from backend.archive.signing import WitnessPolicy, load_signer, pin_witnesses
from backend.archive.witness import AnotherLog, NotCosigned, Witness
from backend.archive.witness_request import format_request, parse_request
from backend.archive.witness_state import STATE_FILE, Seen, WitnessState, load_witness_key
from backend.storage.database import Database
from contract.receipts.keys import VerifierKey
from contract.receipts.signers import Signer

WITNESS_KEY = b"w" * 32
PATIENCE_S = 60.0
"""How long a request waits for a seal that will come, however slow the machine is."""


class LocalWitness:
    """A link to a witness in this process; `away` makes it unreachable."""

    def __init__(
        self,
        folder: Path,
        log_key: VerifierKey,
        now: Callable[[], int],
        rotations: Sequence[bytes] = (),
    ) -> None:
        self.away = False
        self.asked = 0
        self._state = WitnessState(folder / STATE_FILE)
        self._signer = load_witness_key(folder, "parley-witness/test", WITNESS_KEY)
        self._log_key = log_key
        self._now = now
        try:
            self.witness = self._remembering(rotations)
        except AnotherLog:
            self.close()
            raise

    @property
    def key(self) -> VerifierKey:
        """Return the witness's public key."""
        return self.witness.key

    def _remembering(self, rotations: Sequence[bytes] = ()) -> Witness:
        return Witness(
            self._signer,
            self._log_key,
            self._state,
            now_s=lambda: self._now() // 1000,
            rotations=rotations,
        )

    def remember(self, seen: Seen) -> None:
        """Have the witness remember another tree than it signed."""
        self._state.keep(seen)
        self.witness = self._remembering()

    @property
    def seen(self) -> Seen | None:
        """Return what the witness signed last."""
        return self._state.seen

    async def cosign(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        """Ask the witness, through the very bytes a request has."""
        self.asked += 1
        if self.away:
            raise WitnessAway("told to be away")
        try:
            return self.witness.cosign(parse_request(format_request(old_size, proof, note)))
        except NotCosigned as refusal:
            if refusal.size is not None and refusal.size != old_size:
                raise WitnessBehind(refusal.size) from refusal
            raise WitnessRefused(str(refusal)) from refusal

    def close(self) -> None:
        """Let the state file go."""
        self._state.close()


class Sealing:
    """The archive's running parts over one database."""

    def __init__(self, database: Database, folder: Path, now: Callable[[], int]) -> None:
        self.database = database
        self.cache = NodeCache()
        self.board = SealBoard()
        self.problems: list[str] = []
        self._folder = folder
        self._now = now
        self._task: asyncio.Task[None] | None = None
        self.witness: LocalWitness
        self.signer: Signer
        self.policy: WitnessPolicy

    @property
    def running(self) -> asyncio.Task[None] | None:
        """Return the sequencer's task."""
        return self._task

    async def start(self, rotations: Sequence[bytes] = ()) -> ArchiveDesk:
        """Make the keys when new, and begin to seal; returns the desk for the services."""
        now_utc_ms = self._now()
        self.signer = await self.database.write(lambda c: load_signer(c, "test", now_utc_ms))
        self.witness = LocalWitness(self._folder, self.signer.verifier_key, self._now, rotations)
        key = self.witness.key
        self.policy = await self.database.write(lambda c: pin_witnesses(c, [key], 1))
        desk = ArchiveDesk(self.database, self.cache, self.board, PATIENCE_S)
        desk.trust(self.signer.verifier_key, self.policy)
        self.go()
        return desk

    def go(self) -> None:
        """Begin to seal on the running loop, again after `pause`."""
        sequencer = Sequencer(
            self.database,
            self.signer,
            [self.witness],
            self.policy,
            self.board,
            cache=self.cache,
            now=self._now,
            problem=self.problems.append,
        )
        self._task = asyncio.create_task(sequencer.run(), name="sequencer")

    async def pause(self) -> None:
        """Stop sealing."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def sealed(self) -> None:
        """Wait until every recorded entry is sealed and announced; not while paused."""
        if self._task is None:
            return
        async with asyncio.timeout(PATIENCE_S):
            while True:
                entries = await self.database.read(
                    lambda c: c.exec_driver_sql("SELECT count(*) FROM archive_entries").scalar_one()
                )
                if (await self.database.read(read_head)).announced_size == entries:
                    return
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop sealing for good."""
        await self.pause()
        self.board.close()
        self.witness.close()
