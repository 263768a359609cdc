"""Owns the recording of sign-ins: the first use of each token is an archive entry.

It never keeps a token: its entry's id is made from a hash of the token's hash.
"""

from __future__ import annotations

import hashlib
import logging

from sqlalchemy import Connection, select

from backend.archive.entries import append_entry, new_salt
from backend.storage.database import Database, DatabaseError
from backend.storage.tables import archive_entries
from contract.ids import EntryId
from contract.receipts.canonical import canonical_json
from contract.wire import Me

KIND_SIGN_IN = "sign_in"
_log = logging.getLogger(__name__)


class SignIns:
    """The tokens this process has seen; each is looked up and recorded once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: set[str] = set()

    async def note(self, me: Me, token_hash: str, scheme: str, now_utc_ms: int) -> None:
        """Archive the first use of a token.

        A database that can't be written stops no reading: the next call tries again.
        """
        if token_hash in self._seen:
            return
        try:
            await self._database.write(
                lambda c: record_sign_in(c, me, token_hash, scheme, now_utc_ms)
            )
        except DatabaseError as error:
            _log.error("a sign-in waits to be archived", extra={"error": type(error).__name__})
            return
        self._seen.add(token_hash)


def record_sign_in(
    connection: Connection, me: Me, token_hash: str, scheme: str, now_utc_ms: int
) -> bool:
    """Archive a token's first use; false when it was archived before."""
    digest = hashlib.sha256(f"sign-in|{token_hash}".encode()).hexdigest()
    entry_id = EntryId(f"sign-in-{digest}")
    known = connection.execute(
        select(archive_entries.c.sequence).where(archive_entries.c.entry_id == entry_id)
    ).first()
    if known is not None:
        return False
    append_entry(
        connection,
        kind=KIND_SIGN_IN,
        actor_id=me.employee_id,
        conversation_id="",
        message_id="",
        revision=0,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json({"employee": me.employee_id, "scheme": scheme}),
        firm_id=me.firm_id,
        now_utc_ms=now_utc_ms,
        entry_id=entry_id,
    )
    return True
