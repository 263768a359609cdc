"""Owns what is known of the capture of native accounts: when it last was, and how long is silent.

It never captures anything itself: imports and what channels echo tell it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, or_, select, update

from backend.archive.entries import append_act
from backend.governance.settings import NATIVE_SILENCE_HOURS, read_setting
from backend.inbox.events import append_event
from backend.storage.account_tables import member_modes
from backend.storage.tables import (
    account_members,
    channel_accounts,
    conversation_members,
    conversations,
    employees,
)
from contract.events import AccountsChanged
from contract.ids import AccountId, EmployeeId
from contract.wire import Channel, Mode

HOUR_MS = 3_600_000
_TOLD_EVERY_MS = 60_000


class NativeAccount(NamedTuple):
    """A native account with its last capture (None: never) and the silence it is allowed.

    `watched_from_utc_ms` is since when the silence of one that was never captured counts.
    """

    account_id: AccountId
    firm_id: str
    channel: Channel
    label: str
    captured_at_utc_ms: int | None
    captured_upto_utc_ms: int | None
    silent_after_h: int
    watched_from_utc_ms: int | None

    @property
    def quiet_since_utc_ms(self) -> int | None:
        """Return since when nothing was captured; None for one whose watch has not begun."""
        return self.captured_at_utc_ms or self.watched_from_utc_ms

    def is_silent(self, now_utc_ms: int) -> bool:
        """Tell whether nothing was captured for longer than it may be."""
        since = self.quiet_since_utc_ms
        return since is not None and now_utc_ms - since > self.silent_after_h * HOUR_MS


def note_capture(
    connection: Connection, account_id: str, upto_utc_ms: int, now_utc_ms: int
) -> bool:
    """Note that something new of an account was captured just now; false for a governed one.

    `upto_utc_ms` is the time of the newest message captured. Its people are told at most once a
    minute.
    """
    columns = channel_accounts.c
    row = connection.execute(_native().where(columns.account_id == account_id)).one_or_none()
    if row is None:
        return False
    connection.execute(
        update(channel_accounts)
        .where(columns.account_id == account_id)
        .values(
            captured_at_utc_ms=max(now_utc_ms, row.captured_at_utc_ms or 0),
            captured_upto_utc_ms=max(upto_utc_ms, row.captured_upto_utc_ms or 0),
        )
    )
    if now_utc_ms - (row.captured_at_utc_ms or 0) >= _TOLD_EVERY_MS:
        tell_account(connection, account_id, now_utc_ms)
    return True


def author_of(connection: Connection, account_id: str, conversation_id: str) -> tuple[str, str]:
    """Return who wrote in an account's consumer app: the one employee it can have been.

    Of several who take part it is the one who works natively; where that does not tell, the
    account stands for them. Returns id and name.
    """
    members, people, modes = conversation_members.c, employees.c, member_modes.c
    rows = connection.execute(
        select(people.employee_id, people.display_name, modes.mode)
        .join(conversation_members, members.employee_id == people.employee_id)
        .join(
            account_members,
            (account_members.c.employee_id == people.employee_id)
            & (account_members.c.account_id == account_id),
        )
        .join(conversations, conversations.c.conversation_id == members.conversation_id)
        .outerjoin(
            member_modes,
            (modes.employee_id == people.employee_id) & (modes.channel == conversations.c.channel),
        )
        .where(members.conversation_id == conversation_id)
        .order_by(people.employee_id)
    ).all()
    native = [row for row in rows if row.mode == Mode.NATIVE.value]
    found = native if len(native) == 1 else rows
    if len(found) == 1:
        return found[0].employee_id, found[0].display_name
    label: str = connection.execute(
        select(channel_accounts.c.label).where(channel_accounts.c.account_id == account_id)
    ).scalar_one()
    return account_id, label


def native_accounts(connection: Connection, firm_id: str) -> tuple[NativeAccount, ...]:
    """Return the accounts that are native, or that a native employee writes from, by id."""
    usual_h = read_setting(connection, firm_id, NATIVE_SILENCE_HOURS)
    columns = channel_accounts.c
    rows = connection.execute(
        _native().where(columns.firm_id == firm_id).order_by(columns.account_id)
    )
    return tuple(
        NativeAccount(
            account_id=AccountId(row.account_id),
            firm_id=row.firm_id,
            channel=Channel(row.channel),
            label=row.label,
            captured_at_utc_ms=row.captured_at_utc_ms,
            captured_upto_utc_ms=row.captured_upto_utc_ms,
            silent_after_h=row.capture_limit_h or usual_h,
            watched_from_utc_ms=row.watched_from_utc_ms,
        )
        for row in rows
    )


def set_limit(
    connection: Connection, account_id: str, hours: int | None, actor_id: str, now_utc_ms: int
) -> None:
    """Archive and set after how many hours of silence Compliance is told; None: the firm's figure.

    Raises sqlalchemy.exc.NoResultFound for an unknown account.
    """
    columns = channel_accounts.c
    firm_id: str = connection.execute(
        select(columns.firm_id).where(columns.account_id == account_id)
    ).scalar_one()
    append_act(
        connection,
        kind="setting",
        actor_id=actor_id,
        told={"account": account_id, "name": "silence_hours", "value": hours or 0},
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
    connection.execute(
        update(channel_accounts)
        .where(columns.account_id == account_id)
        .values(capture_limit_h=hours)
    )
    tell_account(connection, account_id, now_utc_ms)


def unwatched(connection: Connection) -> list[str]:
    """Return the native accounts, never captured, whose silence does not count yet."""
    columns = channel_accounts.c
    query = _native().where(
        columns.captured_at_utc_ms.is_(None), columns.watched_from_utc_ms.is_(None)
    )
    return [row.account_id for row in connection.execute(query)]


def begin_watch(connection: Connection, now_utc_ms: int) -> None:
    """Let the silence of native accounts that were never captured count from now."""
    connection.execute(
        update(channel_accounts)
        .where(channel_accounts.c.account_id.in_(unwatched(connection)))
        .values(watched_from_utc_ms=now_utc_ms)
    )


def tell_account(connection: Connection, account_id: str, now_utc_ms: int) -> None:
    """Have the clients of those who write from an account ask for their accounts anew."""
    columns = account_members.c
    for employee_id in connection.execute(
        select(columns.employee_id).where(columns.account_id == account_id)
    ).scalars():
        append_event(connection, EmployeeId(employee_id), AccountsChanged(), now_utc_ms)


def _native() -> Select[Any]:
    accounts, members, modes = channel_accounts.c, account_members.c, member_modes.c
    by_person = (
        select(func.count())
        .select_from(account_members)
        .join(member_modes, modes.employee_id == members.employee_id)
        .where(
            members.account_id == accounts.account_id,
            modes.channel == accounts.channel,
            modes.mode == Mode.NATIVE.value,
        )
        .correlate(channel_accounts)
        .scalar_subquery()
    )
    return select(channel_accounts).where(or_(accounts.mode == Mode.NATIVE.value, by_person > 0))
