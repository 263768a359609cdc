"""Plays the sample workspace's supervisor: a held message is decided at a tour's word.

It never lets the signed-in employee decide on their own message: the decision is the
supervisor's, under every rule that holds for one.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select
from starlette.responses import Response

from backend.api.once import once
from backend.api.operation import Call
from backend.directory.people import read_me
from backend.governance.approval_queue import read_approval
from backend.governance.approvals import decide_approval
from backend.governance.supervisors import is_supervisor
from backend.refusals import not_found
from backend.storage.tables import employees
from contract.ids import EmployeeId
from contract.supervision import ApprovalVerdict
from contract.wire import Me


async def decide_as_supervisor(call: Call) -> Response:
    """Carry out a decision on a held message in the name of the firm's first supervisor."""
    command, approval_id = call.command(ApprovalVerdict), call.path("approval_id")
    now_utc_ms = call.services.now_utc_ms()

    def work(connection: Connection) -> msgspec.Struct:
        me = _supervisor(connection, call.me)
        decide_approval(connection, call.services.policy, me, approval_id, command, now_utc_ms)
        return read_approval(connection, me, approval_id)

    return await once(call, work, now_utc_ms)


def _supervisor(connection: Connection, asking: Me) -> Me:
    columns = employees.c
    ids = connection.execute(
        select(columns.employee_id)
        .where(columns.firm_id == asking.firm_id, columns.employee_id != asking.employee_id)
        .order_by(columns.employee_id)
    ).scalars()
    for employee_id in ids.all():
        me = read_me(connection, EmployeeId(employee_id))
        if me is not None and is_supervisor(me):
            return me
    raise not_found("supervisor in the sample workspace")
