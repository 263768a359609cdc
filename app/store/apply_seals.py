"""Applies archive seals, whether they come before or after the message they belong to.

It never commits and never changes a message's version or place.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, text

from app.store.apply_messages import Touched
from app.store.payloads import decode_message, encode
from contract.events import Sealed

_MESSAGE = text("SELECT row_id, payload FROM messages WHERE message_id = :id")
_KEEP = text(
    "INSERT INTO seals (message_id, conversation_id, seq, payload)"
    " VALUES (:message_id, :conversation_id, :seq, :payload)"
    " ON CONFLICT (message_id) DO UPDATE SET seq = max(seq, excluded.seq)"
)
_SET_PAYLOAD = text("UPDATE messages SET payload = :payload WHERE row_id = :row_id")


def apply_seals(connection: Connection, seals: Iterable[tuple[Sealed, int]]) -> Touched:
    """Note seals with their stream position; return the messages that now show theirs.

    A seal is kept until a version of its message carries it, because an older version without
    may still come.
    """
    touched: Touched = {}
    for seal, seq in seals:
        row = connection.execute(_MESSAGE, {"id": seal.message_id}).one_or_none()
        message = decode_message(row[1]) if row is not None else None
        if message is not None and message.archive is not None:
            continue
        connection.execute(
            _KEEP,
            {
                "message_id": seal.message_id,
                "conversation_id": seal.conversation_id,
                "seq": seq,
                "payload": encode(seal.archive),
            },
        )
        if row is not None and message is not None:
            sealed = msgspec.structs.replace(message, archive=seal.archive)
            connection.execute(_SET_PAYLOAD, {"row_id": row[0], "payload": encode(sealed)})
            touched.setdefault(message.conversation_id, set()).add(message.message_id)
    return touched
