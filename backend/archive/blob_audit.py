"""Owns the audit of files: the stored bytes of each attachment against its archived SHA-256.

It never holds more of a file than one frame, and never repairs anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from backend.archive.tree_audit import Fault
from backend.inbox.uploads import Part, stored_parts
from backend.storage.blobs import BlobDamaged, BlobStore
from backend.storage.tables import attachments

Progress = Callable[[int, int], None]
_PAGE = 256


class _File(NamedTuple):
    attachment_id: str
    message_id: str
    size_bytes: int
    sha256: str
    parts: tuple[Part, ...]


def audit_files(connection: Connection, blobs: BlobStore, progress: Progress | None = None) -> int:
    """Hash the bytes of every file that went with a message; returns how many.

    That the hashes are those of the archived bodies is the messages' audit. Raises Fault for the
    first file that is missing or was changed; `progress` is told the files done and all.
    """
    total, done = _count(connection), 0
    for file in _files(connection):
        fault = _fault_of(blobs, file)
        if fault:
            raise Fault(f"file {file.attachment_id} of message {file.message_id}: {fault}")
        done += 1
        if progress is not None:
            progress(done, total)
    return done


def _fault_of(blobs: BlobStore, file: _File) -> str:
    at = 0
    for part in file.parts:
        if part.start_byte != at:
            return "a part of it is missing"
        at = part.end_byte
    if at != file.size_bytes:
        return "its stored size is not the one archived"
    digest = hashlib.sha256()
    try:
        for part in file.parts:
            for piece in blobs.read(file.attachment_id, *part, *part):
                digest.update(piece)
    except BlobDamaged:
        return "its stored bytes are missing or were changed"
    return "" if digest.hexdigest() == file.sha256 else "its bytes are not those archived"


def _files(connection: Connection) -> Iterator[_File]:
    after = ""
    while True:
        page = _page(connection, after)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].attachment_id


def _page(connection: Connection, after: str) -> list[_File]:
    columns = attachments.c
    rows = connection.execute(
        _went(
            select(
                columns.attachment_id,
                columns.message_id,
                columns.size_bytes,
                columns.sha256,
            )
        )
        .where(columns.attachment_id > after)
        .order_by(columns.attachment_id)
        .limit(_PAGE)
    ).all()
    return [
        _File(
            row.attachment_id,
            row.message_id,
            row.size_bytes,
            row.sha256,
            stored_parts(connection, row.attachment_id),
        )
        for row in rows
    ]


def _count(connection: Connection) -> int:
    query = _went(select(func.count()).select_from(attachments))
    return int(connection.execute(query).scalar_one())


def _went(query: Select[Any]) -> Select[Any]:
    """Narrow a query to files that went with a message and were not erased with it."""
    return query.where(attachments.c.message_id.is_not(None), attachments.c.complete)
