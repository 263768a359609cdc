"""Keeps what this computer knows of the archive: trust, newest tree, alarm, verified entries.

It never verifies a proof, and it lives in the outbox's file: the cache may be made anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

from app.domain.archive import VerifiedEntry
from app.domain.changes import ChangeSet
from app.domain.timeline import OutboxEntry
from app.store.databases import Databases
from app.store.outbox_rows import delete_entry, entry_of, get_entry
from app.store.payloads import id_list
from app.store.purges import MESSAGE, tombstones
from contract.ids import ConversationId, MessageId
from contract.states import OutboxEvent, OutboxState, next_outbox_state

_GET = text("SELECT value FROM archive_state WHERE name = :name")
_PUT = text(
    "INSERT INTO archive_state (name, value) VALUES (:name, :value)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_REMOVE = text("DELETE FROM archive_state WHERE name = :name")
_PUT_VERIFIED = text(
    "INSERT INTO verified (message_id, conversation_id, revision, entry_index, leaf_hash,"
    " verified_at_utc_ms, own_leaf) VALUES (:message_id, :conversation_id, :revision,"
    " :entry_index, :leaf_hash, :verified_at_utc_ms, :own_leaf)"
    " ON CONFLICT (message_id) DO UPDATE SET revision = excluded.revision, entry_index ="
    " excluded.entry_index, leaf_hash = excluded.leaf_hash, verified_at_utc_ms ="
    " excluded.verified_at_utc_ms, own_leaf = excluded.own_leaf"
)
_VERIFIED = text("SELECT * FROM verified WHERE message_id = :id")
_HASHES = text(
    "SELECT message_id, leaf_hash FROM verified"
    " WHERE message_id IN (SELECT value FROM json_each(:ids))"
)
_REFUSED = text(
    "SELECT outbox.* FROM outbox INDEXED BY outbox_answered"
    " LEFT JOIN verified ON verified.message_id = outbox.message_id"
    " AND verified.revision = outbox.revision"
    " WHERE outbox.state IN ('accepted', 'refused') AND outbox.state = 'refused'"
    " AND outbox.problem_code = :code"
    " AND verified.message_id IS NULL ORDER BY outbox.position LIMIT :limit"
)
_ACCEPTED = text(
    "SELECT * FROM outbox INDEXED BY outbox_accepted WHERE state = 'accepted'"
    " ORDER BY position LIMIT :limit"
)


class ArchiveStore:
    """Small durable values and one row per verified entry; raises DiskFull, changing nothing."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def get(self, name: str) -> bytes | None:
        """Return the bytes kept under a name, or None."""
        value = await self._databases.read(
            lambda view: view.outbox.execute(_GET, {"name": name}).scalar()
        )
        return None if value is None else bytes(value)

    async def put(self, values: Mapping[str, bytes | None]) -> None:
        """Keep all of these in one flushed commit; None removes a name."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            for name, value in values.items():
                if value is None:
                    connection.execute(_REMOVE, {"name": name})
                else:
                    connection.execute(_PUT, {"name": name, "value": value})
            return None, ChangeSet()

        await self._databases.write_outbox(work)

    async def accepted(self, limit: int = 500) -> tuple[OutboxEntry, ...]:
        """Return submissions the backend has taken whose receipts are not verified yet."""
        return await self._databases.read(
            lambda view: tuple(
                entry_of(row) for row in view.outbox.execute(_ACCEPTED, {"limit": limit}).mappings()
            )
        )

    async def refused(self, problem_code: str, limit: int = 100) -> tuple[OutboxEntry, ...]:
        """Return submissions refused with this code whose receipts are not verified yet."""
        values = {"code": problem_code, "limit": limit}
        return await self._databases.read(
            lambda view: tuple(
                entry_of(row) for row in view.outbox.execute(_REFUSED, values).mappings()
            )
        )

    async def erased_among(self, message_ids: Collection[MessageId]) -> frozenset[str]:
        """Return those of the messages that were lawfully erased since the last snapshot."""
        return await self._databases.read(
            lambda view: frozenset(tombstones(view.cache, MESSAGE, message_ids))
        )

    async def settle(self, verified: VerifiedEntry) -> None:
        """Note a verified entry and end its submission, in one commit.

        Raises IllegalTransition for a submission that was not sent.
        """

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            entry = get_entry(connection, verified.message_id)
            if entry is not None and entry.state is not OutboxState.ACCEPTED:
                next_outbox_state(entry.state, OutboxEvent.ACCEPT)
            _put_verified(connection, verified)
            delete_entry(connection, verified.message_id)
            return None, _changes(verified, outbox=entry is not None)

        await self._databases.write_outbox(work)

    async def note_verified(self, verified: VerifiedEntry) -> None:
        """Note an entry of the history that was checked on demand."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            _put_verified(connection, verified)
            return None, _changes(verified, outbox=False)

        await self._databases.write_outbox(work)

    async def verified(self, message_id: MessageId) -> VerifiedEntry | None:
        """Return what was verified of a message, or None."""
        row = await self._databases.read(
            lambda view: view.outbox.execute(_VERIFIED, {"id": message_id}).mappings().one_or_none()
        )
        if row is None:
            return None
        return VerifiedEntry(
            message_id=MessageId(row["message_id"]),
            conversation_id=ConversationId(row["conversation_id"]),
            revision=row["revision"],
            index=row["entry_index"],
            leaf_hash=row["leaf_hash"],
            verified_at_utc_ms=row["verified_at_utc_ms"],
            own_leaf=bool(row["own_leaf"]),
        )


def verified_hashes(outbox: Connection, message_ids: Collection[str]) -> dict[str, str]:
    """Return the verified leaf hash of those messages that have one."""
    if not message_ids:
        return {}
    return {row[0]: row[1] for row in outbox.execute(_HASHES, {"ids": id_list(message_ids)})}


def _put_verified(connection: Connection, verified: VerifiedEntry) -> None:
    connection.execute(
        _PUT_VERIFIED,
        {
            "message_id": verified.message_id,
            "conversation_id": verified.conversation_id,
            "revision": verified.revision,
            "entry_index": verified.index,
            "leaf_hash": verified.leaf_hash,
            "verified_at_utc_ms": verified.verified_at_utc_ms,
            "own_leaf": verified.own_leaf,
        },
    )


def _changes(verified: VerifiedEntry, *, outbox: bool) -> ChangeSet:
    return ChangeSet(
        conversations=frozenset({verified.conversation_id}),
        messages={verified.conversation_id: frozenset({verified.message_id})},
        outbox=outbox,
        initiator="archive",
    )
