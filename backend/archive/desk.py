"""Owns what the API asks of the archive: its keys, seals to wait for, receipts and proofs.

It never writes: the sequencer does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from backend.archive.board import SealBoard, seal_within
from backend.archive.nodes import NodeCache
from backend.archive.sealing import SealedEntry, sealed_submission
from backend.archive.signing import WitnessPolicy
from backend.storage.database import Database
from contract.receipts.keys import VerifierKey
from contract.wire import ArchiveKeys

T = TypeVar("T")
SEALED_WITHIN_S = 2.0


class ArchiveDesk:
    """One per process that serves the API."""

    def __init__(
        self,
        database: Database,
        cache: NodeCache,
        board: SealBoard,
        sealed_within_s: float = SEALED_WITHIN_S,
    ) -> None:
        """`sealed_within_s`: how long a request waits for its entry's seal."""
        self._database = database
        self.sealed_within_s = sealed_within_s
        self.cache = cache
        self.board = board
        self._log_key: VerifierKey | None = None
        self.policy: WitnessPolicy | None = None

    def trust(self, log_key: VerifierKey, policy: WitnessPolicy) -> None:
        """Know who signs and who cosigns from now on."""
        self._log_key, self.policy = log_key, policy

    @property
    def keys(self) -> ArchiveKeys | None:
        """Return what clients pin; None before the first witness made itself known."""
        if self._log_key is None or self.policy is None:
            return None
        return self.policy.document(self._log_key)

    async def sealed_after(
        self,
        entry_id: str,
        commit: Callable[[Connection], T],
        known: Callable[[T], bool],
    ) -> tuple[T, SealedEntry | None]:
        """Run commit A, then wait for the entry's seal; None when it is not sealed in time.

        `known` tells of the commit's result that the entry had been there before.
        """
        with self.board.expect(entry_id) as future:
            result = await self._database.write(commit)
            sealed = await self.sealed(entry_id) if known(result) else None
            return result, sealed or await seal_within(future, self.sealed_within_s)

    async def sealed(self, entry_id: str) -> SealedEntry | None:
        """Return a submission's seal with its receipt; None while it is not sealed."""
        policy = self.policy
        if policy is None:
            return None
        return await self._database.read(
            lambda c: sealed_submission(c, self.cache, entry_id, policy.quorum)
        )
