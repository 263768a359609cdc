"""Owns the message row: its adding with its archive entry, its versions and its delivery state.

It never delivers, and it never writes a message that has no archive entry.

Clients' messages, edits, deletions and reactions come in through inbound.py; receipts through
receipts.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import NoResultFound

from backend.archive.entries import Recorded, append_entry
from backend.inbox.conversations import record_activity
from backend.inbox.events import note_message
from backend.storage.bulk import Prepared, Value, insert_rows
from backend.storage.tables import archive_entries, jobs, message_versions, messages
from contract.ids import EntryId, MessageId
from contract.states import (
    LANE_HOLDING,
    DeliveryState,
    IllegalTransition,
    apply_receipt,
    next_delivery_state,
)
from contract.wire import Direction, MessageKind, Origin

_CONFIRMED = frozenset(
    {DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ}
)
# What the client never got: it ends no waiting and uses no window up. A held message counts once
# it was approved.
_NOT_SENT = frozenset({DeliveryState.BLOCKED, DeliveryState.HELD})
# Built once: building a statement costs as much as running it.
_BY_ID = Prepared(select(messages).where(messages.c.message_id == bindparam("id")), "id")
_BY_EXTERNAL_ID = select(messages.c.message_id).where(
    messages.c.account_id == bindparam("account"),
    messages.c.external_id == bindparam("external"),
)
_KNOWN = Prepared(_BY_EXTERNAL_ID, "account", "external")
_KNOWN_IN = Prepared(
    _BY_EXTERNAL_ID.where(messages.c.conversation_id == bindparam("home")),
    *("account", "external", "home"),
)
_LEAF_HASH = Prepared(
    select(archive_entries.c.leaf_hash).where(archive_entries.c.entry_id == bindparam("id")), "id"
)
_SETTLE_JOB = Prepared(
    update(jobs)
    .where(jobs.c.message_id == bindparam("id"), jobs.c.state != "done")
    .values(state=bindparam("to"), lease_owner=None, lease_until_utc_ms=None),
    *("id", "to"),
)
_VERSION_COLUMNS = ("message_id", "n", "firm_id", "kind", "entry_id", "at_utc_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message about to be archived and written; `body` is what its entry commits to."""

    message_id: MessageId
    firm_id: str
    conversation_id: str
    account_id: str
    direction: Direction
    text: str
    author_id: str
    author_name: str
    place_at_utc_ms: int
    occurred_at_utc_ms: int
    entry_kind: str
    body: bytes
    salt: bytes
    entry_id: EntryId | None = None
    revision: int = 0
    kind: MessageKind = MessageKind.TEXT
    origin: Origin = Origin.LIVE
    state: DeliveryState | None = None
    state_detail: str = ""
    quote_message_id: str | None = None
    external_id: str | None = None
    attachment_commitments: Sequence[str] = ()
    decision_hash: str = ""


def add_message(connection: Connection, new: NewMessage, now_utc_ms: int) -> Recorded:
    """Archive the message first, then write its row, and count it in its conversation."""
    archived = append_entry(
        connection,
        kind=new.entry_kind,
        actor_id=new.author_id,
        conversation_id=new.conversation_id,
        message_id=new.message_id,
        revision=new.revision,
        occurred_at_utc_ms=new.occurred_at_utc_ms,
        salt=new.salt,
        body=new.body,
        attachment_commitments=new.attachment_commitments,
        decision_hash=new.decision_hash,
        firm_id=new.firm_id,
        now_utc_ms=now_utc_ms,
        entry_id=new.entry_id,
    )
    columns = _columns(new, archived, now_utc_ms)
    insert_rows(connection, messages, tuple(columns), [tuple(columns.values())])
    _add_version(connection, new.firm_id, new.message_id, new.entry_kind, archived)
    record_activity(
        connection,
        new.conversation_id,
        message_id=new.message_id,
        direction=new.direction,
        at_utc_ms=new.place_at_utc_ms,
        now_utc_ms=now_utc_ms,
        counts_as_contact=new.state not in _NOT_SENT,
    )
    note_message(connection, new.message_id, now_utc_ms)
    return archived


def add_version(
    connection: Connection,
    message_id: str,
    *,
    kind: str,
    actor_id: str,
    body: bytes,
    salt: bytes,
    occurred_at_utc_ms: int,
    now_utc_ms: int,
    changes: dict[str, Any],
    revision: int | None = None,
    entry_id: EntryId | None = None,
    decision_hash: str = "",
    attachment_commitments: Sequence[str] = (),
) -> Recorded:
    """Archive a new version (edited, deleted, file_added) that names the one before, and apply it.

    `changes` are of the row; the next revision and a new entry id are taken unless given.
    """
    row = message_row(connection, message_id)
    revision = row.revision + 1 if revision is None else revision
    archived = append_entry(
        connection,
        kind=kind,
        actor_id=actor_id,
        conversation_id=row.conversation_id,
        message_id=message_id,
        revision=revision,
        occurred_at_utc_ms=occurred_at_utc_ms,
        salt=salt,
        body=body,
        attachment_commitments=attachment_commitments,
        decision_hash=decision_hash,
        previous=_leaf_hash(connection, row.entry_id),
        firm_id=row.firm_id,
        now_utc_ms=now_utc_ms,
        entry_id=entry_id,
    )
    n = row.versions_archived + 1
    _add_version(connection, row.firm_id, message_id, kind, archived, n=n)
    named = {"revision": revision, "entry_id": archived.entry_id, "versions_archived": n}
    update_message(connection, message_id, now_utc_ms, **changes, **named)
    return archived


