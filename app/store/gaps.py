"""Reads and writes what closing a gap needs: in the stream, or in one conversation's history.

It never applies news: that is done by version and position like any other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import Connection, text

from app.domain.changes import ChangeSet
from app.store.databases import Databases, ReadView
from app.store.purges import delete_contacts, erase, revoke
from app.store.sync_rows import read_state, write_state
from contract.ids import ContactId, ConversationId, MessageId

_CONVERSATIONS_PER_READ = 2_000
_END_OF_ASKING_UTC_MS = 2**52
_ROWS_PER_COMMIT = 400
_LISTED_AFTER = text(
    "SELECT row_id, conversation_id, listed FROM conversations WHERE row_id > :after"
    " ORDER BY row_id LIMIT :limit"
)
_MESSAGE_IDS = text(
    "SELECT message_id FROM messages WHERE conversation_row ="
    " (SELECT row_id FROM conversations WHERE conversation_id = :id)"
)
_CONTACTS_AFTER = text(
    "SELECT row_id, contact_id FROM contacts WHERE row_id > :after ORDER BY row_id LIMIT :limit"
)
_HOME = text("SELECT row_id, floor_at_utc_ms FROM conversations WHERE conversation_id = :id")
_OLDEST = text(
    "SELECT place_at_utc_ms FROM messages WHERE conversation_row = :home"
    " ORDER BY place_at_utc_ms, place_index LIMIT 1"
)
_NTH = text(
    "SELECT 1 FROM messages WHERE conversation_row = :home AND place_at_utc_ms >= :floor"
    " ORDER BY place_at_utc_ms DESC, place_index DESC LIMIT 1 OFFSET :before"
)
_LOWER_FLOOR = text(
    "UPDATE conversations SET floor_at_utc_ms = min(floor_at_utc_ms, :at)"
    " WHERE conversation_id = :id"
)
_NO_FLOOR = text("UPDATE conversations SET floor_at_utc_ms = 0 WHERE conversation_id = :id")


class GapWrites:
    """What the backend may hold that is not here; each write is one short commit or several."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def listed_conversations(self) -> list[ConversationId]:
        """Return the ids of all conversations shown in the inbox."""
        found: list[ConversationId] = []
        after: int | None = 0
        while after is not None:
            bound = {"after": after, "limit": _CONVERSATIONS_PER_READ}

            def work(view: ReadView, bound: dict[str, int] = bound) -> int | None:
                rows = view.cache.execute(_LISTED_AFTER, bound).all()
                found.extend(ConversationId(row[1]) for row in rows if row[2])
                return int(rows[-1][0]) if len(rows) == _CONVERSATIONS_PER_READ else None

            after = await self._databases.read(work)
        return found

    async def message_ids(self, conversation_id: ConversationId) -> set[MessageId]:
        """Return the ids of a conversation's messages here."""
        bound = {"id": conversation_id}
        return await self._databases.read(
            lambda view: {
                MessageId(each) for each in view.cache.execute(_MESSAGE_IDS, bound).scalars()
            }
        )

    async def purge_conversation(self, conversation_id: ConversationId, seq: int) -> None:
        """Remove a conversation that is no longer the employee's at this position."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            revoke(connection, conversation_id, seq + 1)
            gone = frozenset({conversation_id})
            return None, ChangeSet(removed_conversations=gone, initiator="sync")

        await self._databases.write_cache(work)

    async def erase_messages(
        self, conversation_id: ConversationId, gone: Collection[MessageId], seq: int
    ) -> None:
        """Remove messages that the backend no longer holds at this position."""
        ids = sorted(gone)
        for start in range(0, len(ids), _ROWS_PER_COMMIT):
            part = ids[start : start + _ROWS_PER_COMMIT]

            def work(
                connection: Connection, part: list[MessageId] = part
            ) -> tuple[None, ChangeSet]:
                erase(connection, conversation_id, part, seq)
                changed = {conversation_id: frozenset(part)}
                return None, ChangeSet(messages=changed, initiator="sync")

            await self._databases.write_cache(work)

    async def drop_contacts_but(self, met: Collection[ContactId]) -> None:
        """Remove the contacts that are not among those the backend holds."""
        known = frozenset(met)

        def work(view: ReadView) -> list[tuple[int, str]]:
            gone: list[tuple[int, str]] = []
            after: int | None = 0
            while after is not None:
                bound = {"after": after, "limit": _CONVERSATIONS_PER_READ}
                rows = view.cache.execute(_CONTACTS_AFTER, bound).all()
                gone += [(int(row[0]), str(row[1])) for row in rows if row[1] not in known]
                after = int(rows[-1][0]) if len(rows) == _CONVERSATIONS_PER_READ else None
            return gone

        gone = await self._databases.read(work)
        if not gone:
            return

        def drop(connection: Connection) -> tuple[None, ChangeSet]:
            delete_contacts(connection, [row_id for row_id, _ in gone])
            ids = frozenset(ContactId(key) for _, key in gone)
            return None, ChangeSet(contacts=ids, initiator="sync")

        await self._databases.write_cache(drop)

    async def end(self, seq: int) -> None:
        """Set the stream's position: everything up to there is here, however it came."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            state = read_state(connection)
            if state.cursor is not None:
                write_state(connection, replace(state, cursor=max(state.cursor, seq)))
            return None, ChangeSet()

        await self._databases.write_cache(work)

    async def missing_before(
        self, conversation_id: ConversationId, enough: int | None
    ) -> int | None:
        """Return before which place the backend may hold messages of a conversation that lack here.

        None when all are here, or `enough` of the newest. It is so while a first sync fills in,
        and where a conversation's older messages were let go or never came.
        """

        def work(view: ReadView) -> int | None:
            state = read_state(view.cache)
            row = view.cache.execute(_HOME, {"id": conversation_id}).one_or_none()
            if row is None or (state.snapshot_seq is None and not row[1]):
                return None
            bound = {"home": int(row[0]), "floor": int(row[1])}
            if enough is not None:
                nth = view.cache.execute(_NTH, {**bound, "before": enough - 1}).scalar()
                if nth is not None:
                    return None
            if row[1]:
                return int(row[1])
            oldest = view.cache.execute(_OLDEST, {"home": int(row[0])}).scalar()
            # Several may share a moment: those of the oldest one's are asked for again.
            return _END_OF_ASKING_UTC_MS if oldest is None else int(oldest) + 1

        return await self._databases.read(work)

    async def history_reaches(self, conversation_id: ConversationId, at_utc_ms: int) -> None:
        """Note that every message of a conversation placed from `at_utc_ms` on is here."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            connection.execute(_LOWER_FLOOR, {"id": conversation_id, "at": at_utc_ms})
            return None, ChangeSet()

        await self._databases.write_cache(work)

    async def history_complete(self, conversation_id: ConversationId) -> None:
        """Note that every message of a conversation is here."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            connection.execute(_NO_FLOOR, {"id": conversation_id})
            return None, ChangeSet()

        await self._databases.write_cache(work)
