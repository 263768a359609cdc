"""Owns how each employee works on each channel: governed or native, archived with each change.

It never lets a native account send: what an account can't do no employee's mode gives it.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from backend.archive.entries import append_act
from backend.inbox.conversations import bump_conversation
from backend.inbox.events import append_event
from backend.storage.account_tables import member_modes
from backend.storage.tables import conversation_members, conversations, employees
from contract.events import AccountsChanged
from contract.ids import EmployeeId
from contract.wire import Channel, Mode

KIND_MODE = "mode"


def set_mode(
    connection: Connection,
    employee_id: str,
    channel: Channel,
    mode: Mode,
    actor_id: str,
    now_utc_ms: int,
) -> bool:
    """Archive and set how an employee works on a channel; false when it is so already.

    Their conversations there become read-only, or open again, at once.
    Raises sqlalchemy.exc.NoResultFound for an unknown employee.
    """
    firm_id: str = connection.execute(
        select(employees.c.firm_id).where(employees.c.employee_id == employee_id)
    ).scalar_one()
    columns = member_modes.c
    this = (columns.employee_id == employee_id, columns.channel == channel.value)
    known = connection.execute(select(columns.mode).where(*this)).scalar()
    if (known or Mode.GOVERNED.value) == mode.value:
        return False
    body = {"channel": channel.value, "employee": employee_id, "mode": mode.value}
    append_act(
        connection,
        kind=KIND_MODE,
        actor_id=actor_id,
        told=body,
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
    connection.execute(delete(member_modes).where(*this))
    connection.execute(
        insert(member_modes).values(
            employee_id=employee_id,
            channel=channel.value,
            firm_id=firm_id,
            mode=mode.value,
            set_at_utc_ms=now_utc_ms,
        )
    )
    _tell(connection, employee_id, channel, now_utc_ms)
    return True


def read_modes(connection: Connection, firm_id: str) -> list[dict[str, object]]:
    """Return what was set, by employee and channel; whoever is not named works as accounts say."""
    columns = member_modes.c
    rows = connection.execute(
        select(columns.employee_id, columns.channel, columns.mode, columns.set_at_utc_ms)
        .where(columns.firm_id == firm_id)
        .order_by(columns.employee_id, columns.channel)
    )
    return [dict(row._mapping) for row in rows]


def _tell(connection: Connection, employee_id: str, channel: Channel, now_utc_ms: int) -> None:
    members = conversation_members.c
    rows = connection.execute(
        select(members.conversation_id)
        .join(conversations, conversations.c.conversation_id == members.conversation_id)
        .where(members.employee_id == employee_id, conversations.c.channel == channel.value)
    ).scalars()
    for conversation_id in rows.all():
        bump_conversation(connection, conversation_id, now_utc_ms)
    append_event(connection, EmployeeId(employee_id), AccountsChanged(), now_utc_ms)
