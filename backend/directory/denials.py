"""Owns the question who is behind a wall, answered from single walls and walls of groups.

It never changes a wall and never says which one it was.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    or_,
    select,
)

from backend.storage.bulk import Prepared
from backend.storage.supervision_tables import group_walls, wall_members
from backend.storage.tables import walls

EMPLOYEE = "employee"
CONTACT = "contact"
_speaker = wall_members.alias("speaker")
_hearer = wall_members.alias("hearer")


def denied_contacts(
    connection: Connection, employee_id: str, contact_ids: Collection[str]
) -> frozenset[str]:
    """Return those of the contacts that the employee may not write to."""
    ids = list(contact_ids)
    denied = set(_SINGLE.scalars(connection, employee_id, ids))
    return frozenset(denied | {hearer for _, hearer in _GROUPED.rows(connection, employee_id, ids)})


def denied_words(
    connection: Connection, from_ids: Collection[str], to_ids: Collection[str]
) -> frozenset[tuple[str, str]]:
    """Return the pairs of contacts whose first one's words must not reach the second."""
    if not from_ids or not to_ids:
        return frozenset()
    rows = connection.execute(
        walled_pairs().where(
            _speaker.c.member_kind == CONTACT,
            _speaker.c.member_id.in_(list(from_ids)),
            _hearer.c.member_kind == CONTACT,
            _hearer.c.member_id.in_(list(to_ids)),
        )
    )
    return frozenset((row.speaker_id, row.hearer_id) for row in rows)


def walled_groups_of(
    connection: Connection, firm_id: str, group_ids: Collection[str] | None = None
) -> frozenset[tuple[str, str]]:
    """Return each (employee, contact) that a wall of groups parts; of these groups' walls only."""
    query = walled_pairs().where(
        group_walls.c.firm_id == firm_id,
        _speaker.c.member_kind == EMPLOYEE,
        _hearer.c.member_kind == CONTACT,
    )
    if group_ids is not None:
        wanted = list(group_ids)
        query = query.where(
            or_(
                group_walls.c.from_group_id.in_(wanted),
                group_walls.c.to_group_id.in_(wanted),
            )
        )
    rows = connection.execute(query)
    return frozenset((row.speaker_id, row.hearer_id) for row in rows)


def walled_pairs() -> Select[Any]:
    """Return the query of all (speaker, hearer) whom a wall of groups parts, to be narrowed."""
    return (
        select(_speaker.c.member_id.label("speaker_id"), _hearer.c.member_id.label("hearer_id"))
        .select_from(group_walls)
        .join(_speaker, _stands())
        .join(_hearer, _faces())
        .distinct()
    )


def _stands() -> ColumnElement[bool]:
    return or_(
        _speaker.c.group_id == group_walls.c.from_group_id,
        and_(group_walls.c.both_ways, _speaker.c.group_id == group_walls.c.to_group_id),
    )


def _faces() -> ColumnElement[bool]:
    return or_(
        and_(
            _speaker.c.group_id == group_walls.c.from_group_id,
            _hearer.c.group_id == group_walls.c.to_group_id,
        ),
        and_(
            group_walls.c.both_ways,
            _speaker.c.group_id == group_walls.c.to_group_id,
            _hearer.c.group_id == group_walls.c.from_group_id,
        ),
    )


# Built once: denied_contacts is asked several times for each message.
_CONTACT_IDS: BindParameter[list[str]] = bindparam("contact_ids", expanding=True)
_SINGLE = Prepared(
    select(walls.c.contact_id).where(
        walls.c.employee_id == bindparam("employee_id"), walls.c.contact_id.in_(_CONTACT_IDS)
    ),
    *("employee_id", "contact_ids"),
)
_GROUPED = Prepared(
    walled_pairs().where(
        _speaker.c.member_kind == EMPLOYEE,
        _speaker.c.member_id == bindparam("employee_id"),
        _hearer.c.member_kind == CONTACT,
        _hearer.c.member_id.in_(_CONTACT_IDS),
    ),
    *("employee_id", "contact_ids"),
)
