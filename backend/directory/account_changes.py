"""Owns changes of channel accounts: who writes from one, who looks after strangers, what is shown.

It never touches a vendor or a secret: those stand in account_settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from backend.archive.entries import append_act
from backend.directory.administration import AdministrationRefused
from backend.directory.assignment import owners_of
from backend.directory.native_capture import tell_account
from backend.inbox.conversations import add_member, bump_conversation, remove_member
from backend.inbox.events import append_event
from backend.inbox.triage import look_after, tell_owners
from backend.storage.account_tables import (
    NO_NOTICE,
    NOTICE,
    OPT_IN,
    triage_items,
    triage_owners,
)
from backend.storage.tables import (
    account_members,
    channel_accounts,
    conversation_members,
    conversations,
)
from contract.events import AccountsChanged
from contract.ids import EmployeeId
from contract.triage import TriageState
from contract.wire import Channel, IdempotencyClass, Mode

KIND_ACCOUNT = "account"
IMPORT_CONNECTOR = "import"  # no vendor is asked: what was said comes in by import
CONSENT_MODES = (NO_NOTICE, NOTICE, OPT_IN)
_CHANGEABLE = frozenset({"consent_mode", "label", "language", "pooled", "shown_name"})


class AccountError(AdministrationRefused):
    """An account can't be changed so; the text says why in a plain sentence."""


def change_account(
    connection: Connection, account_id: str, actor_id: str, now_utc_ms: int, **changes: object
) -> bool:
    """Archive and set what an account is: label, shown_name, language, pooled, consent_mode.

    The account's conversations and people hear of it. False when all stood so already. Raises
    AccountError for an unknown account or value.
    """
    row = _account(connection, account_id)
    unknown = set(changes) - _CHANGEABLE
    if unknown or changes.get("consent_mode", NOTICE) not in CONSENT_MODES:
        raise AccountError(f"The consent mode is one of: {', '.join(CONSENT_MODES)}.")
    new = {name: value for name, value in changes.items() if row[name] != value}
    if not new:
        return False
    _archive(connection, row["firm_id"], account_id, actor_id, new, now_utc_ms)
    columns = channel_accounts.c
    connection.execute(
        update(channel_accounts).where(columns.account_id == account_id).values(**new)
    )
    for conversation_id in _conversations(connection, account_id):
        bump_conversation(connection, conversation_id, now_utc_ms)
    tell_account(connection, account_id, now_utc_ms)
    return True


def set_member(
    connection: Connection,
    account_id: str,
    employee_id: str,
    member: bool,
    actor_id: str,
    now_utc_ms: int,
) -> bool:
    """Let an employee write from an account, or no longer; false when it is so already.

    On a personal account its conversations come along. Whoever leaves loses the account's
    conversations; those that nobody takes part in any more go to whoever looks after them.
    """
    row = _account(connection, account_id)
    if not _set(connection, account_members, row["firm_id"], account_id, employee_id, member):
        return False
    change = {"employee": employee_id, "member": member}
    _archive(connection, row["firm_id"], account_id, actor_id, change, now_utc_ms)
    if member and not row["pooled"]:
        for conversation_id in _conversations(connection, account_id):
            add_member(connection, conversation_id, employee_id, now_utc_ms)
            _settled(connection, conversation_id, employee_id)
    if not member:
        for conversation_id in _conversations(connection, account_id, employee_id):
            remove_member(connection, conversation_id, EmployeeId(employee_id), now_utc_ms)
            look_after(connection, conversation_id, now_utc_ms)
    append_event(connection, EmployeeId(employee_id), AccountsChanged(), now_utc_ms)
    tell_owners(connection, account_id, row["firm_id"], now_utc_ms)
    return True


def set_owner(
    connection: Connection,
    account_id: str,
    employee_id: str,
    owner: bool,
    actor_id: str,
    now_utc_ms: int,
) -> bool:
    """Let an employee look after an account's unknown senders, or no longer; false when it is so.

    Raises AccountError for an unknown account.
    """
    firm_id = _account(connection, account_id)["firm_id"]
    if not _set(connection, triage_owners, firm_id, account_id, employee_id, owner):
        return False
    change = {"employee": employee_id, "triage_owner": owner}
    _archive(connection, firm_id, account_id, actor_id, change, now_utc_ms)
    tell_owners(connection, account_id, firm_id, now_utc_ms, {employee_id})
    return True


