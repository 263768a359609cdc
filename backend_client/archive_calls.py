"""Owns the calls about the archive's proofs: receipts, checkpoints, consistency, statements.

It never verifies what it reads: app.archive does.
"""

from __future__ import annotations

from backend_client.calls import Caller
from contract import api, wire
from contract.ids import MessageId


class ArchiveCalls:
    """What the archive shows of itself, and the alarm when that does not hold."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def receipt(self, message_id: MessageId, revision: int) -> wire.ReceiptDocument:
        """Read all that proves one archived version of a message."""
        path = api.MESSAGE_RECEIPT.format(message_id=message_id)
        asked = {"revision": str(revision)}
        return await self._caller.get(path, wire.ReceiptDocument, params=asked)

    async def checkpoint(self) -> bytes:
        """Read the newest checkpoint that the quorum has cosigned, a signed note."""
        reply = await self._caller.exchange("GET", api.ARCHIVE_CHECKPOINT)
        return reply.body

    async def consistency(self, from_size: int, to_size: int) -> wire.ConsistencyProof:
        """Read the proof that the log of `to_size` entries begins with that of `from_size`."""
        asked = {"from_size": str(from_size), "to_size": str(to_size)}
        return await self._caller.get(api.ARCHIVE_CONSISTENCY, wire.ConsistencyProof, params=asked)

    async def statements(self) -> tuple[str, ...]:
        """Read the signed statements about the log, oldest first."""
        reply = await self._caller.get(api.ARCHIVE_STATEMENTS, wire.ArchiveStatements)
        return reply.statements

    async def alert(self, alert: wire.ArchiveAlert, *, key: str) -> wire.Done:
        """Tell Compliance of an alarm; the same key again is the same alarm."""
        return await self._caller.command("POST", api.ARCHIVE_ALERTS, alert, wire.Done, key=key)
