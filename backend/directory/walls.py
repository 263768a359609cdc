"""Owns the changing of information walls between one employee and one contact, each archived.

It never asks whether a wall is right: Compliance does. Walls of groups stand in wall_groups.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from backend.archive.entries import append_act
from backend.directory.facts_versions import bump_facts_of_contacts
from backend.storage.tables import contacts, walls


def set_wall(
    connection: Connection,
    *,
    employee_id: str,
    contact_id: str,
    up: bool,
    actor_id: str,
    now_utc_ms: int,
    reference: str = "",
) -> bool:
    """Put a wall between an employee and a contact, or take it down; false when it is so already.

    Raises sqlalchemy.exc.NoResultFound for an unknown contact.
    """
    columns = walls.c
    this = (columns.employee_id == employee_id, columns.contact_id == contact_id)
    if (connection.execute(select(columns.contact_id).where(*this)).first() is not None) is up:
        return False
    firm_id: str = connection.execute(
        select(contacts.c.firm_id).where(contacts.c.contact_id == contact_id)
    ).scalar_one()
    archive_wall(
        connection,
        firm_id,
        actor_id,
        {"contact": contact_id, "employee": employee_id, "up": up},
        now_utc_ms,
    )
    if up:
        connection.execute(
            insert(walls).values(
                employee_id=employee_id,
                contact_id=contact_id,
                firm_id=firm_id,
                reference=reference,
            )
        )
    else:
        connection.execute(delete(walls).where(*this))
    bump_facts_of_contacts(connection, [contact_id], now_utc_ms)
    return True


def archive_wall(
    connection: Connection,
    firm_id: str,
    actor_id: str,
    body: dict[str, str | bool],
    now_utc_ms: int,
) -> None:
    """Record a change of walls, of a group's members or of a pair of groups."""
    append_act(
        connection,
        kind="wall",
        actor_id=actor_id,
        told=body,
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
