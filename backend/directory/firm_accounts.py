"""Owns the adding, changing and removing of a firm's channel accounts, archived with each.

It never talks to a vendor, and never takes an account's history away with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from backend.channels.contract import Account, Capabilities
from backend.delivery.accounts import resume_account
from backend.directory.account_settings import keep_settings, shown_settings
from backend.directory.administration import AdministrationRefused, note_act
from backend.directory.capabilities import (
    capability_columns,
    settle_capabilities,
    show_account_anew,
)
from backend.directory.native_capture import tell_account
from backend.directory.staff import require_employee
from backend.storage.account_tables import NOTICE
from backend.storage.channel_tables import channel_account_settings
from backend.storage.tables import account_members, channel_accounts, jobs
from contract.ids import AccountId
from contract.wire import Channel


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A governed account; `members` are the ids of those who write from it.

    `consent_mode` is what its clients are told or asked at the first contact.
    """

    account: Account
    label: str
    members: tuple[str, ...]
    pooled: bool
    capabilities: Capabilities
    consent_mode: str = NOTICE


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """One account as a list shows it, secrets hidden."""

    account_id: str
    channel: Channel
    module: str
    label: str
    mode: str
    pooled: bool
    members: tuple[str, ...]
    settings: Mapping[str, str]


def add_account(
    connection: Connection,
    firm_id: str,
    new: NewAccount,
    settings: Mapping[str, str],
    secrets: frozenset[str],
    by: str,
    now_utc_ms: int,
) -> None:
    """Add an account with its settings; raises AdministrationRefused for a known id."""
    account = new.account
    if connection.execute(
        select(channel_accounts.c.account_id).where(
            channel_accounts.c.account_id == account.account_id
        )
    ).first():
        raise AdministrationRefused(f"There is an account {account.account_id!r} already.")
    connection.execute(
        insert(channel_accounts).values(
            account_id=account.account_id,
            firm_id=firm_id,
            channel=account.channel.value,
            label=new.label,
            pooled=new.pooled,
            connector=account.connector,
            **capability_columns(new.capabilities),
            consent_mode=new.consent_mode,
        )
    )
    _set_members(connection, firm_id, account.account_id, new.members)
    keep_settings(connection, firm_id, account.account_id, settings, secrets, now_utc_ms)
    tell_account(connection, account.account_id, now_utc_ms)
    about = {"account": account.account_id, "module": account.connector}
    note_act(connection, firm_id, by, "account_added", about, now_utc_ms)


def change_account(
    connection: Connection,
    firm_id: str,
    new: NewAccount,
    settings: Mapping[str, str],
    secrets: frozenset[str],
    by: str,
    now_utc_ms: int,
) -> None:
    """Give a known account these settings and what its connector can do with them."""
    account_id = new.account.account_id
    settle_capabilities(connection, {account_id: new.capabilities}, now_utc_ms)
    keep_settings(connection, firm_id, account_id, settings, secrets, now_utc_ms)
    resume_account(connection, account_id)
    note_act(connection, firm_id, by, "account_changed", {"account": account_id}, now_utc_ms)


def remove_account(
    connection: Connection, firm_id: str, account_id: str, by: str, now_utc_ms: int
) -> None:
    """Take an account out of use: its settings go, its conversations stay to be read.

    Raises AdministrationRefused for an unknown account, or while messages wait to go out.
    """
    columns = channel_accounts.c
    if not connection.execute(
        select(columns.account_id).where(columns.account_id == account_id, columns.connector != "")
    ).first():
        raise AdministrationRefused(f"There is no account {account_id!r} in use.")
    waiting = connection.execute(
        select(func.count()).where(jobs.c.account_id == account_id, jobs.c.state != "done")
    ).scalar_one()
    if waiting:
        raise AdministrationRefused(
            f"{waiting} messages from {account_id} are on their way or wait. Let them go out, or "
            "cancel them in the app, then try again."
        )
    settings = channel_account_settings
    tell_account(connection, account_id, now_utc_ms)
    connection.execute(delete(settings).where(settings.c.account_id == account_id))
    connection.execute(delete(account_members).where(account_members.c.account_id == account_id))
    connection.execute(
        update(channel_accounts)
        .where(columns.account_id == account_id)
        .values(connector="", send_capability=None)
    )
    resume_account(connection, AccountId(account_id))
    show_account_anew(connection, account_id, now_utc_ms)
    note_act(connection, firm_id, by, "account_removed", {"account": account_id}, now_utc_ms)


def account_lines(connection: Connection) -> tuple[AccountLine, ...]:
    """Return the firm's accounts by id, removed ones left out."""
    members: dict[str, list[str]] = {}
    for row in connection.execute(select(account_members).order_by(account_members.c.employee_id)):
        members.setdefault(row.account_id, []).append(row.employee_id)
    rows = connection.execute(
        select(channel_accounts)
        .where(channel_accounts.c.connector != "")
        .order_by(channel_accounts.c.account_id)
    ).all()
    return tuple(
        AccountLine(
            account_id=row.account_id,
            channel=Channel(row.channel),
            module=row.connector,
            label=row.label,
            mode=row.mode,
            pooled=row.pooled,
            members=tuple(members.get(row.account_id, ())),
            settings=shown_settings(connection, row.account_id),
        )
        for row in rows
    )


def _set_members(
    connection: Connection, firm_id: str, account_id: str, employee_ids: Iterable[str]
) -> None:
    for employee_id in dict.fromkeys(employee_ids):
        require_employee(connection, employee_id)
        connection.execute(
            insert(account_members).values(
                account_id=account_id, employee_id=employee_id, firm_id=firm_id
            )
        )
