"""Owns the recording of alarms for Compliance: of clients' programs, and about channels.

It never judges an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from backend.archive.entries import append_act
from contract.wire import ArchiveAlert, Me

KIND_ALERT = "alert"
KIND_CHANNEL_ALERT = "channel_alert"


def record_alert(connection: Connection, me: Me, alert: ArchiveAlert, now_utc_ms: int) -> None:
    """Archive an alarm with who raised it."""
    append_act(
        connection,
        kind=KIND_ALERT,
        actor_id=me.employee_id,
        told={name: getattr(alert, name) for name in _FIELDS},
        firm_id=me.firm_id,
        now_utc_ms=now_utc_ms,
    )


def record_channel_alert(
    connection: Connection,
    firm_id: str,
    account_id: str,
    told: Mapping[str, str],
    now_utc_ms: int,
) -> None:
    """Archive that a channel account can't be used; `told` says of which channel, and why."""
    append_act(
        connection,
        kind=KIND_CHANNEL_ALERT,
        actor_id=account_id,
        told=dict(told),
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )


_FIELDS = tuple(field.name for field in msgspec.structs.fields(ArchiveAlert))
