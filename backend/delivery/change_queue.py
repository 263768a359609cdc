"""Reads which changes of messages wait to be told, and what each one's vendor needs.

It never writes, and never hands out a change that is not sealed in the archive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from backend.archive.entries import read_entry, sealed_leaf
from backend.archive.verify import fault_of
from backend.channels.contract import Account, Attempt, OutboundMessage
from backend.delivery.accounts import governed_accounts, pauses
from backend.delivery.claims import Claim
from backend.delivery.loading import load
from backend.delivery.message_refs import read_refs
from backend.directory.points import GROUP
from backend.storage.blobs import BlobDamaged
from backend.storage.bulk import Prepared
from backend.storage.change_tables import DELETE, EDIT, REACT, message_changes
from backend.storage.tables import (
    archive_entries,
    archive_leaves,
    contact_points,
    conversations,
    messages,
)
from contract.ids import AccountId, AttachmentId, ConversationId, MessageId

_MOST_AT_ONCE = 100
_c = message_changes.c


def _due_heads() -> Select[Any]:
    """Return the statement for the first ready change of each of an account's conversations."""
    earlier = message_changes.alias("earlier").c
    group = or_(conversations.c.is_group, contact_points.c.id_type == GROUP).label("group")
    before = or_(
        earlier.lane_order < _c.lane_order,
        and_(earlier.lane_order == _c.lane_order, earlier.change_id < _c.change_id),
    )
    of_lane = and_(earlier.state == "ready", earlier.conversation_id == _c.conversation_id, before)
    return (
        select(message_changes, messages.c.external_id, messages.c.revision, group)
        .join(messages, messages.c.message_id == _c.message_id)
        .join(conversations, conversations.c.conversation_id == _c.conversation_id)
        .outerjoin(contact_points, contact_points.c.contact_point_id == conversations.c.thread_key)
        .outerjoin(archive_entries, archive_entries.c.entry_id == _c.entry_id)
        .outerjoin(archive_leaves, archive_leaves.c.sequence == archive_entries.c.sequence)
        .where(
            _c.state == "ready",
            _c.account_id == bindparam("account"),
            _c.not_before_utc_ms <= bindparam("now"),
            or_(_c.entry_id.is_(None), sealed_leaf()),
            ~select(earlier.change_id).where(of_lane).exists(),
        )
        .order_by(_c.lane_order)
        .limit(_MOST_AT_ONCE)
    )


# Built once: the worker asks after each commit.
_READY = _c.state == "ready"
_ACCOUNTS = Prepared(select(_c.account_id).where(_READY).distinct())
_DUE_HEADS = Prepared(_due_heads(), "account", "now")
_LATER = Prepared(
    select(func.min(_c.not_before_utc_ms)).where(
        _READY,
        _c.account_id.in_(bindparam("wanted", expanding=True)),
        _c.not_before_utc_ms > bindparam("now"),
    ),
    "wanted",
    "now",
)


class Change(NamedTuple):
    """One change to tell, with what the connector gets."""

    row: Any
    claim: Claim
    external_id: str
    outbound: OutboundMessage
    refs: Mapping[str, str]
    is_archived: bool
    consented: bool


class Waiting(NamedTuple):
    """The first change of each conversation that is due, and when another one will be."""

    heads: Mapping[Account, list[Any]]
    next_at_utc_ms: int | None


def waiting_changes(connection: Connection, busy: Collection[str], now_utc_ms: int) -> Waiting:
    """Read what may be told by accounts that are neither `busy` nor paused."""
    held = {*busy, *(pause.account_id for pause in pauses(connection))}
    wanted = set(_ACCOUNTS.scalars(connection)) - held
    if not wanted:
        return Waiting({}, None)
    heads = {
        account: _DUE_HEADS.records(connection, account.account_id, now_utc_ms)
        for account in governed_accounts(connection)
        if account.account_id in wanted
    }
    return Waiting(heads, _LATER.scalar(connection, sorted(wanted), now_utc_ms))


def load_change(connection: Connection, row: Any) -> Change:
    """Return what a connector needs for a change that `waiting_changes` told of."""
    claim = Claim(
        job_id=row.change_id,
        conversation_id=ConversationId(row.conversation_id),
        account_id=AccountId(row.account_id),
        message_id=MessageId(row.message_id),
        revision=row.revision,
        created_at_utc_ms=row.created_at_utc_ms,
        attempt=Attempt(
            attempt_id=row.change_id,
            n=row.attempts + 1,
            key=row.entry_id or row.change_id,
            started_at_utc_ms=0,
        ),
    )
    found = load(connection, claim)
    outbound = found.outbound(_no_file)
    if row.kind == EDIT:
        outbound = msgspec.structs.replace(outbound, text=row.value)
    refs = read_refs(connection, claim.account_id, row.external_id or "")
    archived = row.entry_id is None or _is_archived(connection, row)
    return Change(
        row, claim, row.external_id or "", outbound, refs, archived, consented=found.consented
    )


class _Body(msgspec.Struct):
    text: str = ""
    emoji: str = ""


def _is_archived(connection: Connection, row: Any) -> bool:
    """Tell whether a change is what its sound entry holds; a deletion says nothing but itself."""
    entry = read_entry(connection, row.entry_id)
    if entry is None or fault_of(entry, entry.sequence):
        return False
    if row.kind == DELETE:
        return entry.kind == "deleted"
    if entry.body is None:
        return False
    body = msgspec.json.decode(entry.body, type=_Body)
    return str(row.value) == {EDIT: body.text, REACT: body.emoji}.get(row.kind)


async def _no_file(attachment_id: AttachmentId) -> bytes:
    raise BlobDamaged("a change carries no file")
