"""Owns the adding and changing of a firm's employees, archived with each change.

It never deletes an employee: what they wrote names them for as long as it is kept.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import Connection, insert, select, update

from backend.directory.administration import AdministrationRefused, note_act
from backend.directory.points import initials_of
from backend.storage.tables import access_tokens, employees
from contract.names import shown_name
from contract.wire import Role


class NewEmployee(msgspec.Struct, frozen=True, kw_only=True):
    """Someone of the firm; `language` is an ISO 639 code, `time_zone` an IANA name."""

    employee_id: str
    display_name: str
    roles: tuple[Role, ...] = (Role.EMPLOYEE,)
    time_zone: str = "UTC"
    language: str = "en"


class StaffLine(msgspec.Struct, frozen=True, kw_only=True):
    """One employee as a list shows them; `tokens` counts their access tokens."""

    employee_id: str
    display_name: str
    roles: tuple[Role, ...]
    time_zone: str
    language: str
    tokens: int


def add_employee(
    connection: Connection, firm_id: str, new: NewEmployee, by: str, now_utc_ms: int
) -> None:
    """Add an employee; raises AdministrationRefused for a known id or an unknown time zone."""
    if connection.execute(
        select(employees.c.employee_id).where(employees.c.employee_id == new.employee_id)
    ).first():
        raise AdministrationRefused(f"There is an employee {new.employee_id!r} already.")
    name = shown_name(new.display_name)
    if not name or not new.employee_id:
        raise AdministrationRefused("An employee needs an id and a name.")
    connection.execute(
        insert(employees).values(
            employee_id=new.employee_id,
            firm_id=firm_id,
            display_name=name,
            initials=initials_of(name),
            roles=_roles(new.roles),
            time_zone=checked_zone(new.time_zone),
            language=new.language,
        )
    )
    note_act(connection, firm_id, by, "employee_added", {"employee": new.employee_id}, now_utc_ms)


def change_roles(
    connection: Connection,
    firm_id: str,
    employee_id: str,
    roles: tuple[Role, ...],
    by: str,
    now_utc_ms: int,
) -> None:
    """Give an employee these roles instead; raises AdministrationRefused for an unknown id."""
    require_employee(connection, employee_id)
    connection.execute(
        update(employees).where(employees.c.employee_id == employee_id).values(roles=_roles(roles))
    )
    about = {"employee": employee_id, "roles": " ".join(roles)}
    note_act(connection, firm_id, by, "employee_roles", about, now_utc_ms)


def staff(connection: Connection) -> tuple[StaffLine, ...]:
    """Return the firm's employees by id."""
    counted: dict[str, int] = {}
    for employee_id in connection.execute(select(access_tokens.c.employee_id)).scalars():
        counted[employee_id] = counted.get(employee_id, 0) + 1
    return tuple(
        StaffLine(
            employee_id=row.employee_id,
            display_name=row.display_name,
            roles=msgspec.json.decode(row.roles, type=tuple[Role, ...]),
            time_zone=row.time_zone,
            language=row.language,
            tokens=counted.get(row.employee_id, 0),
        )
        for row in connection.execute(select(employees).order_by(employees.c.employee_id))
    )


def require_employee(connection: Connection, employee_id: str) -> Any:
    """Return an employee's row; raises AdministrationRefused when there is none."""
    row = connection.execute(
        select(employees).where(employees.c.employee_id == employee_id)
    ).one_or_none()
    if row is None:
        raise AdministrationRefused(
            f"There is no employee {employee_id!r}: `admin employee list` shows them."
        )
    return row


def checked_zone(name: str) -> str:
    """Return a time zone's name; raises AdministrationRefused for one that is not known."""
    if name and name != "UTC":
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise AdministrationRefused(
                f"There is no time zone {name!r}: take a name such as Europe/Zurich."
            ) from error
    return name


def _roles(roles: tuple[Role, ...]) -> str:
    return msgspec.json.encode(sorted(set(roles))).decode()
