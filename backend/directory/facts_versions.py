"""Owns the version of the facts that policy weighs in a conversation, raised with each change.

It never knows what changed: it makes clients hear of it at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select, update

from backend.inbox.conversations import bump_conversation
from backend.storage.supervision_tables import conversation_facts
from backend.storage.tables import conversation_contacts, conversations

_AT_ONCE = 500


def bump_facts(connection: Connection, conversation_ids: Iterable[str], now_utc_ms: int) -> None:
    """Raise the facts' version of conversations and tell their members."""
    columns = conversation_facts.c
    for conversation_id in dict.fromkeys(conversation_ids):
        known = connection.execute(
            update(conversation_facts)
            .where(columns.conversation_id == conversation_id)
            .values(version=columns.version + 1)
        )
        if not known.rowcount:
            firm_id = select(conversations.c.firm_id).where(
                conversations.c.conversation_id == conversation_id
            )
            connection.execute(
                insert(conversation_facts).values(
                    conversation_id=conversation_id,
                    firm_id=connection.execute(firm_id).scalar_one(),
                    version=1,
                )
            )
        bump_conversation(connection, conversation_id, now_utc_ms)


def bump_facts_of_contacts(
    connection: Connection, contact_ids: Iterable[str], now_utc_ms: int
) -> None:
    """Do the same for every conversation that one of the contacts takes part in."""
    columns, wanted = conversation_contacts.c, sorted(set(contact_ids))
    touched: list[str] = []
    for first in range(0, len(wanted), _AT_ONCE):
        touched += connection.execute(
            select(columns.conversation_id)
            .where(columns.contact_id.in_(wanted[first : first + _AT_ONCE]))
            .distinct()
        ).scalars()
    bump_facts(connection, touched, now_utc_ms)
