"""Owns the question whether a message is a recording notice, and by which text a client was asked.

It never sends one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from backend.storage.account_tables import NOTICE, OPT_IN, consent_notices
from backend.storage.bulk import Prepared
from contract.wire import Channel

_NOTICE = Prepared(
    select(consent_notices.c.message_id).where(consent_notices.c.message_id == bindparam("id")),
    "id",
)


def is_notice(connection: Connection, message_id: str) -> bool:
    """Tell whether a message is a notice or question of recording."""
    return _NOTICE.first(connection, message_id) is not None


def last_notice(
    connection: Connection,
    contact_id: str,
    channel: Channel,
    kinds: tuple[str, ...] = (NOTICE, OPT_IN),
) -> Row[Any] | None:
    """Return the newest notice of these kinds that went to a client on a channel."""
    columns = consent_notices.c
    return connection.execute(
        select(consent_notices)
        .where(
            columns.contact_id == contact_id,
            columns.channel == channel.value,
            columns.kind.in_(kinds),
        )
        .order_by(columns.given_at_utc_ms.desc(), columns.message_id.desc())
        .limit(1)
    ).first()


def version_told(connection: Connection, contact_id: str, channel: Channel) -> str:
    """Return the version of the text a client was last told or asked by; empty without any."""
    notice = last_notice(connection, contact_id, channel)
    return "" if notice is None else str(notice.text_version)
