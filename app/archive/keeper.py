"""Owns the newest tree this computer has verified, and that each other one is the same log.

It never lets a tree go back: only a signed statement may.
"""

from __future__ import annotations

import asyncio

import msgspec

from app.archive.mismatch import Mismatch, of_growth
from app.archive.pins import Policy
from app.archive.verifier import prove_checkpoint
from app.domain.archive import AlarmKind
from app.domain.clock import Clock
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ProblemReply
from contract.receipts.checkpoints import Checkpoint, parse_checkpoint, verify_growth
from contract.receipts.encoding import decode_base64
from contract.receipts.errors import FaultCode, ReceiptError
from contract.receipts.notes import split_note

TREE = "tree"
# The answers of a service that understood and has no such thing; anything else may pass.
_REFUSALS = frozenset({400, 404, 409, 422})


class SeenTree(msgspec.Struct, frozen=True):
    """A verified tree with its signed note; `root` is hex."""

    origin: str
    size: int
    root: str
    note: bytes
    seen_at_utc_ms: int

    @property
    def checkpoint(self) -> Checkpoint:
        """Return the tree as a checkpoint."""
        return Checkpoint(self.origin, self.size, bytes.fromhex(self.root))


class CheckpointKeeper:
    """Keeps one tree durably; concurrent receipts are admitted one after another.

    `admitting` is held while a tree is admitted or put aside; `era` counts those put aside.
    """

    def __init__(self, api: GovernedApi, store: Store, clock: Clock) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self.admitting = asyncio.Lock()
        self.era = 0
        self.tree: SeenTree | None = None

    async def load(self) -> None:
        """Read the tree kept last time; one that can't be read counts as none."""
        kept = await self._store.archive.get(TREE)
        try:
            self.tree = None if kept is None else msgspec.json.decode(kept, type=SeenTree)
        except msgspec.DecodeError:
            self.tree = None

    async def admit(self, checkpoint: Checkpoint, note: bytes, era: int) -> None:
        """Make sure that a verified checkpoint is of the log seen so far; keep the newer one.

        `era` is that in which it was verified. Asks the service for the consistency proof. Raises
        Mismatch when it is another log or there is no proof, or when the tree was put aside since,
        ClientError when the service can't be asked now.
        """
        async with self.admitting:
            if era != self.era:
                raise Mismatch(AlarmKind.RECEIPT, FaultCode.KEY_UNSUITABLE, checkpoint)
            seen = self.tree
            if seen is None:
                await self._keep(checkpoint, note)
                return
            known = seen.checkpoint
            if checkpoint.origin == known.origin and checkpoint.size == known.size == 0:
                return
            older, newer = sorted((known, checkpoint), key=lambda one: one.size)
            hashes: list[bytes] = []
            if checkpoint.origin == known.origin and 0 < older.size < newer.size:
                hashes = await self._proof(older.size, newer.size, known)
            try:
                verify_growth(older, newer, hashes)
            except ReceiptError as fault:
                raise of_growth(fault, checkpoint) from fault
            if checkpoint.size >= known.size:
                await self._keep(checkpoint, note)

    async def check_newest(self, policy: Policy) -> None:
        """Ask for the newest checkpoint: verified, not smaller than seen before, same log.

        Raises Mismatch, SecondCheckPending, ClientError.
        """
        seen, era = self.tree, self.era
        try:
            note = await self._api.archive.checkpoint()
        except ProblemReply as fault:
            if fault.status not in _REFUSALS:
                raise
            if seen is not None and seen.size > 0:
                raise Mismatch(AlarmKind.ROLLBACK, FaultCode.LOG_ROLLED_BACK) from fault
            return
        checkpoint = await asyncio.to_thread(prove_checkpoint, note, policy)
        if seen is not None and checkpoint.origin == seen.origin and checkpoint.size < seen.size:
            raise Mismatch(AlarmKind.ROLLBACK, FaultCode.LOG_ROLLED_BACK, checkpoint)
        await self.admit(checkpoint, note, era)

    def put_aside(self, tree: SeenTree | None) -> None:
        """Go on from another tree, as a statement says; the caller has kept it already."""
        self.tree = tree
        self.era += 1

    async def _keep(self, checkpoint: Checkpoint, note: bytes) -> None:
        """Keep a tree before anybody is told that it holds."""
        seen_at_utc_ms = self._clock.now_utc_ms()
        tree = SeenTree(
            checkpoint.origin, checkpoint.size, checkpoint.root.hex(), note, seen_at_utc_ms
        )
        same = self.tree is not None and self.tree.size == tree.size
        if not same:
            await self._store.archive.put({TREE: msgspec.json.encode(tree)})
        self.tree = tree

    async def _proof(self, from_size: int, to_size: int, known: Checkpoint) -> list[bytes]:
        try:
            proof = await self._api.archive.consistency(from_size, to_size)
        except ProblemReply as fault:
            if fault.status not in _REFUSALS:
                raise
            rolled_back = await self._newest_size() < known.size
            kind = AlarmKind.ROLLBACK if rolled_back else AlarmKind.GAP
            code = FaultCode.LOG_ROLLED_BACK if rolled_back else FaultCode.PROOF_OUT_OF_RANGE
            raise Mismatch(kind, code) from fault
        try:
            return [decode_base64(one) for one in proof.hashes]
        except ValueError as fault:
            raise Mismatch(AlarmKind.GAP, FaultCode.PROOF_MALFORMED) from fault

    async def _newest_size(self) -> int:
        """Return the size the service shows now, unverified: it only names the alarm."""
        try:
            note = await self._api.archive.checkpoint()
            return parse_checkpoint(split_note(note).text).size
        except ProblemReply:
            return 0
        except ReceiptError:
            return 1 << 62
