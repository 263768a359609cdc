"""Owns the audit of imported originals: the bytes that are kept against what the archive says.

It never repairs anything, and never holds more of a file than one frame.
"""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import Connection

from backend.archive.entries import read_entry
from backend.archive.tree_audit import Fault
from backend.imports.original import original_bytes
from backend.imports.rows import kept_imports
from backend.inbox.uploads import stored_parts
from backend.storage.blobs import BlobDamaged, BlobStore


class _Body(msgspec.Struct):
    file_sha256: str


def audit_originals(connection: Connection, blobs: BlobStore) -> int:
    """Hash the original of every confirmed import; returns how many there are.

    Raises Fault for the first that is missing, was changed, or stands in no entry.
    """
    count = 0
    for known in kept_imports(connection):
        if not known.status.entry_id:
            continue  # confirmed just now: nothing is archived yet
        count += 1
        named = f"the original of import {known.import_id}"
        entry = read_entry(connection, known.status.entry_id)
        if entry is None:
            raise Fault(f"{named} stands in no entry of the archive")
        if entry.body is None:
            continue  # lawfully erased, which the log's own audit has checked
        wanted = msgspec.json.decode(entry.body, type=_Body).file_sha256
        digest = hashlib.sha256()
        try:
            parts = stored_parts(connection, known.attachment_id)
            for piece in original_bytes(blobs, known.attachment_id, parts):
                digest.update(piece)
        except BlobDamaged as error:
            raise Fault(f"{named} can't be read", entry.sequence) from error
        if digest.hexdigest() != wanted:
            raise Fault(f"{named} is not the file that was archived", entry.sequence)
    return count
