"""Owns walls between groups of employees and contacts: members, pairs and direction, archived.

It never asks whether a wall is right, and it never lets a change wait: clients hear of it at once.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, delete, insert, select

from backend.directory.denials import CONTACT, EMPLOYEE, walled_groups_of
from backend.directory.facts_versions import bump_facts
from backend.directory.walls import archive_wall
from backend.storage.supervision_tables import group_walls, wall_groups, wall_members
from backend.storage.tables import (
    contacts,
    conversation_contacts,
    conversation_members,
    employees,
)


class WallError(Exception):
    """A wall can't be changed so; the text says why in a plain sentence."""


def set_group(
    connection: Connection, firm_id: str, group_id: str, name: str, actor_id: str, now_utc_ms: int
) -> bool:
    """Make a group, empty at first; false when it is there already."""
    columns = wall_groups.c
    if connection.execute(select(columns.name).where(columns.group_id == group_id)).first():
        return False
    archive_wall(connection, firm_id, actor_id, {"group": group_id, "made": True}, now_utc_ms)
    connection.execute(insert(wall_groups).values(group_id=group_id, firm_id=firm_id, name=name))
    return True


def set_membership(
    connection: Connection,
    firm_id: str,
    *,
    group_id: str,
    member_kind: str,
    member_id: str,
    member: bool,
    actor_id: str,
    now_utc_ms: int,
) -> bool:
    """Take an employee or a contact into a group, or out of it; false when it is so already.

    Raises WallError for an unknown group, kind or person.
    """
    _check_member(connection, firm_id, group_id, member_kind, member_id)
    columns = wall_members.c
    this = (
        columns.group_id == group_id,
        columns.member_kind == member_kind,
        columns.member_id == member_id,
    )
    if (connection.execute(select(columns.group_id).where(*this)).first() is not None) is member:
        return False

    def change() -> None:
        if not member:
            connection.execute(delete(wall_members).where(*this))
            return
        connection.execute(
            insert(wall_members).values(
                group_id=group_id, member_kind=member_kind, member_id=member_id, firm_id=firm_id
            )
        )

    body: dict[str, str | bool] = {"group": group_id, "in": member, member_kind: member_id}
    archive_wall(connection, firm_id, actor_id, body, now_utc_ms)
    _apply(connection, firm_id, frozenset({group_id}), change, now_utc_ms)
    return True


def set_group_wall(
    connection: Connection,
    firm_id: str,
    *,
    from_group_id: str,
    to_group_id: str,
    both_ways: bool,
    up: bool,
    actor_id: str,
    now_utc_ms: int,
    reference: str = "",
) -> bool:
    """Put up or take down a wall from one group to another; false when it is so already.

    Raises WallError for an unknown group.
    """
    for group_id in (from_group_id, to_group_id):
        _check_group(connection, firm_id, group_id)
    columns = group_walls.c
    this = (columns.from_group_id == from_group_id, columns.to_group_id == to_group_id)
    known = connection.execute(select(columns.both_ways).where(*this)).one_or_none()
    if (known is None and not up) or (known is not None and up and known.both_ways is both_ways):
        return False

    def change() -> None:
        connection.execute(delete(group_walls).where(*this))
        if up:
            connection.execute(
                insert(group_walls).values(
                    from_group_id=from_group_id,
                    to_group_id=to_group_id,
                    firm_id=firm_id,
                    both_ways=both_ways,
                    reference=reference,
                )
            )

    archive_wall(
        connection,
        firm_id,
        actor_id,
        {"both_ways": both_ways, "from": from_group_id, "to": to_group_id, "up": up},
        now_utc_ms,
    )
    _apply(connection, firm_id, frozenset({from_group_id, to_group_id}), change, now_utc_ms)
    return True


def _apply(
    connection: Connection,
    firm_id: str,
    group_ids: frozenset[str],
    change: Callable[[], None],
    now_utc_ms: int,
) -> None:
    """Carry a change out and tell those whom a wall parts now, or parts no longer."""
    before = walled_groups_of(connection, firm_id, group_ids)
    change()
    after = walled_groups_of(connection, firm_id, group_ids)
    touched: set[str] = set()
    by_contact: dict[str, set[str]] = {}
    for employee_id, contact_id in before ^ after:
        by_contact.setdefault(contact_id, set()).add(employee_id)
    members, people = conversation_members.c, conversation_contacts.c
    for contact_id, employee_ids in by_contact.items():
        touched |= set(
            connection.execute(
                select(people.conversation_id)
                .join(conversation_members, members.conversation_id == people.conversation_id)
                .where(people.contact_id == contact_id, members.employee_id.in_(employee_ids))
            ).scalars()
        )
    bump_facts(connection, sorted(touched), now_utc_ms)


def _check_group(connection: Connection, firm_id: str, group_id: str) -> None:
    columns = wall_groups.c
    known = connection.execute(
        select(columns.group_id).where(columns.group_id == group_id, columns.firm_id == firm_id)
    ).first()
    if known is None:
        raise WallError("There is no such group: make it first.")


def _check_member(
    connection: Connection, firm_id: str, group_id: str, member_kind: str, member_id: str
) -> None:
    _check_group(connection, firm_id, group_id)
    if member_kind == EMPLOYEE:
        query = select(employees.c.firm_id).where(employees.c.employee_id == member_id)
    elif member_kind == CONTACT:
        query = select(contacts.c.firm_id).where(contacts.c.contact_id == member_id)
    else:
        raise WallError("A member is an employee or a contact.")
    if connection.execute(query).scalar() != firm_id:
        raise WallError(f"There is no such {member_kind} in this firm.")
