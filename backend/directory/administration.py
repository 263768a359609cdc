"""Owns the archive's record of what administrators do to people, accounts and addresses.

It never records a name, an address or a secret: ids and what was done to them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from backend.archive.entries import append_entry, new_salt
from contract.receipts.canonical import canonical_json

KIND_ADMINISTRATION = "administration"


class AdministrationRefused(Exception):
    """An administrator's command can't be carried out; the text says what to do instead."""


def note_act(
    connection: Connection,
    firm_id: str,
    by: str,
    act: str,
    about: Mapping[str, str],
    now_utc_ms: int,
) -> None:
    """Archive that `by` did `act`; `about` holds ids."""
    append_entry(
        connection,
        kind=KIND_ADMINISTRATION,
        actor_id=by,
        conversation_id="",
        message_id="",
        revision=0,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json({"about": dict(about), "act": act}),
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
