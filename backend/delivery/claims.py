"""The claiming of jobs: heads of lanes only, under a lease, with the attempt written first.

It never claims a job before a checkpoint cosigned by the quorum covers its archive entry.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from backend.archive.entries import sealed_leaf
from backend.channels.contract import Attempt
from backend.directory.points import GROUP
from backend.inbox.messages import message_row, set_delivery_state
from backend.storage.bulk import Prepared, insert_rows
from backend.storage.tables import (
    archive_entries,
    archive_leaves,
    attempts,
    channel_accounts,
    contact_points,
    conversations,
    jobs,
    messages,
)
from contract.ids import AccountId, ConversationId, MessageId, idempotency_key, uuid7
from contract.states import DeliveryState
from contract.wire import Mode

LEASE_S = 60.0
_OPEN_STATES = ("ready", "leased", "waiting")
_NOT_SENT = (DeliveryState.ARCHIVED.value, DeliveryState.QUEUED.value)
_ahead = jobs.alias("ahead")
_IN_USE = and_(channel_accounts.c.mode == Mode.GOVERNED.value, channel_accounts.c.connector != "")


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A job this worker holds, with the attempt that is already committed."""

    job_id: str
    conversation_id: ConversationId
    account_id: AccountId
    message_id: MessageId
    revision: int
    created_at_utc_ms: int
    attempt: Attempt


class Head(NamedTuple):
    """The message at the head of a lane, due to go; `group`: to several people at once."""

    job_id: str
    message_id: MessageId
    account_id: AccountId
    conversation_id: ConversationId
    group: bool


class NextWork(NamedTuple):
    """What there is to do now, else when there will be (None: not by waiting)."""

    heads: tuple[Head, ...]
    lease_ran_out: bool
    next_at_utc_ms: int | None

    @property
    def ready(self) -> bool:
        """Tell whether something can be claimed now."""
        return bool(self.heads)


def next_work(
    connection: Connection, paused: Collection[str], now_utc_ms: int, limit: int = 1
) -> NextWork:
    """Look for up to `limit` heads that are due, or for when something will be.

    `paused` are accounts from which nothing goes now.
    """
    held = sorted(paused)
    heads = _due_heads(connection, held, limit, now_utc_ms) if limit > 0 else ()
    ready_at = None if heads else _READY_AT.scalar(connection, held)
    lease_at = _LEASE_AT.scalar(connection)
    return NextWork(
        heads=heads,
        lease_ran_out=lease_at is not None and lease_at <= now_utc_ms,
        next_at_utc_ms=min((at for at in (ready_at, lease_at) if at is not None), default=None),
    )


def orphans(connection: Connection) -> tuple[MessageId, ...]:
    """Return the messages that wait for an account which Parley no longer sends from."""
    found = connection.execute(
        select(jobs.c.message_id)
        .join(channel_accounts, channel_accounts.c.account_id == jobs.c.account_id)
        .join(messages, messages.c.message_id == jobs.c.message_id)
        .where(jobs.c.state == "ready", ~_IN_USE, messages.c.state.in_(_NOT_SENT))
    ).scalars()
    return tuple(MessageId(each) for each in found)


class Waiting(NamedTuple):
    """Heads of lanes wait on an account; `due_since_utc_ms`: the oldest that could have gone."""

    due_since_utc_ms: int | None


def waiting_heads(connection: Connection, now_utc_ms: int) -> dict[AccountId, Waiting]:
    """Return the accounts whose messages wait for the vendor, those under way counted."""
    due = and_(jobs.c.state == "ready", jobs.c.not_before_utc_ms <= now_utc_ms)
    since = case(
        (~due, None),
        (jobs.c.created_at_utc_ms > jobs.c.not_before_utc_ms, jobs.c.created_at_utc_ms),
        else_=jobs.c.not_before_utc_ms,
    )
    rows = connection.execute(
        _heads()
        .where(jobs.c.state.in_(("ready", "leased")))
        .with_only_columns(jobs.c.account_id, func.min(since).label("since"))
        .group_by(jobs.c.account_id)
    )
    return {AccountId(row.account_id): Waiting(row.since) for row in rows}


