"""The channel accounts as the delivery room sees them, with their pauses.

It never opens a connection to a vendor.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, bindparam, delete, select

from backend.channels.contract import Account
from backend.storage.bulk import Prepared, insert_rows
from backend.storage.tables import channel_accounts, properties
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass, Mode

_PAUSE = "delivery.paused."
_CURSOR = "inbound.cursor."
REFUSED = "refused"
DISCONNECTED = "disconnected"
# Built once: the worker asks after each commit.
_accounts = channel_accounts.c
_GOVERNED = Prepared(
    select(_accounts.account_id, _accounts.channel, _accounts.connector, _accounts.idempotency)
    # An account that was taken out of use has no connector.
    .where(_accounts.mode == Mode.GOVERNED.value, _accounts.connector != "")
    .order_by(_accounts.account_id)
)
_PAUSES = Prepared(
    select(properties.c.value)
    .where(properties.c.name.startswith(_PAUSE, autoescape=True))
    .order_by(properties.c.name)
)
_VALUE = Prepared(
    select(properties.c.value).where(properties.c.name == bindparam("named")), "named"
)
_FORGET = Prepared(delete(properties).where(properties.c.name == bindparam("named")), "named")


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account sends nothing, and since when; `kind`: the vendor refused it, or is away."""

    account_id: AccountId
    reason: str
    since_utc_ms: int
    kind: str = REFUSED


def governed_accounts(connection: Connection) -> tuple[Account, ...]:
    """Return the accounts the backend itself sends from and listens on."""
    rows = _GOVERNED.records(connection)
    return tuple(
        Account(
            account_id=AccountId(row.account_id),
            channel=Channel(row.channel),
            connector=row.connector,
            idempotency=IdempotencyClass(row.idempotency),
        )
        for row in rows
    )


def pause_account(
    connection: Connection,
    account_id: AccountId,
    reason: str,
    at_utc_ms: int,
    kind: str = REFUSED,
) -> None:
    """Stop sending from an account until someone resumes it; the first reason stays."""
    if _value(connection, _PAUSE + account_id) is not None:
        return
    pause = Pause(account_id=account_id, reason=reason, since_utc_ms=at_utc_ms, kind=kind)
    _put(connection, _PAUSE + account_id, msgspec.json.encode(pause).decode())


def resume_account(connection: Connection, account_id: AccountId) -> bool:
    """Send again from an account; false when it was not paused."""
    done = connection.execute(delete(properties).where(properties.c.name == _PAUSE + account_id))
    return bool(done.rowcount)


def pauses(connection: Connection) -> tuple[Pause, ...]:
    """Return the accounts that send nothing."""
    found = _PAUSES.scalars(connection)
    return tuple(msgspec.json.decode(value, type=Pause) for value in found)


def inbound_cursor(connection: Connection, account_id: AccountId) -> str:
    """Return how far an account's events are committed; empty at the start."""
    return _value(connection, _CURSOR + account_id) or ""


def keep_inbound_cursor(connection: Connection, account_id: AccountId, cursor: str) -> None:
    """Remember how far an account's events are committed."""
    _put(connection, _CURSOR + account_id, cursor)


def _value(connection: Connection, name: str) -> str | None:
    return _VALUE.scalar(connection, name)


def _put(connection: Connection, name: str, value: str) -> None:
    _FORGET.change(connection, name)
    insert_rows(connection, properties, ("name", "value"), [(name, value)])
