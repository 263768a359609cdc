"""Owns what each account's connector can do, as it stands in the account's row for clients to see.

It never decides what a channel can do: its connector says so.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, select, update

from backend.channels.contract import Capabilities
from backend.directory.native_capture import tell_account
from backend.inbox.conversations import bump_conversation
from backend.storage.tables import channel_accounts, conversations
from contract.ids import AccountId


def capability_columns(capabilities: Capabilities) -> dict[str, object]:
    """Return the columns of an account's row that its connector's capabilities fill."""
    window = capabilities.window
    return {
        "idempotency": capabilities.idempotency.value,
        "window_s": None if window is None else window.seconds,
        "window_max_messages": None if window is None else window.max_messages,
        "send_capability": msgspec.json.encode(capabilities.for_client()),
    }


def settle_capabilities(
    connection: Connection, known: Mapping[AccountId, Capabilities], now_utc_ms: int
) -> tuple[AccountId, ...]:
    """Write down what connectors can do now, where a row says otherwise; returns those accounts.

    A newer Parley may do more than the one that added an account. Conversations are shown anew.
    """
    changed = []
    columns = channel_accounts.c
    for account_id, capabilities in known.items():
        new = capability_columns(capabilities)
        row = connection.execute(
            select(*(columns[name] for name in new)).where(columns.account_id == account_id)
        ).one_or_none()
        if row is None or dict(row._mapping) == new:
            continue
        connection.execute(
            update(channel_accounts).where(columns.account_id == account_id).values(**new)
        )
        show_account_anew(connection, account_id, now_utc_ms)
        changed.append(account_id)
    return tuple(changed)


def show_account_anew(connection: Connection, account_id: str, now_utc_ms: int) -> None:
    """Tell everyone concerned of an account's newest state: its people, its conversations."""
    columns = conversations.c
    for conversation_id in connection.execute(
        select(columns.conversation_id).where(columns.account_id == account_id)
    ).scalars():
        bump_conversation(connection, conversation_id, now_utc_ms)
    tell_account(connection, account_id, now_utc_ms)
