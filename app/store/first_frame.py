"""Reads the prepared first frame with the bare driver, before the store itself is open.

It never imports SQLAlchemy, never writes, and never judges a file: what it can't read is ignored.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from app.domain.drafts import Draft
from app.domain.first_frame import FirstFrame, OpenedConversation
from app.domain.version import CLIENT_VERSION
from contract.ids import AttachmentId, ConversationId, MessageId

CACHE_FILE = "cache.db"
OUTBOX_FILE = "outbox.db"
FIRST_FRAME = "first_frame"
DRAFT_PREVIEW_CHARS = 200

_ROW = f"SELECT value FROM meta WHERE key = '{FIRST_FRAME}'"  # noqa: S608 -- a constant
_PREVIEWS = f"SELECT conversation_id, substr(text, 1, {DRAFT_PREVIEW_CHARS}) FROM drafts"  # noqa: S608 -- a constant
_DRAFT = (
    "SELECT text, quote_message_id, attachment_ids, saved_at_utc_ms, justification, acknowledged,"
    " false_positives, template_id FROM drafts WHERE conversation_id = ?"
)


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """The row: which program wrote it for which version of the cache's tables, and the frame."""

    client_version: str
    cache_version: int
    frame: FirstFrame


def encode_first_frame(frame: FirstFrame, cache_version: int) -> bytes:
    """Return the row's bytes; drafts stay out of them, they belong to the outbox's file alone."""
    rows = tuple(replace(row, draft_text="") for row in frame.rows)
    opened = frame.opened and replace(frame.opened, draft=None)
    bare = replace(frame, rows=rows, opened=opened)
    return msgspec.msgpack.encode(_Stored(CLIENT_VERSION, cache_version, bare))


def decode_first_frame(value: bytes, cache_version: int) -> FirstFrame | None:
    """Return the frame, None when another program or another version's tables made the row."""
    try:
        stored = msgspec.msgpack.decode(value, type=_Stored)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    known = (stored.client_version, stored.cache_version) == (CLIENT_VERSION, cache_version)
    return stored.frame if known else None


def read_first_frame(cache: tuple[Path, bytes], outbox: tuple[Path, bytes]) -> FirstFrame | None:
    """Return what can be shown at once, each file given with its raw key (~5 ms).

    None when there is no frame to show: no file, another key, damage, another version.
    """
    from sqlcipher3 import dbapi2

    try:
        frame = _read_row(*cache)
        return None if frame is None else _with_drafts(frame, *outbox)
    except (dbapi2.Error, OSError, ValueError):
        return None


def _open(path: Path, key: bytes) -> Any:
    """Open a file that another connection may have left with a log; raises the driver's errors."""
    from sqlcipher3 import dbapi2

    connection = dbapi2.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    return connection


def _read_row(path: Path, key: bytes) -> FirstFrame | None:
    connection = _open(path, key)
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        row = connection.execute(_ROW).fetchone()
    finally:
        connection.close()
    return None if row is None else decode_first_frame(row[0], version)


def _with_drafts(frame: FirstFrame, path: Path, key: bytes) -> FirstFrame:
    opened = frame.opened
    last = "" if opened is None else opened.conversation.conversation_id
    connection = _open(path, key)
    try:
        previews = dict(connection.execute(_PREVIEWS).fetchall())
        stored = connection.execute(_DRAFT, (last,)).fetchone()
    finally:
        connection.close()
    rows = tuple(
        replace(row, draft_text=previews.get(row.conversation.conversation_id, ""))
        for row in frame.rows
    )
    return replace(frame, rows=rows, opened=opened and _with_draft(opened, stored))


def _with_draft(opened: OpenedConversation, row: Any) -> OpenedConversation | None:
    """Lay the draft in; None when it answers a message that the frame does not hold."""
    if row is None:
        return opened
    draft = _draft(opened.conversation.conversation_id, row)
    held = {each.message.message_id for each in opened.rows}
    if draft.quote_message_id is not None and draft.quote_message_id not in held:
        return None
    return replace(opened, draft=draft)


def _draft(conversation_id: ConversationId, row: Any) -> Draft:
    return Draft(
        conversation_id,
        text=row[0],
        quote_message_id=None if row[1] is None else MessageId(row[1]),
        attachment_ids=tuple(AttachmentId(each) for each in json.loads(row[2])),
        saved_at_utc_ms=row[3],
        justification=row[4],
        acknowledged=tuple(str(each) for each in json.loads(row[5])),
        false_positives=tuple(str(each) for each in json.loads(row[6])),
        template_id=row[7],
    )
