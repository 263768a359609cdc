"""Owns the receipts of submissions that policy refused: archived all the same, so checked too.

It never sends anything and never removes what waits for its author to mend it.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.archive.confirmer import Confirmer
from app.domain.timeline import OutboxEntry
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ProblemReply
from contract.events import Sealed
from contract.ids import MessageId
from contract.problems import ProblemCode

_NOT_SEALED_YET = 409
_UNKNOWN = 404


class RefusalCheck:
    """Verifies what was refused against what was written here, and notes it."""

    def __init__(self, api: GovernedApi, store: Store, confirmer: Confirmer) -> None:
        self._api = api
        self._store = store
        self._confirmer = confirmer

    async def settle(self, seals: Mapping[MessageId, Sealed]) -> bool:
        """Check each refusal that was not checked yet; return True while a seal is awaited.

        A mismatch has rung the alarm when this returns. Raises ClientError without a line.
        """
        waiting = False
        for entry in await self._store.archive.refused(ProblemCode.POLICY_DENIED):
            found = await self._receipt_of(entry, seals.get(entry.message_id))
            if found is None:
                waiting = True
                continue
            verified = await self._confirmer.confirm(entry, *found) if found[0] else None
            if verified is not None:
                await self._store.archive.note_verified(verified)
        return waiting

    async def _receipt_of(self, entry: OutboxEntry, seal: Sealed | None) -> tuple[str, str] | None:
        """Return receipt and decision hash; None before the seal, empty where none is known."""
        if seal is not None and seal.receipt:
            return seal.receipt, seal.decision_hash
        try:
            found = await self._api.archive.receipt(entry.message_id, entry.revision)
        except ProblemReply as fault:
            if fault.status == _NOT_SEALED_YET:
                return None
            if fault.status != _UNKNOWN:
                raise
            return "", ""  # erased meanwhile, or a service that keeps no refusals
        return found.receipt, found.decision_hash
