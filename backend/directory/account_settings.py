"""Owns the settings of channel accounts: the tokens and ids that their connectors need.

It never prints a secret: whoever lists settings is told only that one is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from backend.storage.channel_tables import channel_account_settings as table

SHOWN_SECRET = "(set)"  # noqa: S105 -- stands where a secret is, and is none


def keep_settings(
    connection: Connection,
    firm_id: str,
    account_id: str,
    values: Mapping[str, str],
    secrets: frozenset[str],
    now_utc_ms: int,
) -> None:
    """Replace an account's settings by these; empty values are not kept."""
    connection.execute(delete(table).where(table.c.account_id == account_id))
    for name, value in values.items():
        if value:
            connection.execute(
                insert(table).values(
                    account_id=account_id,
                    name=name,
                    firm_id=firm_id,
                    value=value,
                    secret=name in secrets,
                    set_at_utc_ms=now_utc_ms,
                )
            )


def read_settings(connection: Connection) -> dict[str, dict[str, str]]:
    """Return every account's settings, secrets included: for connectors alone."""
    found: dict[str, dict[str, str]] = {}
    for row in connection.execute(select(table.c.account_id, table.c.name, table.c.value)):
        found.setdefault(row.account_id, {})[row.name] = row.value
    return found


def shown_settings(connection: Connection, account_id: str) -> dict[str, str]:
    """Return an account's settings as they may be shown, by name."""
    columns = table.c
    rows = connection.execute(
        select(columns.name, columns.value, columns.secret)
        .where(columns.account_id == account_id)
        .order_by(columns.name)
    )
    return {row.name: SHOWN_SECRET if row.secret else row.value for row in rows}
