"""Owns the changing of a contact's consents, archived with each change.

It never asks a client anything; it records what was answered.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from backend.archive.entries import append_act
from backend.directory.facts_versions import bump_facts_of_contacts
from backend.inbox.events import note_contact
from backend.storage.tables import consents, contacts
from contract.wire import Channel, ConsentKind, ConsentStatus


def record_consent(
    connection: Connection,
    *,
    contact_id: str,
    kind: ConsentKind,
    status: ConsentStatus,
    channel: Channel | None,
    actor_id: str,
    at_utc_ms: int,
    now_utc_ms: int,
    text_version: str = "",
) -> bool:
    """Archive and apply a consent's new status; false when it stood so before.

    `channel` None means all channels. `actor_id` is who decided: the contact's id, or the
    employee who noted it.
    """
    columns = consents.c
    this = (
        columns.contact_id == contact_id,
        columns.kind == kind,
        columns.channel == (channel or ""),
    )
    if connection.execute(select(columns.status).where(*this)).scalar() == status:
        return False
    firm_id = connection.execute(
        select(contacts.c.firm_id).where(contacts.c.contact_id == contact_id)
    ).scalar_one()
    body: dict[str, str] = {
        "channel": channel or "",
        "contact": contact_id,
        "kind": kind.value,
        "status": status.value,
        "text_version": text_version,
    }
    _archive(connection, firm_id, actor_id, body, at_utc_ms, now_utc_ms)
    connection.execute(delete(consents).where(*this))
    connection.execute(
        insert(consents).values(
            contact_id=contact_id,
            kind=kind,
            channel=channel or "",
            firm_id=firm_id,
            status=status,
            decided_at_utc_ms=at_utc_ms,
            text_version=text_version,
        )
    )
    contact_changed(connection, contact_id, now_utc_ms)
    return True


def contact_changed(connection: Connection, contact_id: str, now_utc_ms: int) -> None:
    """Raise a contact's version and that of the facts about them; whoever has them is told."""
    connection.execute(
        update(contacts)
        .where(contacts.c.contact_id == contact_id)
        .values(version=contacts.c.version + 1)
    )
    note_contact(connection, contact_id, now_utc_ms)
    bump_facts_of_contacts(connection, [contact_id], now_utc_ms)


def _archive(
    connection: Connection,
    firm_id: str,
    actor_id: str,
    body: dict[str, str],
    at_utc_ms: int,
    now_utc_ms: int,
) -> None:
    append_act(
        connection,
        kind="consent",
        actor_id=actor_id,
        told=body,
        occurred_at_utc_ms=at_utc_ms,
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
