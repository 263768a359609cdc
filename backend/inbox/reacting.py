"""Owns a message's reactions: each actor's newest one, archived before it shows.

It never asks who may react, and tells no vendor.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from backend.archive.entries import Recorded, append_entry, new_salt
from backend.inbox.messages import message_row, update_message
from backend.storage.tables import reactions
from contract.receipts.canonical import canonical_json


def set_reaction(
    connection: Connection,
    message_id: str,
    actor_id: str,
    emoji: str,
    *,
    occurred_at_utc_ms: int,
    now_utc_ms: int,
) -> Recorded | None:
    """Archive a reaction and show it; an empty emoji takes the actor's reaction away.

    Returns the entry, None when nothing changes by it.
    """
    row, mine = message_row(connection, message_id), reactions.c
    theirs = (mine.message_id == message_id, mine.actor_id == actor_id)
    before = set(connection.execute(select(mine.emoji).where(*theirs)).scalars())
    if before == ({emoji} if emoji else set()):
        return None
    archived = append_entry(
        connection,
        kind="reaction",
        actor_id=actor_id,
        conversation_id=row.conversation_id,
        message_id=message_id,
        revision=row.revision,
        occurred_at_utc_ms=occurred_at_utc_ms,
        salt=new_salt(),
        body=canonical_json({"emoji": emoji}),
        firm_id=row.firm_id,
        now_utc_ms=now_utc_ms,
    )
    connection.execute(delete(reactions).where(*theirs))
    if emoji:
        connection.execute(
            insert(reactions).values(
                message_id=message_id,
                actor_id=actor_id,
                emoji=emoji,
                firm_id=row.firm_id,
                at_utc_ms=now_utc_ms,
            )
        )
    update_message(connection, message_id, now_utc_ms)
    return archived
