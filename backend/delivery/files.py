"""The bytes of attachments for connectors: read from, and kept in, the encrypted blobs.

It never keeps a byte in clear.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, select

from backend.storage.blobs import BlobDamaged, BlobStore
from backend.storage.database import Database
from backend.storage.tables import attachment_parts
from contract.ids import AttachmentId


class DeliveryFiles:
    """Whole files by attachment id, for one database with its blobs."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def read(self, attachment_id: AttachmentId) -> bytes:
        """Return a file's bytes; raises BlobDamaged when they are gone or were changed."""
        parts = await self._database.read(lambda c: _parts(c, attachment_id))
        if not parts:
            raise BlobDamaged("an attachment has no stored bytes")

        def join() -> bytes:
            return b"".join(
                piece
                for start_byte, end_byte in parts
                for piece in self._blobs.read(
                    attachment_id, start_byte, end_byte, start_byte, end_byte
                )
            )

        return await asyncio.to_thread(join)

    async def put(self, attachment_id: AttachmentId, body: bytes) -> None:
        """Keep a client's file as one part, flushed to the disk; raises OSError when it is full."""
        await asyncio.to_thread(self._blobs.put, attachment_id, 0, body)


def _parts(connection: Connection, attachment_id: str) -> list[tuple[int, int]]:
    columns = attachment_parts.c
    rows = connection.execute(
        select(columns.start_byte, columns.end_byte)
        .where(columns.attachment_id == attachment_id)
        .order_by(columns.start_byte)
    )
    return [(row.start_byte, row.end_byte) for row in rows]
