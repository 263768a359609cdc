"""Owns what employees are told of their channels' troubles: kept, counted and put into streams.

It never finds out whether a channel is well: the channels' watch does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, union

from backend.archive.alerts import record_channel_alert
from backend.delivery.accounts import pauses
from backend.inbox.events import append_event
from backend.storage.delivery_tables import channel_troubles as table
from backend.storage.tables import (
    account_members,
    channel_accounts,
    conversation_members,
    conversations,
    jobs,
    messages,
)
from contract.events import ChannelsChanged
from contract.ids import AccountId, EmployeeId
from contract.wire import Channel, ChannelTrouble


class TroubleKind(StrEnum):
    """What is wrong, the gravest first; the words are the client's."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    QUOTA = "quota"
    SLOW = "slow"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One account's trouble; `until_utc_ms` where the vendor said when it ends."""

    account_id: AccountId
    kind: TroubleKind
    since_utc_ms: int
    until_utc_ms: int | None = None


Told = dict[EmployeeId, tuple[ChannelTrouble, ...]]


def read_troubles(connection: Connection) -> dict[AccountId, Trouble]:
    """Return the troubles as they were kept last."""
    rows = connection.execute(select(table).order_by(table.c.account_id)).all()
    return {
        AccountId(row.account_id): Trouble(
            account_id=AccountId(row.account_id),
            kind=TroubleKind(row.kind),
            since_utc_ms=row.since_utc_ms,
            until_utc_ms=row.until_utc_ms,
        )
        for row in rows
    }


def told_before(connection: Connection) -> tuple[dict[AccountId, Trouble], Told]:
    """Return what an earlier process kept, with what each employee was told of it."""
    known = read_troubles(connection)
    employees = _employees_of(connection, known)
    return known, {each: troubles_of(connection, each) for each in employees}


def unreachable_since(connection: Connection) -> dict[AccountId, int]:
    """Return the accounts that could not be reached when an earlier process ended."""
    return {
        account_id: trouble.since_utc_ms
        for account_id, trouble in read_troubles(connection).items()
        if trouble.kind is TroubleKind.UNREACHABLE
    }


def keep_troubles(
    connection: Connection, troubles: Mapping[AccountId, Trouble], now_utc_ms: int
) -> None:
    """Keep these in the place of what was kept; new grave ones are archived as alerts."""
    before = read_troubles(connection)
    paused = {pause.account_id for pause in pauses(connection)}
    connection.execute(delete(table))
    for account_id, trouble in troubles.items():
        account = connection.execute(
            select(channel_accounts).where(channel_accounts.c.account_id == account_id)
        ).one_or_none()
        if account is None:
            continue
        connection.execute(
            insert(table).values(
                account_id=account_id,
                firm_id=account.firm_id,
                kind=trouble.kind.value,
                since_utc_ms=trouble.since_utc_ms,
                until_utc_ms=trouble.until_utc_ms,
            )
        )
        known = before.get(account_id)
        is_new = known is None or known.kind is not trouble.kind
        # Of a paused account Compliance hears by its pause.
        if is_new and trouble.kind is not TroubleKind.SLOW and account_id not in paused:
            told = {"channel": account.channel, "trouble": trouble.kind.value}
            record_channel_alert(connection, account.firm_id, account_id, told, now_utc_ms)


def tell_troubles(
    connection: Connection, account_ids: Iterable[AccountId], told: Told, now_utc_ms: int
) -> Told:
    """Tell the employees of these accounts what is wrong now; returns what each knows then.

    Who knows it already (`told`) is told nothing.
    """
    known = dict(told)
    for employee_id in _employees_of(connection, account_ids):
        troubles = troubles_of(connection, employee_id)
        if troubles != known.get(employee_id, ()):
            known[employee_id] = troubles
            append_event(connection, employee_id, ChannelsChanged(troubles=troubles), now_utc_ms)
    return {employee_id: troubles for employee_id, troubles in known.items() if troubles}


def troubles_of(connection: Connection, employee_id: str) -> tuple[ChannelTrouble, ...]:
    """Return what is wrong with the channels of an employee's accounts and conversations."""
    if connection.execute(select(table.c.account_id).limit(1)).first() is None:
        return ()
    mine = select(account_members.c.account_id).where(account_members.c.employee_id == employee_id)
    written = (
        select(conversations.c.account_id)
        .join(
            conversation_members,
            conversation_members.c.conversation_id == conversations.c.conversation_id,
        )
        .where(conversation_members.c.employee_id == employee_id)
    )
    rows = connection.execute(
        select(table, channel_accounts.c.channel, channel_accounts.c.label)
        .join(channel_accounts, channel_accounts.c.account_id == table.c.account_id)
        .where(table.c.account_id.in_(mine) | table.c.account_id.in_(written))
        .order_by(table.c.since_utc_ms, table.c.account_id)
    ).all()
    waiting = _waiting(connection, employee_id)
    return tuple(
        ChannelTrouble(
            account_id=AccountId(row.account_id),
            channel=Channel(row.channel),
            kind=row.kind,
            since_utc_ms=row.since_utc_ms,
            label=row.label,
            waiting=waiting.get(row.account_id, 0),
            until_utc_ms=row.until_utc_ms,
        )
        for row in rows
    )


def _waiting(connection: Connection, employee_id: str) -> dict[str, int]:
    """Count the employee's own messages that no vendor took yet, by account."""
    rows = connection.execute(
        select(jobs.c.account_id, func.count().label("number"))
        .join(messages, messages.c.message_id == jobs.c.message_id)
        .where(jobs.c.state.in_(("ready", "leased")), messages.c.author_id == employee_id)
        .group_by(jobs.c.account_id)
    )
    return {row.account_id: row.number for row in rows}


def _employees_of(
    connection: Connection, account_ids: Iterable[AccountId]
) -> tuple[EmployeeId, ...]:
    ids = list(account_ids)
    members = select(account_members.c.employee_id).where(account_members.c.account_id.in_(ids))
    writers = (
        select(conversation_members.c.employee_id)
        .join(
            conversations, conversations.c.conversation_id == conversation_members.c.conversation_id
        )
        .where(conversations.c.account_id.in_(ids))
    )
    found = connection.execute(union(members, writers)).scalars()
    return tuple(sorted(EmployeeId(each) for each in found))
