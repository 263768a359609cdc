"""Owns the end of uploads that never went with a message: their bytes, then their rows.

It never touches a file that any message holds, nor one that is younger than the limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection, delete, select, update

from backend.governance.attachments import drop_inspection
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from backend.storage.tables import attachment_parts, attachments

KEPT_DAYS = 30
LOOK_EVERY_S = 24 * 3600.0
_DAY_MS = 86_400_000
_AT_ONCE = 200


def drop_stale_uploads(
    database: Database, blobs: BlobStore, now_utc_ms: int, kept_days: int = KEPT_DAYS
) -> int:
    """Delete the files announced more than `kept_days` ago that no message holds; it blocks.

    Returns how many. A file is first made impossible to attach, so that a crash in between
    leaves rows that the next run finishes, never a message without its bytes.
    """
    before_utc_ms, dropped = now_utc_ms - kept_days * _DAY_MS, 0
    while doomed := database.write_now(lambda c: _set_aside(c, before_utc_ms)):
        for attachment_id, start_byte in database.read_now(lambda c: _parts(c, doomed)):
            blobs.remove(attachment_id, start_byte)
        database.write_now(lambda c: _forget(c, doomed))
        dropped += len(doomed)
    return dropped


async def keep_tidy(database: Database, blobs: BlobStore, now: Callable[[], int]) -> None:
    """Look for stale uploads once a day until cancelled; `now` returns UTC milliseconds."""
    while True:
        await asyncio.to_thread(drop_stale_uploads, database, blobs, now())
        await asyncio.sleep(LOOK_EVERY_S)


def _set_aside(connection: Connection, before_utc_ms: int) -> list[str]:
    """Return stale uploads, incomplete from now on: no submission takes them any more."""
    columns = attachments.c
    ids = list(
        connection.execute(
            select(columns.attachment_id)
            .where(
                columns.message_id.is_(None),
                columns.owner_id != "",
                columns.created_at_utc_ms < before_utc_ms,
            )
            .order_by(columns.attachment_id)
            .limit(_AT_ONCE)
        ).scalars()
    )
    if ids:
        mine = columns.attachment_id.in_(ids)
        connection.execute(update(attachments).where(mine).values(complete=False))
    return ids


def _parts(connection: Connection, attachment_ids: list[str]) -> list[tuple[str, int]]:
    parts = attachment_parts.c
    rows = connection.execute(
        select(parts.attachment_id, parts.start_byte).where(parts.attachment_id.in_(attachment_ids))
    )
    return [(row.attachment_id, row.start_byte) for row in rows]


def _forget(connection: Connection, attachment_ids: list[str]) -> None:
    for attachment_id in attachment_ids:
        drop_inspection(connection, attachment_id)
    for table in (attachment_parts, attachments):
        connection.execute(delete(table).where(table.c.attachment_id.in_(attachment_ids)))
