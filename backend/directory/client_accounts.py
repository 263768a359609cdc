"""Owns the account numbers of the firm's clients, kept as keyed hashes, with the firm's key.

It never stores a number, and it gives an employee no hash from beyond their own book.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from backend.archive.entries import append_act
from backend.directory.facts_versions import bump_facts_of_contacts
from backend.storage.bulk import Prepared
from backend.storage.supervision_tables import client_accounts
from backend.storage.tables import (
    contacts,
    conversation_contacts,
    conversation_members,
    properties,
)
from contract.policy.facts import account_hash
from contract.supervision import AccountKeys

_KEY = "policy.accounts.key."
_VERSION = "policy.accounts.version."
_PROPERTY = Prepared(
    select(properties.c.value).where(properties.c.name == bindparam("named")), "named"
)


def set_accounts(
    connection: Connection,
    contact_id: str,
    numbers: Iterable[str],
    actor_id: str,
    now_utc_ms: int,
) -> bool:
    """Replace the account numbers of a client, archived by their count; false when unchanged.

    Clients of the book get the new hashes at their next look: the facts' version rises.
    Raises sqlalchemy.exc.NoResultFound for an unknown contact.
    """
    firm_id: str = connection.execute(
        select(contacts.c.firm_id).where(contacts.c.contact_id == contact_id)
    ).scalar_one()
    key, columns = _firm_key(connection, firm_id), client_accounts.c
    new = {account_hash(key, number) for number in numbers if number.strip()}
    mine = columns.contact_id == contact_id
    known = set(connection.execute(select(columns.account_hash).where(mine)).scalars())
    if new == known:
        return False
    append_act(
        connection,
        kind="accounts",
        actor_id=actor_id,
        told={"contact": contact_id, "count": len(new)},
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
    connection.execute(delete(client_accounts).where(mine))
    for one in sorted(new):
        connection.execute(
            insert(client_accounts).values(contact_id=contact_id, account_hash=one, firm_id=firm_id)
        )
    _raise_version(connection, firm_id)
    bump_facts_of_contacts(connection, [contact_id], now_utc_ms)
    return True


def accounts_version(connection: Connection, firm_id: str) -> int:
    """Return the version of the firm's accounts, 0 while there are none."""
    return int(_property(connection, _VERSION + firm_id) or 0)


def account_keys(connection: Connection, employee_id: str, firm_id: str) -> AccountKeys:
    """Return the keyed hashes of the employee's own conversations."""
    version = accounts_version(connection, firm_id)
    if not version:
        return AccountKeys(version=0, key="", hashes={})
    members, people = conversation_members.c, conversation_contacts.c
    found: dict[str, list[str]] = {}
    for row in connection.execute(
        select(members.conversation_id, client_accounts.c.account_hash)
        .join(conversation_contacts, people.conversation_id == members.conversation_id)
        .join(client_accounts, client_accounts.c.contact_id == people.contact_id)
        .where(members.employee_id == employee_id)
        .order_by(members.conversation_id, client_accounts.c.account_hash)
        .distinct()
    ):
        found.setdefault(row.conversation_id, []).append(row.account_hash)
    return AccountKeys(
        version=version,
        key=_property(connection, _KEY + firm_id) or "",
        hashes={conversation_id: tuple(hashes) for conversation_id, hashes in found.items()},
    )


def firm_hashes(connection: Connection, firm_id: str) -> frozenset[str]:
    """Return the hashes of all the firm's clients: they never leave the backend."""
    columns = client_accounts.c
    return frozenset(
        connection.execute(select(columns.account_hash).where(columns.firm_id == firm_id)).scalars()
    )


def _firm_key(connection: Connection, firm_id: str) -> str:
    key = _property(connection, _KEY + firm_id)
    if key is None:
        key = secrets.token_hex(32)
        connection.execute(insert(properties).values(name=_KEY + firm_id, value=key))
    return key


def _raise_version(connection: Connection, firm_id: str) -> None:
    name, version = _VERSION + firm_id, accounts_version(connection, firm_id)
    if version:
        connection.execute(
            update(properties).where(properties.c.name == name).values(value=str(version + 1))
        )
        return
    connection.execute(insert(properties).values(name=name, value="1"))


def _property(connection: Connection, name: str) -> str | None:
    return _PROPERTY.scalar(connection, name)