def defer(connection: Connection, job_id: str, not_before_utc_ms: int) -> None:
    """Have a job that nobody holds wait until a time."""
    connection.execute(
        update(jobs)
        .where(jobs.c.job_id == job_id, jobs.c.state == "ready")
        .values(not_before_utc_ms=not_before_utc_ms)
    )


def claim_heads(
    connection: Connection,
    owner: str,
    paused: Collection[str],
    limit: int,
    now_utc_ms: int,
    *,
    only: Collection[str] | None = None,
) -> tuple[Claim, ...]:
    """Lease up to `limit` heads that are due, write their attempts and mark them sending.

    With `only` no message but these: what comes to the head of a lane because the one before
    it was stopped has not been looked at yet. The caller's commit makes the attempts durable:
    no I/O may happen before it.
    """
    held = sorted(paused)
    if only is None:
        rows = _CLAIMABLE.records(connection, held, now_utc_ms, limit)
    else:
        rows = _CLAIMABLE_ONLY.records(connection, held, now_utc_ms, limit, list(only))
    return tuple(_claim(connection, row, owner, now_utc_ms) for row in rows)


def lost_leases(
    connection: Connection, owner: str, *, exclusive: bool, now_utc_ms: int
) -> tuple[Claim, ...]:
    """Return the attempts of dead workers in the order of their lanes.

    `exclusive` says that no other worker can live, so that every foreign lease has run out.
    """
    dead = jobs.c.lease_until_utc_ms <= now_utc_ms
    if exclusive:
        dead = or_(dead, jobs.c.lease_owner != owner)
    rows = connection.execute(
        select(jobs).where(jobs.c.state == "leased", dead).order_by(jobs.c.lane_order)
    ).all()
    return tuple(_as_claim(row, _last_attempt(connection, row.job_id)) for row in rows)


def release(connection: Connection, job_id: str, not_before_utc_ms: int) -> None:
    """Give a job back to be claimed at or after a time."""
    connection.execute(
        update(jobs)
        .where(jobs.c.job_id == job_id)
        .values(
            state="ready",
            lease_owner=None,
            lease_until_utc_ms=None,
            not_before_utc_ms=not_before_utc_ms,
        )
    )


def close_attempt(
    connection: Connection, claim: Claim, outcome: str, detail: str, now_utc_ms: int
) -> None:
    """Write how an attempt ended; `detail` holds no message text."""
    _CLOSE_ATTEMPT.change(connection, claim.attempt.attempt_id, outcome, detail, now_utc_ms)


def _due_heads(
    connection: Connection, held: list[str], limit: int, now_utc_ms: int
) -> tuple[Head, ...]:
    rows = _DUE_HEADS.records(connection, held, now_utc_ms, limit)
    return tuple(
        Head(
            job_id=row.job_id,
            message_id=MessageId(row.message_id),
            account_id=AccountId(row.account_id),
            conversation_id=ConversationId(row.conversation_id),
            group=bool(row.group),
        )
        for row in rows
    )


def _heads() -> Select[Any]:
    """Return the query of open jobs without an open job before them, sealed ones only."""
    before = exists().where(
        _ahead.c.conversation_id == jobs.c.conversation_id,
        _ahead.c.state.in_(_OPEN_STATES),
        _ahead.c.lane_order < jobs.c.lane_order,
    )
    archived = and_(
        archive_entries.c.sequence == jobs.c.lane_order,
        archive_entries.c.message_id == jobs.c.message_id,
    )
    return (
        select(*jobs.c)
        .join(archive_entries, archived)
        .join(archive_leaves, archive_leaves.c.sequence == archive_entries.c.sequence)
        .join(channel_accounts, channel_accounts.c.account_id == jobs.c.account_id)
        .where(~before, sealed_leaf(), _IN_USE)
    )


