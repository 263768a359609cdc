"""Reads the outbox as a queue by key, and takes many entries out of it at once.

It never counts row by row, and never takes out what the backend may already have.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, RowMapping, TextClause, text

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.queue import MAX_QUEUE_ROWS, QueuePage, QueueRow, TakenBack
from app.domain.timeline import OutboxEntry
from app.store.databases import Databases, ReadView
from app.store.outbox_lanes import counts_of, heads_of, totals, waiting_conversations
from app.store.outbox_rows import entry_of, get_draft, merged_draft, put_draft
from app.store.payloads import decode_message, id_list
from contract.ids import ConversationId, MessageId
from contract.states import DeliveryState, OutboxState
from contract.wire import Channel

_LATER = text("SELECT * FROM outbox WHERE position > :at ORDER BY position LIMIT :limit")
_EARLIER = text("SELECT * FROM outbox WHERE position < :at ORDER BY position DESC LIMIT :limit")
_TITLES = text(
    "SELECT conversation_id, title, channel FROM conversations"
    " WHERE conversation_id IN (SELECT value FROM json_each(:ids))"
)
_MESSAGES = text(
    "SELECT payload FROM messages WHERE message_id IN (SELECT value FROM json_each(:ids))"
)
_LAST_OF_ONE = text(
    "SELECT * FROM outbox INDEXED BY outbox_open WHERE state IN ('undo', 'queued', 'sending')"
    " AND state != 'sending' AND conversation_id = :id ORDER BY position DESC LIMIT :limit"
)
_REMOVE = text(
    "DELETE FROM outbox WHERE message_id IN (SELECT value FROM json_each(:ids))"
    " AND state IN ('undo', 'queued')"
)
BEGINNING = 0
STEP_ROWS = 200


class QueueReads:
    """Pages in composing order; raises DiskFull for `take_back`, changing nothing."""

    def __init__(self, databases: Databases, clock: Clock) -> None:
        self._databases = databases
        self._clock = clock

    async def later(self, position: int = BEGINNING, limit: int = 100) -> QueuePage:
        """Return up to `limit` (1–500) rows behind a position; BEGINNING: the first ones."""
        limit = max(1, min(limit, MAX_QUEUE_ROWS))

        def work(view: ReadView) -> QueuePage:
            found = _rows(view, _LATER, position, limit + 1)
            earlier = bool(_rows(view, _EARLIER, position + 1, 1)) if position else False
            return QueuePage(_dressed(view, found[:limit]), earlier, len(found) > limit)

        return await self._databases.read(work)

    async def earlier(self, position: int, limit: int = 100) -> QueuePage:
        """Return up to `limit` (1–500) rows before a position, in composing order."""
        limit = max(1, min(limit, MAX_QUEUE_ROWS))

        def work(view: ReadView) -> QueuePage:
            found = _rows(view, _EARLIER, position, limit + 1)
            later = bool(_rows(view, _LATER, position - 1, 1))
            return QueuePage(_dressed(view, found[:limit][::-1]), len(found) > limit, later)

        return await self._databases.read(work)

    async def conversations(self, after: str = "", limit: int = 100) -> tuple[ConversationId, ...]:
        """Return conversations in which something waits, by id, after one."""
        return await self._databases.read(
            lambda view: waiting_conversations(view.outbox, after, limit)
        )

    async def waiting(self, conversation_id: ConversationId | None) -> int:
        """Return how many entries of a conversation, or of all, the backend has not taken yet."""

        def work(view: ReadView) -> int:
            if conversation_id is None:
                return totals(view.outbox)[0]
            return counts_of(view.outbox, (conversation_id,)).get(conversation_id, (0, 0))[0]

        return await self._databases.read(work)

    async def take_back(
        self, conversation_id: ConversationId, *, keep_text: bool, limit: int = STEP_ROWS
    ) -> TakenBack:
        """Take the last `limit` entries that are only here out of a conversation's lane.

        In the same commit their texts, in order and before what was typed since, become the
        draft; with `keep_text` False they are deleted, as the person asked.
        """
        now_utc_ms = self._clock.now_utc_ms()

        def work(connection: Connection) -> tuple[TakenBack, ChangeSet]:
            values = {"id": conversation_id, "limit": limit}
            rows = connection.execute(_LAST_OF_ONE, values).mappings().all()
            entries = [entry_of(row) for row in rows]
            if keep_text:
                _draft_again(connection, conversation_id, entries, now_utc_ms)
            ids = [entry.message_id for entry in entries]
            connection.execute(_REMOVE, {"ids": id_list(ids)})
            done = TakenBack(len(entries), conversation_id, len(entries) == limit)
            return done, _changes(conversation_id, ids, draft=keep_text)

        return await self._databases.write_outbox(work)


def _rows(view: ReadView, statement: TextClause, position: int, limit: int) -> list[RowMapping]:
    values = {"at": position, "limit": limit}
    return list(view.outbox.execute(statement, values).mappings())


def _dressed(view: ReadView, rows: Collection[RowMapping]) -> tuple[QueueRow, ...]:
    """Add what the cache and the lanes know of the entries."""
    homes = {row["conversation_id"] for row in rows}
    heads = heads_of(view.outbox, homes)
    known = {
        row[0]: (row[1], row[2]) for row in view.cache.execute(_TITLES, {"ids": id_list(homes)})
    }
    taken = [row["message_id"] for row in rows if row["state"] == OutboxState.ACCEPTED]
    states = _delivery_states(view, taken)
    result = []
    for row in rows:
        title, channel = known.get(row["conversation_id"], ("", ""))
        result.append(
            QueueRow(
                position=row["position"],
                entry=entry_of(row),
                title=title,
                channel=Channel(channel) if channel else None,
                is_head=heads.get(row["conversation_id"]) == row["position"],
                delivery=states.get(row["message_id"]),
            )
        )
    return tuple(result)


def _delivery_states(view: ReadView, ids: Collection[str]) -> dict[str, DeliveryState]:
    if not ids:
        return {}
    found = view.cache.execute(_MESSAGES, {"ids": id_list(ids)}).scalars()
    messages = [decode_message(each) for each in found]
    return {each.message_id: each.state for each in messages if each.state is not None}


def _draft_again(
    connection: Connection,
    conversation_id: ConversationId,
    entries: Collection[OutboxEntry],
    now_utc_ms: int,
) -> None:
    """Put each entry's text before the draft, the last one first."""
    draft = get_draft(connection, conversation_id)
    for entry in entries:
        draft = merged_draft(entry, draft, now_utc_ms)
    if draft is not None:
        put_draft(connection, draft)


def _changes(
    conversation_id: ConversationId, ids: Collection[MessageId], *, draft: bool
) -> ChangeSet:
    if not ids:
        return ChangeSet()
    home = frozenset({conversation_id})
    return ChangeSet(
        conversations=home,
        messages={conversation_id: frozenset(ids)},
        drafts=home if draft else frozenset(),
        outbox=True,
        initiator="outbox",
    )
