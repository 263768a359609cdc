"""Owns the loops that take waiting entries into the log and have the witnesses seal them.

It never lets anything signed leave before commit B, and never seals without the quorum.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, func, select

from backend.archive.board import SealBoard
from backend.archive.log import (
    Batch,
    SignedCheckpoint,
    commit_batch,
    newest_checkpoint,
    read_head,
    take_lead,
)
from backend.archive.nodes import NodeCache, NodeMissing
from backend.archive.proofs import consistency
from backend.archive.sealing import Announced, Cosigned, announce, record_cosignatures
from backend.archive.signing import WitnessPolicy
from backend.storage.database import Database
from backend.storage.tables import archive_cosignatures
from contract.receipts.cosignatures import open_cosignatures
from contract.receipts.errors import ReceiptError
from contract.receipts.keys import VerifierKey
from contract.receipts.merkle import build_consistency
from contract.receipts.notes import split_note
from contract.receipts.signers import Signer

_log = logging.getLogger(__name__)
RETRY_FIRST_S = 0.05
RETRY_MOST_S = 5.0
SECOND_CHECK_PENDING = "second check pending: a witness does not answer, so delivery waits"
SECOND_CHECK_REFUSED = "second check refused: the archive is not what its witness saw before"


class WitnessAway(Exception):
    """The witness can't be reached, or did not answer in time."""


