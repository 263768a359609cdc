"""Keeps what each conversation's lane comes to: its head, when that is due, how much waits in it.

It never decides whether a head is sent, and holds nothing that the outbox's rows do not say.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.domain.timeline import OutboxEntry
from app.store.outbox_rows import entry_of
from app.store.payloads import id_list
from contract.ids import ConversationId

_DUE = text(
    "SELECT outbox.* FROM lanes INDEXED BY lanes_due CROSS JOIN outbox"
    " ON outbox.position = lanes.head WHERE lanes.due_utc_ms <= :now"
    " ORDER BY lanes.due_utc_ms, lanes.head LIMIT :limit"
)
_NEXT_DUE = text("SELECT min(due_utc_ms) FROM lanes WHERE due_utc_ms IS NOT NULL")
_TOTALS = text("SELECT coalesce(sum(waiting_count), 0), coalesce(sum(refused_count), 0) FROM lanes")
_OF_SOME = text(
    "SELECT conversation_id, waiting_count, refused_count FROM lanes"
    " WHERE conversation_id IN (SELECT value FROM json_each(:ids))"
)
_HEADS = text(
    "SELECT conversation_id, head FROM lanes WHERE head IS NOT NULL"
    " AND conversation_id IN (SELECT value FROM json_each(:ids))"
)
_WAITING = text(
    "SELECT conversation_id FROM lanes WHERE waiting_count > 0 AND conversation_id > :after"
    " ORDER BY conversation_id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class DueLanes:
    """Heads that are due, longest due first, and when the next one is (may lie in the past)."""

    heads: tuple[OutboxEntry, ...]
    next_utc_ms: int | None


def due_lanes(outbox: Connection, now_utc_ms: int, limit: int) -> DueLanes:
    """Return at most `limit` heads due by now; one that is being sent is no lane's due head."""
    rows = outbox.execute(_DUE, {"now": now_utc_ms, "limit": limit}).mappings()
    heads = tuple(entry_of(row) for row in rows)
    due = outbox.execute(_NEXT_DUE).scalar()
    return DueLanes(heads, None if due is None else int(due))


def totals(outbox: Connection) -> tuple[int, int]:
    """Return how many entries wait and how many were refused, a row read per conversation."""
    row = outbox.execute(_TOTALS).one()
    return int(row[0]), int(row[1])


def counts_of(outbox: Connection, conversation_ids: Collection[str]) -> dict[str, tuple[int, int]]:
    """Return waiting and refused counts of those of the conversations that have any."""
    rows = outbox.execute(_OF_SOME, {"ids": id_list(conversation_ids)})
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def waiting_conversations(outbox: Connection, after: str, limit: int) -> tuple[ConversationId, ...]:
    """Return conversations in which something waits, by id, after one."""
    rows = outbox.execute(_WAITING, {"after": after, "limit": limit}).scalars()
    return tuple(ConversationId(each) for each in rows)


def heads_of(outbox: Connection, conversation_ids: Collection[str]) -> dict[str, int]:
    """Return the positions of the heads of those of the lanes that have one."""
    rows = outbox.execute(_HEADS, {"ids": id_list(conversation_ids)})
    return {row[0]: int(row[1]) for row in rows}
