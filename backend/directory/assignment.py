"""Owns the question which employees answer a contact on an account, and who looks after strangers.

It never gives a contact to someone behind a wall, and it leaves no account without an owner.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from backend.directory.denials import denied_contacts
from backend.storage.account_tables import triage_owners
from backend.storage.tables import (
    account_members,
    channel_accounts,
    employee_contacts,
    employees,
)
from contract.ids import EmployeeId
from contract.wire import Role

_LOOK_AFTER = (Role.SUPERVISOR, Role.COMPLIANCE, Role.ADMINISTRATOR)


def employees_for(connection: Connection, account_id: str, contact_id: str) -> tuple[str, ...]:
    """Return who takes part in a new conversation of an account with a contact.

    On a personal account those who write from it; on a pooled one those of them whose book holds
    the contact, for the number alone tells nothing. Empty: somebody has to decide.
    """
    pooled = connection.execute(
        select(channel_accounts.c.pooled).where(channel_accounts.c.account_id == account_id)
    ).scalar_one()
    members = _members(connection, account_id)
    if not pooled:
        return members
    book = employee_contacts.c
    known = connection.execute(
        select(book.employee_id).where(
            book.contact_id == contact_id, book.employee_id.in_(list(members))
        )
    ).scalars()
    mine = set(known)
    return tuple(
        each
        for each in members
        if each in mine and not denied_contacts(connection, each, [contact_id])
    )


def owners_of(connection: Connection, account_id: str) -> tuple[EmployeeId, ...]:
    """Return who looks after the unknown senders of an account.

    Those named; without any, whoever writes from it; without these, those who oversee the firm.
    """
    columns = triage_owners.c
    named = connection.execute(
        select(columns.employee_id)
        .where(columns.account_id == account_id)
        .order_by(columns.employee_id)
    ).scalars()
    found = tuple(named) or able_members(connection, account_id)
    return tuple(EmployeeId(each) for each in found or _overseers(connection, account_id))


def able_members(connection: Connection, account_id: str) -> tuple[str, ...]:
    """Return who writes from an account; who only reads (an auditor) can be given nothing."""
    columns = employees.c
    roles = connection.execute(
        select(columns.employee_id, columns.roles).where(
            columns.employee_id.in_(list(_members(connection, account_id)))
        )
    ).all()
    return tuple(
        sorted(row.employee_id for row in roles if set(_roles(row.roles)) - {Role.AUDITOR})
    )


def accounts_looked_after(connection: Connection, employee_id: str, firm_id: str) -> list[str]:
    """Return the accounts whose unknown senders an employee looks after."""
    columns = channel_accounts.c
    every = connection.execute(
        select(columns.account_id).where(columns.firm_id == firm_id).order_by(columns.account_id)
    ).scalars()
    return [each for each in every.all() if employee_id in owners_of(connection, each)]


def _members(connection: Connection, account_id: str) -> tuple[str, ...]:
    columns = account_members.c
    rows = connection.execute(
        select(columns.employee_id)
        .where(columns.account_id == account_id)
        .order_by(columns.employee_id)
    ).scalars()
    return tuple(rows)


def _overseers(connection: Connection, account_id: str) -> tuple[str, ...]:
    columns = employees.c
    firm = select(channel_accounts.c.firm_id).where(channel_accounts.c.account_id == account_id)
    rows = connection.execute(
        select(columns.employee_id, columns.roles)
        .where(columns.firm_id == firm.scalar_subquery())
        .order_by(columns.employee_id)
    ).all()
    return tuple(row.employee_id for row in rows if set(_roles(row.roles)) & set(_LOOK_AFTER))


def _roles(stored: str) -> tuple[Role, ...]:
    return msgspec.json.decode(stored, type=tuple[Role, ...])