def _leaf_hash(connection: Connection, entry_id: str) -> str:
    found: bytes | None = _LEAF_HASH.scalar(connection, entry_id)
    if found is None:
        raise NoResultFound("there is no such archive entry")
    return found.hex()


def set_delivery_state(
    connection: Connection,
    message_id: str,
    state: DeliveryState,
    *,
    detail: str = "",
    at_utc_ms: int,
    external_id: str | None = None,
) -> DeliveryState:
    """Move a message along the table of contract.states; returns the state it is in now.

    A confirmation that comes after a higher one changes nothing but a missing external id. The
    message's job ends once the state frees its lane and waits while the outcome is unknown.
    Raises IllegalTransition for a step the table does not hold.
    """
    row = message_row(connection, message_id)
    if row.state is None:
        raise IllegalTransition("delivery: a client's message has no delivery state")
    before = DeliveryState(row.state)
    changes: dict[str, Value] = {}
    if external_id is not None and row.external_id is None:
        changes["external_id"] = external_id
    if before in _CONFIRMED and state in _CONFIRMED:
        after = apply_receipt(before, state)
    elif before is state:
        after = before
    else:
        after = next_delivery_state(before, state)
    if after is not before or (before is state and detail not in ("", row.state_detail)):
        changes |= {"state": after, "state_detail": detail, "state_at_utc_ms": at_utc_ms}
    if changes:
        update_message(connection, message_id, at_utc_ms, **changes)
    if after is not before:
        _settle_job(connection, message_id, after)
    return after


def message_row(connection: Connection, message_id: str) -> Any:
    """Return the stored row; raises sqlalchemy.exc.NoResultFound when there is none."""
    row = _BY_ID.record(connection, message_id)
    if row is None:
        raise NoResultFound("there is no such message")
    return row


def find_by_external_id(
    connection: Connection, account_id: str, external_id: str, conversation_id: str | None = None
) -> MessageId | None:
    """Return the message that the channel knows by this id on this account, or None.

    With a `conversation_id` it must be of that conversation: others may share the account.
    """
    if conversation_id is None:
        found = _KNOWN.scalar(connection, account_id, external_id)
    else:
        found = _KNOWN_IN.scalar(connection, account_id, external_id, conversation_id)
    return None if found is None else MessageId(found)


def update_message(
    connection: Connection, message_id: str, now_utc_ms: int, **changes: Value
) -> None:
    """Change columns of a message's row, raise its version and tell the members."""
    _update_of(tuple(changes)).change(connection, message_id, *changes.values())
    note_message(connection, message_id, now_utc_ms)


@lru_cache(maxsize=64)
def _update_of(columns: tuple[str, ...]) -> Prepared:
    """Return the statement that changes these columns."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    statement = update(messages).where(messages.c.message_id == bindparam("id"))
    statement = statement.values(version=messages.c.version + 1, **values)
    return Prepared(statement, "id", *(f"new_{name}" for name in columns))


def _columns(new: NewMessage, archived: Recorded, now_utc_ms: int) -> dict[str, Value]:
    return {
        "message_id": new.message_id,
        "firm_id": new.firm_id,
        "conversation_id": new.conversation_id,
        "account_id": new.account_id,
        "revision": new.revision,
        "direction": new.direction,
        "kind": new.kind,
        "text": new.text,
        "author_id": new.author_id,
        "author_name": new.author_name,
        "place_at_utc_ms": new.place_at_utc_ms,
        "place_index": archived.sequence,
        "occurred_at_utc_ms": new.occurred_at_utc_ms,
        "origin": new.origin,
        "state": new.state,
        "state_detail": new.state_detail,
        "state_at_utc_ms": 0 if new.state is None else now_utc_ms,
        "quote_message_id": new.quote_message_id,
        "entry_id": archived.entry_id,
        "external_id": new.external_id,
    }


def _add_version(
    connection: Connection,
    firm_id: str,
    message_id: str,
    kind: str,
    archived: Recorded,
    *,
    n: int = 1,
) -> None:
    row = (message_id, n, firm_id, kind, archived.entry_id, archived.archived_at_utc_ms)
    insert_rows(connection, message_versions, _VERSION_COLUMNS, [row])


def _settle_job(connection: Connection, message_id: str, state: DeliveryState) -> None:
    if state is DeliveryState.UNKNOWN:
        job_state = "waiting"
    elif state not in LANE_HOLDING:
        job_state = "done"
    else:
        return
    _SETTLE_JOB.change(connection, message_id, job_state)
