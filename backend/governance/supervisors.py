"""Owns who may decide on held messages, and who is told of them.

It never lets anyone decide on their own message, or across a wall.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, func, select

from backend.directory.denials import denied_contacts
from backend.directory.people import read_me
from backend.inbox.events import append_event
from backend.storage.supervision_tables import approvals
from backend.storage.tables import conversation_contacts, employees
from contract.events import ApprovalsChanged
from contract.ids import EmployeeId
from contract.supervision import ApprovalState
from contract.wire import Me, Role


def is_supervisor(me: Me) -> bool:
    """Tell whether someone decides on held messages."""
    return Role.SUPERVISOR in me.roles


def may_decide(connection: Connection, me: Me, approval: Row[Any]) -> bool:
    """Tell whether a supervisor may see and decide one approval."""
    return bool(decidable(connection, me, [approval]))


def decides_on(connection: Connection, me: Me, message_id: str | None) -> bool:
    """Tell whether a supervisor may see a message that is held, or was."""
    if message_id is None or not is_supervisor(me):
        return False
    rows = connection.execute(select(approvals).where(approvals.c.message_id == message_id)).all()
    return bool(decidable(connection, me, rows))


def decidable(connection: Connection, me: Me, rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Return those of some approvals that a supervisor may see and decide."""
    mine = [
        row
        for row in rows
        if is_supervisor(me) and row.firm_id == me.firm_id and row.author_id != me.employee_id
    ]
    people = conversation_contacts.c
    by_chat: dict[str, set[str]] = {}
    for row in connection.execute(
        select(people.conversation_id, people.contact_id).where(
            people.conversation_id.in_({row.conversation_id for row in mine})
        )
    ):
        by_chat.setdefault(row.conversation_id, set()).add(row.contact_id)
    everyone = {contact_id for ids in by_chat.values() for contact_id in ids}
    denied = denied_contacts(connection, me.employee_id, everyone)
    return [row for row in mine if not by_chat.get(row.conversation_id, set()) & denied]


def pending_count(connection: Connection, me: Me) -> int:
    """Return how many held messages wait that this supervisor may decide."""
    rows = connection.execute(
        select(approvals).where(
            approvals.c.firm_id == me.firm_id, approvals.c.state == ApprovalState.PENDING
        )
    ).all()
    return len(decidable(connection, me, rows))


def tell_supervisors(connection: Connection, firm_id: str, now_utc_ms: int) -> None:
    """Tell every supervisor of the firm how many held messages wait for them now."""
    columns = employees.c
    for row in connection.execute(
        select(columns.employee_id, columns.roles).where(
            columns.firm_id == firm_id,
            func.instr(columns.roles, Role.SUPERVISOR.value) > 0,
        )
    ).all():
        me = read_me(connection, row.employee_id)
        if me is not None and is_supervisor(me):
            body = ApprovalsChanged(pending=pending_count(connection, me))
            append_event(connection, EmployeeId(row.employee_id), body, now_utc_ms)
