"""Keeps the submissions made on this computer until the server's truth has arrived.

It never sends and takes no step that contract.states does not allow.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, text

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.timeline import OutboxEntry
from app.store.databases import Databases, ReadView
from app.store.outbox_lanes import DueLanes, due_lanes, totals
from app.store.outbox_rows import (
    delete_entry,
    drop_draft,
    entry_of,
    get_draft,
    get_entry,
    insert_entry,
    merged_draft,
    put_draft,
    update_entry,
)
from app.store.queue import QueueReads
from contract.ids import ConversationId, MessageId
from contract.states import IllegalTransition, OutboxEvent, OutboxState, next_outbox_state
from contract.wire import WireFinding

# The conditions on state are written as in the partial indexes, so that SQLite uses them.
_OPEN = "state IN ('undo', 'queued', 'sending')"
_RETRY_NOW = text(
    "UPDATE outbox INDEXED BY outbox_paused SET next_attempt_utc_ms = 0"
    " WHERE next_attempt_utc_ms > 0 AND state = 'queued'"
)
_INTERRUPTED = text(
    f"SELECT * FROM outbox INDEXED BY outbox_open WHERE {_OPEN}"  # noqa: S608 -- constants
    " AND state != 'queued' ORDER BY position"
)
_FORGET_FILES = text(
    "DELETE FROM uploads WHERE attachment_id NOT IN (SELECT value FROM drafts,"
    " json_each(drafts.attachment_ids) UNION SELECT value FROM outbox,"
    " json_each(outbox.attachment_ids))"
)
_ALL = text("SELECT * FROM outbox ORDER BY position LIMIT :limit")
_OF_ONE = text("SELECT * FROM outbox WHERE conversation_id = :id ORDER BY position LIMIT :limit")
# Steps after which as many entries wait as before: the inbox has nothing to show of them.
_STILL_WAITING = frozenset({OutboxEvent.UNDO_ELAPSED, OutboxEvent.START, OutboxEvent.RETRY})


class OutboxStore:
    """Durable (synchronous=FULL) rows on a thread of their own: sync never delays a send.

    `queue` shows all entries in composing order. Raises DiskFull with nothing changed;
    IllegalTransition for steps the table lacks and for entries that are no longer there.
    """

    def __init__(self, databases: Databases, clock: Clock) -> None:
        self._databases = databases
        self._clock = clock
        self.queue = QueueReads(databases, clock)

    async def add(self, entry: OutboxEntry) -> None:
        """Write a new entry at the end of its conversation's lane; the draft stays."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            insert_entry(connection, entry)
            return None, _changes(entry)

        await self._databases.write_outbox(work)

    async def clear_draft_and_add(self, entry: OutboxEntry) -> None:
        """Write a new entry and remove its conversation's draft in one commit."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            insert_entry(connection, entry)
            drop_draft(connection, entry.conversation_id)
            return None, _changes(entry, draft=True)

        await self._databases.write_outbox(work)

    async def transition(
        self,
        message_id: MessageId,
        event: OutboxEvent,
        *,
        next_attempt_utc_ms: int = 0,
        problem_code: str = "",
        problem_detail: str = "",
        findings: tuple[WireFinding, ...] = (),
    ) -> OutboxEntry:
        """Take one step of the table, replace the fields given and return the new entry.

        START counts an attempt. For CANCEL use `cancel`, which keeps the text.
        """

        def work(connection: Connection) -> tuple[OutboxEntry, ChangeSet]:
            entry = _require(connection, message_id)
            changed = replace(
                entry,
                state=next_outbox_state(entry.state, event),
                attempts=entry.attempts + (event is OutboxEvent.START),
                next_attempt_utc_ms=next_attempt_utc_ms,
                problem_code=problem_code,
                problem_detail=problem_detail,
                findings=findings,
            )
            update_entry(connection, changed)
            return changed, _changes(changed, row=event not in _STILL_WAITING)

        if event is OutboxEvent.CANCEL:
            raise IllegalTransition("outbox: use cancel(), which keeps the text")
        return await self._databases.write_outbox(work)

    async def due(self, now_utc_ms: int, limit: int = 500) -> DueLanes:
        """Return at most `limit` lanes' heads (oldest entries that are not final) due by now.

        Due: QUEUED with its attempt time reached, or UNDO with its undo period over. The cost
        does not grow with what waits.
        """
        return await self._databases.read(lambda view: due_lanes(view.outbox, now_utc_ms, limit))

    async def retry_now(self) -> int:
        """Make every waiting attempt due at once; return how many were waiting."""

        def work(connection: Connection) -> tuple[int, ChangeSet]:
            count = connection.execute(_RETRY_NOW).rowcount
            return count, ChangeSet(outbox=count > 0, initiator="outbox")

        return await self._databases.write_outbox(work)

    async def restart(self) -> int:
        """After a start: UNDO and SENDING become QUEUED by the table; return how many.

        Files no draft and no entry names any more are forgotten.
        """

        def work(connection: Connection) -> tuple[int, ChangeSet]:
            rows = connection.execute(_INTERRUPTED).mappings().all()
            for entry in map(entry_of, rows):
                state = next_outbox_state(entry.state, OutboxEvent.RESTART)
                update_entry(connection, replace(entry, state=state, next_attempt_utc_ms=0))
            connection.execute(_FORGET_FILES)
            return len(rows), ChangeSet(outbox=bool(rows), initiator="outbox")

        return await self._databases.write_outbox(work)

    async def get(self, message_id: MessageId) -> OutboxEntry | None:
        """Return one entry or None."""
        return await self._databases.read(lambda view: get_entry(view.outbox, message_id))

    async def list_waiting(
        self, conversation_id: ConversationId | None = None, limit: int = 500
    ) -> tuple[OutboxEntry, ...]:
        """Return entries of any state as composed, of one conversation or of all."""

        def work(view: ReadView) -> tuple[OutboxEntry, ...]:
            if conversation_id is None:
                rows = view.outbox.execute(_ALL, {"limit": limit})
            else:
                rows = view.outbox.execute(_OF_ONE, {"id": conversation_id, "limit": limit})
            return tuple(entry_of(row) for row in rows.mappings())

        return await self._databases.read(work)

    async def forget(self, message_id: MessageId) -> None:
        """Remove an entry whose message the cache now holds; nothing happens when it is gone."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            entry = get_entry(connection, message_id)
            if entry is None:
                return None, ChangeSet()
            delete_entry(connection, message_id)
            return None, _changes(entry)

        await self._databases.write_outbox(work)

    async def cancel(self, message_id: MessageId) -> OutboxEntry:
        """Take an entry back (UNDO, QUEUED, or REFUSED to edit it): its text is a draft again.

        One commit removes the entry and puts its text, quote and files before what the draft
        holds. Returns the entry as CANCELLED. Raises IllegalTransition when it is too late.
        """
        now_utc_ms = self._clock.now_utc_ms()

        def work(connection: Connection) -> tuple[OutboxEntry, ChangeSet]:
            entry = _require(connection, message_id)
            if entry.state is not OutboxState.REFUSED:
                next_outbox_state(entry.state, OutboxEvent.CANCEL)
            draft = get_draft(connection, entry.conversation_id)
            put_draft(connection, merged_draft(entry, draft, now_utc_ms))
            delete_entry(connection, message_id)
            return replace(entry, state=OutboxState.CANCELLED), _changes(entry, draft=True)

        return await self._databases.write_outbox(work)

    async def counts(self) -> tuple[int, int]:
        """Return how many entries wait and how many were refused."""
        return await self._databases.read(lambda view: totals(view.outbox))


def _require(connection: Connection, message_id: MessageId) -> OutboxEntry:
    entry = get_entry(connection, message_id)
    if entry is None:
        raise IllegalTransition("outbox: this entry is no longer there")
    return entry


def _changes(entry: OutboxEntry, *, draft: bool = False, row: bool = True) -> ChangeSet:
    """Tell of one entry; `row` says that its conversation's row in the inbox changed, too."""
    home = frozenset({entry.conversation_id})
    return ChangeSet(
        conversations=home if row else frozenset(),
        messages={entry.conversation_id: frozenset({entry.message_id})},
        drafts=home if draft else frozenset(),
        outbox=True,
        initiator="outbox",
    )