# Built once: they are asked after each commit.
_GROUP = or_(conversations.c.is_group, contact_points.c.id_type == GROUP).label("group")
_READY = _heads().where(
    jobs.c.state == "ready", jobs.c.account_id.not_in(bindparam("held", expanding=True))
)
_DUE = _READY.where(jobs.c.not_before_utc_ms <= bindparam("now")).order_by(jobs.c.lane_order)
_DUE_HEADS = Prepared(
    _DUE.add_columns(_GROUP)
    .join(conversations, conversations.c.conversation_id == jobs.c.conversation_id)
    .outerjoin(contact_points, contact_points.c.contact_point_id == conversations.c.thread_key)
    .limit(bindparam("most")),
    *("held", "now", "most"),
)
_READY_AT = Prepared(_READY.with_only_columns(func.min(jobs.c.not_before_utc_ms)), "held")
_LEASE_AT = Prepared(select(func.min(jobs.c.lease_until_utc_ms)).where(jobs.c.state == "leased"))
_TAKEN = _DUE.limit(bindparam("most")).with_for_update(skip_locked=True, of=jobs)
_CLAIMABLE = Prepared(_TAKEN, "held", "now", "most")
_CLAIMABLE_ONLY = Prepared(
    _TAKEN.where(jobs.c.message_id.in_(bindparam("only", expanding=True))),
    *("held", "now", "most", "only"),
)
_LEASE = Prepared(
    update(jobs)
    .where(jobs.c.job_id == bindparam("id"))
    .values(
        state="leased",
        lease_owner=bindparam("owner"),
        lease_until_utc_ms=bindparam("until"),
        attempts=bindparam("n"),
    ),
    *("id", "owner", "until", "n"),
)
_ATTEMPT_COLUMNS = ("attempt_id", "firm_id", "job_id", "n", "key", "started_at_utc_ms")
_CLOSE_ATTEMPT = Prepared(
    update(attempts)
    .where(attempts.c.attempt_id == bindparam("id"))
    .values(outcome=bindparam("became"), detail=bindparam("why"), ended_at_utc_ms=bindparam("at")),
    *("id", "became", "why", "at"),
)


def _claim(connection: Connection, row: Any, owner: str, now: int) -> Claim:
    n = row.attempts + 1
    attempt = Attempt(
        attempt_id=uuid7(now, os.urandom(10)),
        n=n,
        key=idempotency_key(MessageId(row.message_id), row.revision),
        started_at_utc_ms=now,
    )
    _LEASE.change(connection, row.job_id, owner, now + int(LEASE_S * 1000), n)
    written = (attempt.attempt_id, row.firm_id, row.job_id, n, attempt.key, now)
    insert_rows(connection, attempts, _ATTEMPT_COLUMNS, [written])
    if message_row(connection, row.message_id).state == DeliveryState.ARCHIVED:
        set_delivery_state(connection, row.message_id, DeliveryState.QUEUED, at_utc_ms=now)
    set_delivery_state(connection, row.message_id, DeliveryState.SENDING, at_utc_ms=now)
    return _as_claim(row, attempt)


def _last_attempt(connection: Connection, job_id: str) -> Attempt:
    row = connection.execute(
        select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.n.desc()).limit(1)
    ).one()
    return Attempt(
        attempt_id=row.attempt_id, n=row.n, key=row.key, started_at_utc_ms=row.started_at_utc_ms
    )


def _as_claim(row: Row[Any], attempt: Attempt) -> Claim:
    return Claim(
        job_id=row.job_id,
        conversation_id=ConversationId(row.conversation_id),
        account_id=AccountId(row.account_id),
        message_id=MessageId(row.message_id),
        revision=row.revision,
        created_at_utc_ms=row.created_at_utc_ms,
        attempt=attempt,
    )
