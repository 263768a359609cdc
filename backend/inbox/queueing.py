"""Owns the delivery job of an archived message, with the meters that count it.

It never decides whether a message may go, and it never delivers.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from backend.archive.entries import Recorded
from backend.directory.people import read_contacts
from backend.governance.reach import count_reach
from backend.inbox.messages import message_row
from backend.storage.bulk import Prepared, insert_rows
from backend.storage.tables import conversation_contacts, jobs
from contract.ids import idempotency_key

_JOB_COLUMNS = (
    *("job_id", "firm_id", "conversation_id", "account_id", "message_id", "revision"),
    *("lane_order", "not_before_utc_ms", "created_at_utc_ms"),
)
_PEOPLE = Prepared(
    select(conversation_contacts.c.contact_id).where(
        conversation_contacts.c.conversation_id == bindparam("id")
    ),
    "id",
)


def queue_message(
    connection: Connection, message_id: str, archived: Recorded, now_utc_ms: int
) -> None:
    """Make a message claimable once `archived`, the entry that lets it go, is sealed."""
    row = message_row(connection, message_id)
    job_id, not_before_utc_ms = idempotency_key(row.message_id, row.revision), 0
    where = (row.firm_id, row.conversation_id, row.account_id, row.message_id, row.revision)
    # Due now, also once a clock that ran ahead was set right.
    when = (archived.sequence, not_before_utc_ms, now_utc_ms)
    insert_rows(connection, jobs, _JOB_COLUMNS, [(job_id, *where, *when)])
    ids = _PEOPLE.scalars(connection, row.conversation_id)
    contacts = read_contacts(connection, row.author_id, ids)
    count_reach(connection, row.firm_id, row.message_id, row.text, contacts, now_utc_ms)
