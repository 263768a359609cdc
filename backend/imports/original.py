"""Owns the original file of an import as a stream over its encrypted parts, and its end.

It never writes a byte of it in clear to a disk.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete

from backend.governance.attachments import drop_inspection
from backend.inbox.uploads import Part, stored_parts
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from backend.storage.tables import attachment_parts, attachments

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 256 * 1024


def open_original(
    blobs: BlobStore, attachment_id: str, parts: tuple[Part, ...]
) -> io.BufferedReader:
    """Return the seekable stream of a complete upload; reading may raise BlobDamaged."""
    return io.BufferedReader(_Parts(blobs, attachment_id, parts), _BUFFER_BYTES)


def original_bytes(
    blobs: BlobStore, attachment_id: str, parts: tuple[Part, ...]
) -> Iterator[bytes]:
    """Yield the original's bytes in order; raises BlobDamaged."""
    for first, last in parts:
        yield from blobs.read(attachment_id, first, last, first, last)


def drop_original(database: Database, blobs: BlobStore, attachment_id: str) -> None:
    """Delete the bytes, then the rows; it blocks. A second call does nothing."""
    for part in database.read_now(lambda c: stored_parts(c, attachment_id)):
        blobs.remove(attachment_id, part.start_byte)
    database.write_now(lambda c: _forget(c, attachment_id))


def _forget(connection: Connection, attachment_id: str) -> None:
    drop_inspection(connection, attachment_id)
    for table in (attachment_parts, attachments):
        connection.execute(delete(table).where(table.c.attachment_id == attachment_id))


class _Parts(io.RawIOBase):
    """A file whose bytes are decrypted as they are read."""

    def __init__(self, blobs: BlobStore, attachment_id: str, parts: tuple[Part, ...]) -> None:
        super().__init__()
        self._blobs = blobs
        self._attachment_id = attachment_id
        self._parts = parts
        self._starts = [part.start_byte for part in parts]
        self._size_bytes = parts[-1].end_byte if parts else 0
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        if self._at >= self._size_bytes or not view:
            return 0
        part = self._parts[bisect_right(self._starts, self._at) - 1]
        last = min(part.end_byte, self._at + len(view))
        done = 0
        for piece in self._blobs.read(self._attachment_id, *part, self._at, last):
            view[done : done + len(piece)] = piece
            done += len(piece)
        self._at += done
        return done
