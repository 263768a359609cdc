"""Owns the delivery job of an archived message, with the meters that count it.

It never decides whether a message may go, and it never delivers.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from backend.archive.entries import Recorded
from backend.directory.people import read_contacts
from backend.governance.reach import count_reach
from backend.inbox.messages import message_row
from backend.storage.tables import conversation_contacts, jobs
from contract.ids import idempotency_key


def queue_message(
    connection: Connection, message_id: str, archived: Recorded, now_utc_ms: int
) -> None:
    """Make a message claimable once `archived`, the entry that lets it go, is sealed."""
    row = message_row(connection, message_id)
    connection.execute(
        insert(jobs).values(
            job_id=idempotency_key(row.message_id, row.revision),
            firm_id=row.firm_id,
            conversation_id=row.conversation_id,
            account_id=row.account_id,
            message_id=row.message_id,
            revision=row.revision,
            lane_order=archived.sequence,
            not_before_utc_ms=0,  # due now, also once a clock that ran ahead was set right
            created_at_utc_ms=now_utc_ms,
        )
    )
    people = conversation_contacts.c
    ids = connection.execute(
        select(people.contact_id).where(people.conversation_id == row.conversation_id)
    ).scalars()
    contacts = read_contacts(connection, row.author_id, list(ids))
    count_reach(connection, row.firm_id, row.message_id, row.text, contacts, now_utc_ms)