class WitnessBehind(Exception):
    """The witness's last size is another than the one the proof began at."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness stands at {size}")
        self.size = size


class WitnessRefused(Exception):
    """The witness will not cosign: the log is not what it saw before, or not its log."""


class WitnessLink(Protocol):
    """The way to one witness."""

    @property
    def key(self) -> VerifierKey:
        """Return the witness's public key."""

    async def cosign(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        """Return the witness's signature line for a checkpoint.

        Raises WitnessAway, WitnessBehind or WitnessRefused.
        """


class Sequencer:
    """One sequencer; several may run on one database, only the newest can write."""

    def __init__(
        self,
        database: Database,
        signer: Signer,
        witnesses: Sequence[WitnessLink],
        policy: WitnessPolicy,
        board: SealBoard,
        *,
        cache: NodeCache,
        now: Callable[[], int],
        problem: Callable[[str], None],
    ) -> None:
        """`now` returns UTC milliseconds; `problem` is told why sealing waits, "" when well."""
        self._database = database
        self._signer = signer
        self._witnesses = tuple(witnesses)
        self._policy = policy
        self._board = board
        self._cache = cache
        self._now = now
        self._problem = problem
        self._waiting = asyncio.Event()
        self._grown = asyncio.Event()
        self._newest: SignedCheckpoint | None = None
        self._sizes: dict[bytes, int] = {}
        self._refused = False
        self._lost: BaseException | None = None
        self._keeping: asyncio.Task[bool] | None = None

    async def run(self) -> None:
        """Take the lead, then sequence and seal until cancelled; raises LeadLost in a group."""
        epoch = await self._database.write(take_lead)
        self._newest, self._sizes = await self._database.read(_last_known)
        self._grown.set()
        loop = asyncio.get_running_loop()
        leave = self._database.close_groups(
            partial(self._take_in, epoch), partial(self._after_commit, loop)
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sequence(), name="sequence")
                group.create_task(self._seal(group), name="seal")
        finally:
            leave()

    def witness_is_back(self) -> None:
        """Try again at once: a witness was started anew."""
        self._grown.set()

    def _take_in(self, epoch: int, connection: Connection) -> Batch | None:
        """Be commit B for the entries of a transaction and those from elsewhere, at its end."""
        return commit_batch(connection, epoch, self._signer, self._cache, self._now())

    def _after_commit(
        self, loop: asyncio.AbstractEventLoop, batch: Batch | None, error: BaseException | None
    ) -> None:
        """Keep what was committed at hand for the next transaction, then tell the loop."""
        if batch is not None:
            self._cache.add(batch.nodes)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody seals any more
            loop.call_soon_threadsafe(self._grew, batch, error)

    def _grew(self, batch: Batch | None, error: BaseException | None) -> None:
        self._lost = self._lost or error
        if batch is not None:
            self._newest = batch.checkpoint
            self._grown.set()
        if error is not None or (batch is not None and batch.is_full):
            self._waiting.set()

    async def _sequence(self) -> None:
        """Have entries taken in that no transaction of this process brings with it."""
        while True:
            self._waiting.clear()
            await self._database.write(_take_in_what_waits)
            await self._waiting.wait()
            if self._lost is not None:
                raise self._lost

    async def _seal(self, group: asyncio.TaskGroup) -> None:
        await self._announce()
        delay_s = RETRY_FIRST_S
        while True:
            await self._grown.wait()
            self._grown.clear()
            if self._newest is None:
                continue
            if await self._seal_once(self._newest, group):
                delay_s = RETRY_FIRST_S
                self._problem("")
                continue
            self._problem(SECOND_CHECK_REFUSED if self._refused else SECOND_CHECK_PENDING)
            try:
                async with asyncio.timeout(delay_s):
                    await self._grown.wait()
            except TimeoutError:
                self._grown.set()
            delay_s = min(delay_s * 2, RETRY_MOST_S)

    async def _seal_once(self, checkpoint: SignedCheckpoint, group: asyncio.TaskGroup) -> bool:
        """Ask every witness; tell whether the quorum has cosigned.

        While one checkpoint is kept and told of, the witnesses are asked for the next already.
        """
        cosigned = await self._gather(checkpoint)
        if self._keeping is not None:
            await self._keeping
        if not cosigned:
            return False
        self._keeping = group.create_task(self._keep(checkpoint, cosigned), name="keep")
        if len({one.name for one in cosigned}) >= self._policy.quorum:
            return True
        return await self._keeping

    async def _keep(self, checkpoint: SignedCheckpoint, cosigned: Sequence[Cosigned]) -> bool:
        """Commit cosignatures, and tell everyone of what they seal, in bounded transactions."""

        def work(connection: Connection) -> tuple[bool, Announced]:
            now_utc_ms, quorum = self._now(), self._policy.quorum
            head = record_cosignatures(connection, cosigned, quorum, now_utc_ms)
            if head.sealed_size < checkpoint.size:
                return False, Announced([], False)
            return True, announce(connection, self._cache, quorum, now_utc_ms, head)

        sealed, told = await self._database.write(work)
        self._board.post(told.entries)
        if told.more:
            await self._announce()
        return sealed

    async def _announce(self) -> None:
        """Tell of the rest, in transactions of bounded size."""
        quorum, more = self._policy.quorum, True
        while more:
            told = await self._database.write(
                lambda c: announce(c, self._cache, quorum, self._now())
            )
            self._board.post(told.entries)
            more = told.more

    async def _gather(self, checkpoint: SignedCheckpoint) -> list[Cosigned]:
        """Return the verified lines of the witnesses that answered; stop at the quorum."""
        asked = {
            asyncio.create_task(self._ask(link, checkpoint), name="cosign")
            for link in self._witnesses
        }
        cosigned: list[Cosigned] = []
        self._refused = False
        try:
            while asked and len({one.name for one in cosigned}) < self._policy.quorum:
                done, asked = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                cosigned += [line for task in done if (line := task.result()) is not None]
        finally:
            for task in asked:
                task.cancel()
        return cosigned

    async def _ask(self, link: WitnessLink, checkpoint: SignedCheckpoint) -> Cosigned | None:
        """Return a witness's verified line; None when it is away or refuses, which is logged."""
        key_id = link.key.key_id
        try:
            for _ in range(2):
                old_size = self._sizes.get(key_id, 0)
                if old_size > checkpoint.size:
                    raise WitnessRefused("the log is older than what the witness saw")
                proof = await self._proof(old_size, checkpoint)
                try:
                    line = await link.cosign(old_size, proof, checkpoint.note)
                except WitnessBehind as behind:
                    self._sizes[key_id] = behind.size
                    continue
                open_cosignatures(split_note(checkpoint.note).text, [line], [link.key])
                self._sizes[key_id] = checkpoint.size
                return Cosigned(checkpoint.size, key_id.hex(), line)
        except (WitnessAway, WitnessRefused, ReceiptError) as error:
            away = isinstance(error, WitnessAway)
            self._refused = self._refused or not away
            _log.log(
                logging.INFO if away else logging.ERROR,
                "a witness did not cosign",
                extra={"error": type(error).__name__},
            )
        return None

    async def _proof(self, old_size: int, checkpoint: SignedCheckpoint) -> list[bytes]:
        if old_size in (0, checkpoint.size):
            return []
        try:
            return build_consistency(old_size, checkpoint.size, self._cache.node)
        except NodeMissing:
            return await self._database.read(
                lambda c: consistency(c, self._cache, old_size, checkpoint)
            )


def _last_known(connection: Connection) -> tuple[SignedCheckpoint | None, dict[bytes, int]]:
    """Return the newest checkpoint unless it is sealed, and the size each witness saw last."""
    columns = archive_cosignatures.c
    rows = connection.execute(
        select(columns.key_id, func.max(columns.size).label("size")).group_by(columns.key_id)
    )
    newest = newest_checkpoint(connection)
    if newest is not None and newest.size <= read_head(connection).sealed_size:
        newest = None
    return newest, {bytes.fromhex(row.key_id): row.size for row in rows}


def _take_in_what_waits(connection: Connection) -> None:
    """Do nothing: every transaction ends with commit B."""
