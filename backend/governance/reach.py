"""Owns the meter of retail clients whom one text has reached, by anybody, on any channel.

It never says how many are too many: the policy bundle does (FINRA 2210(a)(5): 25 in 30 days).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, insert, select

from backend.storage.bulk import Prepared
from backend.storage.supervision_tables import retail_reach
from backend.storage.tables import attachments
from contract.policy.reach import reach_key
from contract.wire import Contact

WINDOW_MS = 30 * 24 * 3_600_000
_SENT = Prepared(
    select(attachments.c.sha256).where(attachments.c.message_id == bindparam("id")), "id"
)
_FILES_TAG = b"parley.policy.reach.files.v1\n"


def message_key(text: str, people: Iterable[Contact] = (), files: Iterable[str] = ()) -> str:
    """Return what a message has in common with itself as sent to another client.

    Where the text is too short to be told from others, the SHA-256s of its files tell: a
    brochure with a greeting is a communication, too. "" without either.
    """
    names = [contact.display_name for contact in people]
    words = [word for name in names for word in name.split() if len(word) > 1]
    key = reach_key(text, (*names, *words))
    together = "\n".join(sorted(files))
    if key or not together:
        return key
    return hashlib.sha256(_FILES_TAG + together.encode()).hexdigest()


def reached(
    connection: Connection,
    firm_id: str,
    text: str,
    files: Iterable[str],
    people: Sequence[Contact],
    now_utc_ms: int,
) -> frozenset[str]:
    """Return the retail clients whom this text, or one like it, reached within 30 days."""
    key = message_key(text, people, files)
    if not key:
        return frozenset()
    columns = retail_reach.c
    return frozenset(
        connection.execute(
            select(columns.contact_id)
            .where(
                columns.firm_id == firm_id,
                columns.reach_key == key,
                columns.at_utc_ms > now_utc_ms - WINDOW_MS,
            )
            .distinct()
        ).scalars()
    )


def count_reach(
    connection: Connection,
    firm_id: str,
    message_id: str,
    text: str,
    people: Sequence[Contact],
    now_utc_ms: int,
) -> None:
    """Count a message that is about to be delivered to the retail clients among `people`."""
    key = message_key(text, people, _SENT.scalars(connection, message_id))
    if not key:
        return
    for contact in people:
        if contact.retail:
            connection.execute(
                insert(retail_reach).values(
                    message_id=message_id,
                    contact_id=contact.contact_id,
                    firm_id=firm_id,
                    reach_key=key,
                    at_utc_ms=now_utc_ms,
                )
            )
