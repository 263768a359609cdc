"""Shows what only this computer knows as rows among the server's: waiting sends and drafts.

It never reads the cache's tables but for what a waiting send quotes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, text

from app.domain.timeline import OutboxEntry
from app.store.databases import ReadView
from app.store.drafts import uploaded
from app.store.outbox_lanes import counts_of
from app.store.outbox_rows import entry_of
from app.store.payloads import decode_message, id_list
from contract.ids import MessageId
from contract.wire import Direction, Me, Message, MessageKind, Quote

QUOTE_CHARS = 200
DRAFT_PREVIEW_CHARS = 200

_DRAFTS = text(
    "SELECT conversation_id, substr(text, 1, :chars) FROM drafts"
    " WHERE conversation_id IN (SELECT value FROM json_each(:ids))"
)
_ENTRIES = text(
    "SELECT * FROM outbox WHERE message_id IN (SELECT value FROM json_each(:ids)) ORDER BY position"
)
_QUOTED = text(
    "SELECT message_id, payload FROM messages"
    " WHERE message_id IN (SELECT value FROM json_each(:ids))"
)
_ME = text("SELECT value FROM meta WHERE key = 'me'")
_decode_me = msgspec.json.Decoder(Me).decode


@dataclass(frozen=True, slots=True)
class LocalState:
    """What this computer adds to one inbox row."""

    draft_text: str = ""
    waiting_count: int = 0
    refused_count: int = 0


def local_states(outbox: Connection, conversation_ids: Collection[str]) -> dict[str, LocalState]:
    """Return drafts and waiting sends of the conversations that have any."""
    ids = id_list(conversation_ids)
    rows = outbox.execute(_DRAFTS, {"ids": ids, "chars": DRAFT_PREVIEW_CHARS})
    found = {row[0]: LocalState(draft_text=row[1]) for row in rows}
    for conversation_id, (waiting, refused) in counts_of(outbox, conversation_ids).items():
        draft = found.get(conversation_id, LocalState()).draft_text
        found[conversation_id] = LocalState(draft, waiting, refused)
    return found


def entries(outbox: Connection, message_ids: Collection[str]) -> dict[str, OutboxEntry]:
    """Return those of the entries that are there, in composing order."""
    if not message_ids:
        return {}
    rows = outbox.execute(_ENTRIES, {"ids": id_list(message_ids)}).mappings()
    return {entry.message_id: entry for entry in map(entry_of, rows)}


def messages_of(view: ReadView, waiting: Collection[OutboxEntry]) -> list[Message]:
    """Return entries as messages the server does not know yet, placed as composed.

    Their version is 0 and their state None; names come from the cache as far as it has them.
    """
    if not waiting:
        return []
    me_bytes = view.cache.execute(_ME).scalar()
    me = None if me_bytes is None else _decode_me(me_bytes)
    quotes = _quotes(view.cache, waiting)
    files = {
        each.attachment_id: each
        for each in uploaded(
            view.outbox, [key for entry in waiting for key in entry.attachment_ids]
        )
    }
    return [
        Message(
            message_id=entry.message_id,
            conversation_id=entry.conversation_id,
            version=0,
            revision=entry.revision,
            direction=Direction.OUT,
            kind=MessageKind.TEXT,
            text=entry.text,
            author_id="" if me is None else me.employee_id,
            author_name="" if me is None else me.display_name,
            place_at_utc_ms=entry.composed_at_utc_ms,
            place_index=index,
            occurred_at_utc_ms=entry.composed_at_utc_ms,
            quote=None if entry.quote_message_id is None else quotes.get(entry.quote_message_id),
            attachments=tuple(files[key] for key in entry.attachment_ids if key in files),
        )
        for index, entry in enumerate(waiting)
    ]


def _quotes(cache: Connection, waiting: Collection[OutboxEntry]) -> dict[MessageId, Quote]:
    ids = [entry.quote_message_id for entry in waiting if entry.quote_message_id is not None]
    if not ids:
        return {}
    rows = cache.execute(_QUOTED, {"ids": id_list(ids)})
    quoted = [decode_message(row[1]) for row in rows]
    return {
        each.message_id: Quote(
            message_id=each.message_id,
            author_name=each.author_name,
            text=each.text[:QUOTE_CHARS],
        )
        for each in quoted
    }