def add_native_account(
    connection: Connection,
    firm_id: str,
    account_id: str,
    channel: Channel,
    label: str,
    employee_id: str,
    actor_id: str,
    now_utc_ms: int,
) -> None:
    """Archive and add an employee's native account; its silence counts from now.

    Raises AccountError for an id that is known already.
    """
    columns = channel_accounts.c
    if connection.execute(
        select(columns.account_id).where(columns.account_id == account_id)
    ).first():
        raise AccountError(f"There is an account {account_id!r} already.")
    connection.execute(
        insert(channel_accounts).values(
            account_id=account_id,
            firm_id=firm_id,
            channel=channel.value,
            mode=Mode.NATIVE.value,
            label=label,
            connector=IMPORT_CONNECTOR,
            idempotency=IdempotencyClass.NONE.value,
            watched_from_utc_ms=now_utc_ms,
        )
    )
    change = {"channel": channel.value, "mode": Mode.NATIVE.value}
    _archive(connection, firm_id, account_id, actor_id, change, now_utc_ms)
    set_member(connection, account_id, employee_id, True, actor_id, now_utc_ms)


def account_people(connection: Connection, firm_id: str) -> list[dict[str, object]]:
    """Return each account with what it is, who writes from it and who looks after strangers."""
    columns, members = channel_accounts.c, account_members.c
    rows = connection.execute(
        select(channel_accounts).where(columns.firm_id == firm_id).order_by(columns.account_id)
    ).all()
    return [
        {
            "account": row.account_id,
            "channel": row.channel,
            "mode": row.mode,
            "label": row.label,
            "shown_name": row.shown_name,
            "language": row.language,
            "pooled": bool(row.pooled),
            "consent": row.consent_mode,
            "members": list(
                connection.execute(
                    select(members.employee_id)
                    .where(members.account_id == row.account_id)
                    .order_by(members.employee_id)
                ).scalars()
            ),
            "triage": list(owners_of(connection, row.account_id)),
        }
        for row in rows
    ]


def _account(connection: Connection, account_id: str) -> dict[str, Any]:
    row = connection.execute(
        select(channel_accounts).where(channel_accounts.c.account_id == account_id)
    ).one_or_none()
    if row is None:
        raise AccountError("There is no such account: `admin channel list` shows them.")
    return dict(row._mapping)


def _set(
    connection: Connection,
    table: Table,
    firm_id: str,
    account_id: str,
    employee_id: str,
    wanted: bool,
) -> bool:
    this = (table.c.account_id == account_id, table.c.employee_id == employee_id)
    known = connection.execute(select(table.c.employee_id).where(*this)).first() is not None
    if known == wanted:
        return False
    if wanted:
        values = {"account_id": account_id, "employee_id": employee_id, "firm_id": firm_id}
        connection.execute(insert(table).values(**values))
    else:
        connection.execute(delete(table).where(*this))
    return True


def _conversations(
    connection: Connection, account_id: str, employee_id: str | None = None
) -> list[str]:
    columns, members = conversations.c, conversation_members.c
    query = select(columns.conversation_id).where(columns.account_id == account_id)
    if employee_id is not None:
        query = query.join(
            conversation_members, members.conversation_id == columns.conversation_id
        ).where(members.employee_id == employee_id)
    return list(connection.execute(query).scalars())


def _settled(connection: Connection, conversation_id: str, employee_id: str) -> None:
    """Take a conversation out of triage that somebody takes part in now."""
    columns = triage_items.c
    connection.execute(
        update(triage_items)
        .where(columns.conversation_id == conversation_id, columns.state == TriageState.OPEN.value)
        .values(state=TriageState.ASSIGNED.value, assigned_to=employee_id)
    )


def _archive(
    connection: Connection,
    firm_id: str,
    account_id: str,
    actor_id: str,
    change: Mapping[str, Any],
    now_utc_ms: int,
) -> None:
    append_act(
        connection,
        kind=KIND_ACCOUNT,
        actor_id=actor_id,
        told={"account": account_id, "change": change},
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
