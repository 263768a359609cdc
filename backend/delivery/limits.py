"""Owns the keeping of what vendors asked for, so that a restart does not forget it.

It never decides what goes: pacing does.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, insert, select

from backend.delivery.pacing import VendorLimit
from backend.storage.delivery_tables import channel_limits as table
from backend.storage.tables import channel_accounts
from contract.ids import AccountId


def read_limits(connection: Connection, now_utc_ms: int) -> tuple[VendorLimit, ...]:
    """Return the limits that still hold."""
    columns = table.c
    rows = connection.execute(select(table).where(columns.until_utc_ms > now_utc_ms)).all()
    return tuple(
        VendorLimit(
            account_id=AccountId(row.account_id),
            chat=row.chat,
            since_utc_ms=row.since_utc_ms,
            asked_at_utc_ms=row.asked_at_utc_ms,
            until_utc_ms=row.until_utc_ms,
            strikes=row.strikes,
            quota=row.quota,
        )
        for row in rows
    )


def keep_limits(connection: Connection, limits: Iterable[VendorLimit]) -> None:
    """Keep limits, each in the place of an older one."""
    for limit in limits:
        forget_limits(connection, limit.account_id, (limit.chat,))
        firm_id = connection.execute(
            select(channel_accounts.c.firm_id).where(
                channel_accounts.c.account_id == limit.account_id
            )
        ).scalar_one()
        connection.execute(insert(table).values(firm_id=firm_id, **msgspec.structs.asdict(limit)))


def forget_limits(connection: Connection, account_id: AccountId, chats: Iterable[str]) -> None:
    """Forget what was asked for these chats; an empty one is the whole account."""
    connection.execute(
        delete(table).where(table.c.account_id == account_id, table.c.chat.in_(list(chats)))
    )
