"""Owns the taking in of a local file for an import: its bytes as blobs, then its row.

It never takes the same file in twice while one is under way: that import goes on.
"""

from __future__ import annotations

import functools
import hashlib
import io
from typing import IO, NamedTuple

import msgspec
from sqlalchemy import Connection, select, update

from backend.imports.original import drop_original
from backend.imports.rows import KnownImport, find_import, is_private, stage_import
from backend.inbox.uploads import UNKNOWN_MEDIA_TYPE, Part, add_part, announce_upload
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from backend.storage.import_tables import imports
from backend.storage.tables import attachments
from contract.ids import AttachmentId
from contract.import_wire import MOST_FILE_BYTES, ImportPhase, ImportStatus, StageImport
from contract.imports.model import ImportRefused
from contract.names import file_name
from contract.wire import CreateAttachment, Me

PART_BYTES = 1024 * 1024
_OPEN = (ImportPhase.READING, ImportPhase.READY, ImportPhase.RECORDING)


class Arrival(NamedTuple):
    """A local file with what to do with it; `worker` is who does the work, never empty."""

    file: IO[bytes]
    name: str
    command: StageImport
    worker: str


def stage_file(
    database: Database, blobs: BlobStore, me: Me, arrival: Arrival, now_utc_ms: int
) -> ImportStatus:
    """Store a file and stage its import; it blocks, and the running backend leaves it alone.

    Raises ImportRefused, Refused or OSError; then nothing of the file stays.
    """
    if is_private(arrival.command):
        raise ImportRefused("Nobody in this chat is a client: a private chat is not taken.")
    begun = database.read_now(lambda c: _begun(c, me, arrival))
    if begun is not None:
        return begun.status
    attachment_id = database.write_now(lambda c: _announce(c, me, arrival, now_utc_ms))
    command = msgspec.structs.replace(arrival.command, attachment_id=attachment_id)
    try:
        _store(database, blobs, me, attachment_id, arrival.file)
        return database.write_now(
            lambda c: stage_import(c, me, command, now_utc_ms, arrival.worker)
        )
    except BaseException:
        drop_original(database, blobs, attachment_id)
        raise


def _begun(connection: Connection, me: Me, arrival: Arrival) -> KnownImport | None:
    """Return the import that an earlier run of the same command did not finish."""
    columns = imports.c
    ids = connection.execute(
        select(columns.import_id).where(
            columns.employee_id == me.employee_id,
            columns.worker == arrival.worker,
            columns.phase.in_(_OPEN),
        )
    ).scalars()
    for import_id in ids.all():
        known = find_import(connection, import_id)
        if known is None:
            continue
        bare = msgspec.structs.replace(known.command, attachment_id=AttachmentId(""))
        if bare == arrival.command:
            return known
    return None


def _announce(connection: Connection, me: Me, arrival: Arrival, now_utc_ms: int) -> AttachmentId:
    announced = CreateAttachment(
        name=file_name(arrival.name),
        media_type=UNKNOWN_MEDIA_TYPE,
        size_bytes=arrival.file.seek(0, io.SEEK_END),
        sha256=arrival.command.sha256,
    )
    return announce_upload(connection, me, announced, MOST_FILE_BYTES, now_utc_ms).attachment_id


def _store(
    database: Database, blobs: BlobStore, me: Me, attachment_id: AttachmentId, file: IO[bytes]
) -> None:
    file.seek(0)
    digest, at = hashlib.sha256(), 0
    while piece := file.read(PART_BYTES):
        part = Part(at, at + len(piece))
        blobs.put(attachment_id, at, piece)
        database.write_now(functools.partial(_add, me, attachment_id, part))
        digest.update(piece)
        at = part.end_byte
    announced = database.write_now(lambda c: _complete(c, attachment_id))
    if digest.hexdigest() != announced:
        raise ImportRefused("The file changed while it was read: run the command again.")


def _add(me: Me, attachment_id: AttachmentId, part: Part, connection: Connection) -> None:
    add_part(connection, me, attachment_id, part)


def _complete(connection: Connection, attachment_id: AttachmentId) -> str:
    columns = attachments.c
    this = columns.attachment_id == attachment_id
    connection.execute(update(attachments).where(this).values(complete=True))
    sha256: str = connection.execute(select(columns.sha256).where(this)).scalar_one()
    return sha256
