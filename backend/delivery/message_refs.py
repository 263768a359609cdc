"""Owns what vendors want to hear again of their messages, such as the token that quotes one.

It never keeps a word of the message itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from backend.inbox.inbound import firm_of_account
from backend.storage.channel_tables import channel_message_refs as table
from contract.ids import AccountId

# Who wrote a message, where the channel lets others speak of it as if they had (a Matrix server
# passes on an edit by anybody in the room and leaves it to the reader to ignore it).
AUTHOR = "author"


def keep_refs(
    connection: Connection, account_id: AccountId, external_id: str, refs: Mapping[str, str]
) -> None:
    """Replace what is kept of a vendor's message; nothing happens without an id or a ref."""
    if not external_id or not refs:
        return
    firm_id = firm_of_account(connection, account_id)
    connection.execute(
        delete(table).where(table.c.account_id == account_id, table.c.external_id == external_id)
    )
    rows = [
        {
            "account_id": account_id,
            "external_id": external_id,
            "name": name,
            "firm_id": firm_id,
            "value": value,
        }
        for name, value in refs.items()
        if value
    ]
    if rows:
        connection.execute(insert(table), rows)


def read_refs(connection: Connection, account_id: AccountId, external_id: str) -> dict[str, str]:
    """Return what is kept of a vendor's message."""
    if not external_id:
        return {}
    columns = table.c
    rows = connection.execute(
        select(columns.name, columns.value).where(
            columns.account_id == account_id, columns.external_id == external_id
        )
    )
    return {row.name: row.value for row in rows}
