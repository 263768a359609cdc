"""Owns the reading of people: employees, contacts of a book and channel accounts as wire values.

It never changes a row and shows no one beyond the asking employee's book.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, select, tuple_

from backend.directory.own_accounts import read_accounts
from backend.storage.bulk import Prepared
from backend.storage.tables import (
    consents,
    contact_points,
    contacts,
    employee_contacts,
    employees,
)
from contract.ids import ContactId, ContactPointId, EmployeeId, FirmId
from contract.wire import (
    Channel,
    Colleague,
    Consent,
    ConsentKind,
    ConsentStatus,
    Contact,
    ContactPoint,
    Me,
    Mode,
    Role,
)


def read_me(connection: Connection, employee_id: str) -> Me | None:
    """Return the employee with roles and channel accounts, or None."""
    row = _EMPLOYEE.record(connection, employee_id)
    if row is None:
        return None
    return Me(
        employee_id=EmployeeId(row.employee_id),
        firm_id=FirmId(row.firm_id),
        display_name=row.display_name,
        initials=row.initials,
        roles=msgspec.json.decode(row.roles, type=tuple[Role, ...]),
        time_zone=row.time_zone,
        language=row.language,
        accounts=read_accounts(connection, employee_id, row.firm_id),
    )


def contact_page(
    connection: Connection, employee_id: str, *, after: tuple[str, str] | None, limit: int
) -> tuple[Contact, ...]:
    """Return contacts of the book by (name, id), those after the key `after`."""
    query = _book().order_by(contacts.c.display_name, contacts.c.contact_id)
    if after is not None:
        query = query.where(tuple_(contacts.c.display_name, contacts.c.contact_id) > after)
    rows = connection.execute(query.limit(limit), {"employee_id": employee_id}).all()
    return _render(connection, employee_id, rows)


def read_contacts(
    connection: Connection, employee_id: str, contact_ids: Sequence[str]
) -> tuple[Contact, ...]:
    """Return those of the named contacts that are in the employee's book."""
    rows = _OF_BOOK.records(connection, employee_id, list(contact_ids))
    return _render(connection, employee_id, rows)


def contact_watchers(connection: Connection, contact_id: str) -> tuple[EmployeeId, ...]:
    """Return the employees whose book holds the contact."""
    book = employee_contacts.c
    rows = connection.execute(
        select(book.employee_id).where(book.contact_id == contact_id).order_by(book.employee_id)
    )
    return tuple(EmployeeId(row.employee_id) for row in rows)


def _book() -> Select[Any]:
    """Return the query of one employee's contacts, to be run with `employee_id`."""
    return (
        select(contacts)
        .join(employee_contacts, employee_contacts.c.contact_id == contacts.c.contact_id)
        .where(employee_contacts.c.employee_id == bindparam("employee_id"))
    )


# Built once: each message asks for its contacts several times.
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_EMPLOYEE = Prepared(select(employees).where(employees.c.employee_id == bindparam("id")), "id")
_OF_BOOK = Prepared(
    _book().where(contacts.c.contact_id.in_(_IDS)).order_by(contacts.c.contact_id),
    *("employee_id", "ids"),
)
_POINTS = Prepared(
    select(contact_points)
    .where(contact_points.c.contact_id.in_(_IDS))
    .order_by(contact_points.c.contact_point_id),
    "ids",
)
_CONSENTS = Prepared(
    select(consents)
    .where(consents.c.contact_id.in_(_IDS))
    .order_by(consents.c.kind, consents.c.channel),
    "ids",
)
_COLLEAGUES = Prepared(
    select(
        employee_contacts.c.contact_id,
        employees.c.employee_id,
        employees.c.display_name,
        employees.c.initials,
    )
    .join(employees, employees.c.employee_id == employee_contacts.c.employee_id)
    .where(
        employee_contacts.c.contact_id.in_(_IDS),
        employee_contacts.c.employee_id != bindparam("employee_id"),
    )
    .order_by(employees.c.employee_id),
    *("ids", "employee_id"),
)


def _render(
    connection: Connection, employee_id: str, rows: Sequence[Row[Any]]
) -> tuple[Contact, ...]:
    ids = [row.contact_id for row in rows]
    points = _points(connection, ids)
    agreed = _consents(connection, ids)
    colleagues = _colleagues(connection, employee_id, ids)
    return tuple(
        Contact(
            contact_id=ContactId(row.contact_id),
            version=row.version,
            display_name=row.display_name,
            initials=row.initials,
            organisation=row.organisation,
            city=row.city,
            time_zone=row.time_zone,
            language=row.language,
            color=row.color,
            retail=row.retail,
            points=tuple(points[row.contact_id]),
            consents=tuple(agreed[row.contact_id]),
            shared_with=tuple(colleagues[row.contact_id]),
        )
        for row in rows
    )


def _points(connection: Connection, ids: Sequence[str]) -> dict[str, list[ContactPoint]]:
    found: dict[str, list[ContactPoint]] = defaultdict(list)
    for row in _POINTS.records(connection, list(ids)):
        found[row.contact_id].append(
            ContactPoint(
                contact_point_id=ContactPointId(row.contact_point_id),
                channel=Channel(row.channel),
                mode=Mode(row.mode),
                label=row.label,
            )
        )
    return found


def _consents(connection: Connection, ids: Sequence[str]) -> dict[str, list[Consent]]:
    found: dict[str, list[Consent]] = defaultdict(list)
    for row in _CONSENTS.records(connection, list(ids)):
        found[row.contact_id].append(
            Consent(
                kind=ConsentKind(row.kind),
                status=ConsentStatus(row.status),
                channel=Channel(row.channel) if row.channel else None,
                decided_at_utc_ms=row.decided_at_utc_ms,
                text_version=row.text_version,
            )
        )
    return found


def _colleagues(
    connection: Connection, employee_id: str, ids: Sequence[str]
) -> dict[str, list[Colleague]]:
    found: dict[str, list[Colleague]] = defaultdict(list)
    for row in _COLLEAGUES.records(connection, list(ids), employee_id):
        found[row.contact_id].append(
            Colleague(
                employee_id=EmployeeId(row.employee_id),
                display_name=row.display_name,
                initials=row.initials,
            )
        )
    return found
