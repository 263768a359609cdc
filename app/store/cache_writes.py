"""Writes what the server tells into the cache: events, snapshot pages, single answers.

It never touches the outbox or drafts and never lowers a version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection, text

from app.domain.changes import ChangeSet
from app.domain.errors import CursorGone
from app.store import apply_events as applying
from app.store.cache_tables import FIRST_IMPORT_ROW_ID, FIRST_LIVE_ROW_ID
from app.store.check import SnapshotProgress
from app.store.databases import Databases
from app.store.page_pieces import MESSAGES_PER_COMMIT, Piece, cut, pieces_of
from app.store.purges import revoke, sweep_messages, sweep_people
from app.store.search_rows import USUAL_SEGMENTS, set_merging
from app.store.sync_rows import SyncState, read_state, write_state
from contract.events import Event
from contract.ids import ConversationId
from contract.wire import Contact, Conversation, Message, SnapshotPage

_EVENTS_PER_COMMIT = 1_200
_ROWS_PER_SWEEP = 20_000
_FIRST_SNAPSHOT_GENERATION = 2
_PUT_META = text(
    "INSERT INTO meta (key, value) VALUES (:key, :value)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_GET_META = text("SELECT value FROM meta WHERE key = :key")
# How far the stream had come when a snapshot became due.
META_REACHED = "stream_reached"


class CacheWrites:
    """All writes go through one thread; each is one commit unless its docstring says else.

    The change set is published after the commit even when the caller was cancelled.
    Raises DiskFull, CorruptStore (the cache was then made anew: sync from a snapshot).
    """

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def apply_events(self, events: Sequence[Event], new_seq: int) -> ChangeSet:
        """Apply events by version, idempotently, with the stream's position.

        Long lists are cut into commits of some 20 ms, each with the position it reached; the
        position never falls. While the user types a search they wait for a moment. Raises
        CursorGone when no snapshot was ever begun: nothing is applied then.
        """
        total = ChangeSet(initiator="sync")
        for part, position in _in_commits(events, new_seq):

            def work(
                connection: Connection, part: Sequence[Event] = part, position: int = position
            ) -> tuple[ChangeSet, ChangeSet]:
                return applying.apply_events(connection, part, position)

            await self._databases.precedence.give_way()
            total = total.joined(await self._databases.write_cache(work))
        return total

    async def apply_snapshot_page(self, page: SnapshotPage, *, first: bool) -> ChangeSet:
        """Apply one page in short commits, the last of which notes where to go on.

        `first` begins a new snapshot: its position is the stream's from then on. Returns the
        changes of this page. After the last page what the snapshot did not hold is removed (it
        was revoked or erased meanwhile). Raises CursorGone when the page's snapshot was given up
        meanwhile: begin a new one.
        """
        write = self._databases.write_cache
        total = ChangeSet(initiator="history")
        for number, piece in enumerate(pieces_of(page)):
            begins = first and number == 0

            def work(
                connection: Connection, piece: Piece = piece, begins: bool = begins
            ) -> tuple[tuple[SyncState, ChangeSet], ChangeSet]:
                return applying.apply_piece(connection, page, piece, begins=begins)

            state, changes = await write(work)
            total = total.joined(changes)
        if page.next_cursor:
            return total
        is_resync = state.generation > _FIRST_SNAPSHOT_GENERATION
        if is_resync:
            for start, beyond in _row_ranges(state):
                await write(_sweep_of(state.generation, start, beyond))
        await write(lambda connection: _end_snapshot(connection, sweep=is_resync))
        return ChangeSet(reset=True, initiator="sync") if is_resync else total

    async def apply_answers(
        self,
        *,
        contacts: Sequence[Contact] = (),
        conversations: Sequence[Conversation] = (),
        messages: Sequence[Message] = (),
        history: bool = False,
        seq: int = 0,
    ) -> ChangeSet:
        """Apply what single calls returned (a submission's message, an older page) by version.

        `history` tells that the messages are older than what is here, `seq` at which position of
        the stream all was read, where that is known. The cursor stays.
        """
        parts = list(cut(messages, MESSAGES_PER_COMMIT)) or [()]
        total = ChangeSet(initiator="sync")
        for number, part in enumerate(parts):
            people = () if number else contacts
            chats = () if number else conversations

            def work(
                connection: Connection,
                part: Sequence[Message] = part,
                people: Sequence[Contact] = people,
                chats: Sequence[Conversation] = chats,
            ) -> tuple[ChangeSet, ChangeSet]:
                return applying.apply_answers(
                    connection, people, chats, part, history=history, seq=seq
                )

            total = total.joined(await self._databases.write_cache(work))
        return total

    async def cursor(self) -> int | None:
        """Return the stream position to resume from, None when a snapshot is due."""
        return await self._databases.read(lambda view: read_state(view.cache).cursor)

    async def snapshot_progress(self) -> SnapshotProgress | None:
        """Return where an interrupted snapshot goes on, or None."""
        return await self._databases.read(lambda view: read_state(view.cache).progress())

    async def begin_resync(self) -> None:
        """Forget the cursor (410 from the stream); rows stay readable until the new snapshot.

        How far it had come is kept: a backend that was put back to an earlier day is known by it.
        """

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            state = read_state(connection)
            if state.cursor is not None:
                reached = str(state.cursor).encode()
                connection.execute(_PUT_META, {"key": META_REACHED, "value": reached})
            write_state(connection, replace(state, cursor=None, snapshot_seq=None))
            return None, ChangeSet()

        await self._databases.write_cache(work)

    async def purge_conversation(self, conversation_id: ConversationId) -> ChangeSet:
        """Remove a conversation the backend says is not there for this employee (any more)."""

        def work(connection: Connection) -> tuple[ChangeSet, ChangeSet]:
            revoke(connection, conversation_id, (read_state(connection).cursor or 0) + 1)
            changes = ChangeSet(
                removed_conversations=frozenset({conversation_id}), initiator="sync"
            )
            return changes, changes

        return await self._databases.write_cache(work)

    async def purge_all(self) -> ChangeSet:
        """Remote wipe: delete the cache's file and make an empty one; `reset` is published."""
        await self._databases.purge_cache()
        return ChangeSet(reset=True, initiator="local")

    async def put_meta(self, key: str, value: bytes) -> None:
        """Keep bytes under a name: `me` (JSON of wire.Me), `capabilities`, `policy_bundle` …"""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            connection.execute(_PUT_META, {"key": key, "value": value})
            return None, ChangeSet()

        await self._databases.write_cache(work)

    async def get_meta(self, key: str) -> bytes | None:
        """Return the bytes kept under a name, or None."""
        value = await self._databases.read(
            lambda view: view.cache.execute(_GET_META, {"key": key}).scalar()
        )
        return None if value is None else bytes(value)


def _in_commits(events: Sequence[Event], new_seq: int) -> Iterator[tuple[Sequence[Event], int]]:
    """Cut events into commits; each one's position is below every event still to come."""
    lowest_after: list[int] = []
    lowest = new_seq + 1
    for event in reversed(events):
        lowest_after.append(lowest)
        if event.seq:
            lowest = min(lowest, event.seq)
    lowest_after.reverse()
    if not events:
        yield events, new_seq
    for start in range(0, len(events), _EVENTS_PER_COMMIT):
        end = min(start + _EVENTS_PER_COMMIT, len(events))
        yield events[start:end], lowest_after[end - 1] - 1


def _row_ranges(state: SyncState) -> Iterator[tuple[int, int]]:
    """Yield the row-id ranges in use, cut into steps that keep each commit short."""
    for first, beyond in (
        (FIRST_IMPORT_ROW_ID, state.next_import_row),
        (state.next_history_row + 1, FIRST_LIVE_ROW_ID),
        (FIRST_LIVE_ROW_ID, state.next_live_row),
    ):
        for start in range(first, beyond, _ROWS_PER_SWEEP):
            yield start, min(start + _ROWS_PER_SWEEP, beyond)


def _sweep_of(
    generation: int, start: int, beyond: int
) -> Callable[[Connection], tuple[None, ChangeSet]]:
    def work(connection: Connection) -> tuple[None, ChangeSet]:
        sweep_messages(connection, generation, start, beyond)
        return None, ChangeSet()

    return work


def _end_snapshot(connection: Connection, *, sweep: bool) -> tuple[None, ChangeSet]:
    state = read_state(connection)
    if state.snapshot_seq is None:
        raise CursorGone("this page's snapshot was given up")
    if sweep:
        sweep_people(connection, state.generation, state.snapshot_seq)
    set_merging(connection, USUAL_SEGMENTS)
    write_state(connection, state.end_snapshot())
    return None, ChangeSet(reset=sweep, initiator="sync")
