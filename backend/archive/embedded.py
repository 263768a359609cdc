"""Owns the embedded archive as a running whole: witness process, sequencer and desk.

It never seals without the witness: while that is away, delivery waits and the health says so.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from backend.archive.board import SealBoard
from backend.archive.desk import ArchiveDesk
from backend.archive.nodes import NodeCache
from backend.archive.sequencer import Sequencer
from backend.archive.signing import WitnessPolicy, pin_witnesses, read_policy
from backend.archive.statements import rotations
from backend.archive.witness_link import HttpWitness
from backend.archive.witness_process import WitnessProcess
from backend.storage.database import Database
from contract.receipts.keys import VerifierKey
from contract.receipts.signers import Signer

_log = logging.getLogger(__name__)
WITNESS_FOLDER = "witness"
QUORUM = 1
FIRST_WITNESS_WITHIN_S = 10.0
WRONG_WITNESS = "second check refused: another witness answers than the one this archive knows"
NO_WITNESS = "second check pending: the witness does not start, so delivery waits"


class EmbeddedArchive:
    """One log and its one witness; `prepare`, then `start`, then `run` until cancelled."""

    def __init__(self, data_dir: Path, database_key: bytes) -> None:
        self._witness = WitnessProcess(data_dir / WITNESS_FOLDER, database_key, self._on_moved)
        self._first_key: asyncio.Future[VerifierKey] | None = None
        self._link: HttpWitness | None = None
        self._sequencer: Sequencer | None = None
        self._learn: Callable[[float | None], Awaitable[None]] | None = None
        self._board = SealBoard()
        self._is_new = not (data_dir / WITNESS_FOLDER).exists()
        self._watch: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._moved: tuple[VerifierKey, str] | None = None
        self._problem = ""
        self._desk: ArchiveDesk | None = None

    @property
    def desk(self) -> ArchiveDesk:
        """Return what the API asks."""
        assert self._desk is not None, "the archive was not started"
        return self._desk

    @property
    def problems(self) -> tuple[str, ...]:
        """Return why sealing waits, in plain words; empty while all is well."""
        return (self._problem,) if self._problem else ()

    @property
    def witness_pid(self) -> int | None:
        """Return the witness's process id, None while it is away."""
        return self._witness.pid

    async def prepare(self) -> None:
        """Start a new archive's witness, whose key is needed at once, while the database opens.

        One that is known starts with `run`: nothing waits for it, and it takes a core's time.
        """
        self._first_key = asyncio.get_running_loop().create_future()
        if self._is_new:
            await self._witness.prepare()

    async def start(self, database: Database, signer: Signer, now: Callable[[], int]) -> None:
        """Make the log's desk ready; a new archive waits here to learn its witness's key.

        It does not wait for long: `run` waits on for a witness that starts slowly.
        """
        cache = NodeCache()
        self._desk = ArchiveDesk(database, cache, self._board)
        rotated = await database.read(rotations)
        self._watch = functools.partial(self._witness.run, signer.verifier_key, rotated)
        policy = await database.read(read_policy)
        if policy is not None:
            self._build(database, signer, policy, cache, now)
            return
        self._begin_watching()
        self._learn = functools.partial(self._build_anew, database, signer, cache, now)
        await self._learn(FIRST_WITNESS_WITHIN_S)

    async def run(self) -> None:
        """Sequence and seal until cancelled; raises when the lead is lost or the disk fails."""
        self._begin_watching()
        if self._sequencer is None:
            assert self._learn is not None, "the archive was not started"
            await self._learn(None)
        assert self._sequencer is not None, "it is built once the witness's key is known"
        await self._sequencer.run()

    async def stop(self) -> None:
        """End the waiting of requests, then the witness."""
        self._board.close()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._witness.stop()
        if self._link is not None:
            self._link.close()

    async def _build_anew(
        self,
        database: Database,
        signer: Signer,
        cache: NodeCache,
        now: Callable[[], int],
        within_s: float | None,
    ) -> None:
        """Pin a new archive's witness and build on it; a witness too late for that is a problem."""
        assert self._first_key is not None, "the witness was not prepared"
        await asyncio.wait((self._first_key,), timeout=within_s)
        if not self._first_key.done():
            self._problem = NO_WITNESS
            return
        key = self._first_key.result()
        policy = await database.write(lambda c: pin_witnesses(c, [key], QUORUM))
        self._build(database, signer, policy, cache, now)

    def _build(
        self,
        database: Database,
        signer: Signer,
        policy: WitnessPolicy,
        cache: NodeCache,
        now: Callable[[], int],
    ) -> None:
        self.desk.trust(signer.verifier_key, policy)
        self._link = HttpWitness(policy.keys[0], "")
        self._sequencer = Sequencer(
            database,
            signer,
            [self._link],
            policy,
            self._board,
            cache=cache,
            now=now,
            problem=self._on_problem,
        )
        if self._moved is not None:
            self._on_moved(*self._moved)

    def _begin_watching(self) -> None:
        if self._watching is None and self._watch is not None:
            self._watching = asyncio.create_task(self._watch(), name="witness process")

    def _on_moved(self, key: VerifierKey, url: str) -> None:
        self._moved = (key, url)
        if self._first_key is not None and not self._first_key.done():
            self._first_key.set_result(key)
        if self._link is None:
            return
        if key != self._link.key:
            self._problem = WRONG_WITNESS
            self._link.move("")
            return
        self._link.move(url)
        if url and self._sequencer is not None:
            self._sequencer.witness_is_back()

    def _on_problem(self, text: str) -> None:
        if self._problem != WRONG_WITNESS:
            self._problem = text
