"""Owns the archive's record of what administrators do to people, accounts and addresses.

It never records a name, an address or a secret: ids and what was done to them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from backend.archive.entries import append_act

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
    append_act(
        connection,
        kind=KIND_ADMINISTRATION,
        actor_id=by,
        told={"about": dict(about), "act": act},
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
