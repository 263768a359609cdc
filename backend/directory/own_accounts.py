"""Owns the reading of the accounts an employee writes from, with what clients see of them.

It never changes one, and it shows nobody another's accounts.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam, select

from backend.governance.settings import NATIVE_SILENCE_HOURS, read_setting
from backend.storage.account_tables import member_modes
from backend.storage.bulk import Prepared
from backend.storage.tables import account_members, channel_accounts
from contract.ids import AccountId
from contract.wire import Channel, ChannelAccount, Mode

_MINE = Prepared(
    select(channel_accounts, member_modes.c.mode.label("my_mode"))
    .join(account_members, account_members.c.account_id == channel_accounts.c.account_id)
    .outerjoin(
        member_modes,
        and_(
            member_modes.c.employee_id == account_members.c.employee_id,
            member_modes.c.channel == channel_accounts.c.channel,
        ),
    )
    .where(account_members.c.employee_id == bindparam("me"))
    .order_by(channel_accounts.c.account_id),
    "me",
)


def account_words(shown_name: str, label: str) -> str:
    """Return the name and the number that clients see of an account; one where both are equal."""
    return ", ".join(dict.fromkeys(each for each in (shown_name, label) if each))


def effective_mode(of_account: str, of_employee: str | None) -> Mode:
    """Return how an employee works on an account: native where the account or the person is.

    What an account can't send stays read-only, whatever is said of the person.
    """
    native = Mode.NATIVE.value in (of_account, of_employee)
    return Mode.NATIVE if native else Mode.GOVERNED


def read_accounts(
    connection: Connection, employee_id: str, firm_id: str
) -> tuple[ChannelAccount, ...]:
    """Return the accounts an employee writes from, in the order of their ids."""
    rows = _MINE.records(connection, employee_id)
    modes = [effective_mode(row.mode, row.my_mode) for row in rows]
    usual_h = 0
    if Mode.NATIVE in modes:
        usual_h = read_setting(connection, firm_id, NATIVE_SILENCE_HOURS)
    return tuple(
        ChannelAccount(
            account_id=AccountId(row.account_id),
            channel=Channel(row.channel),
            mode=mode,
            label=account_words(row.shown_name, row.label),
            pooled=row.pooled,
            captured_at_utc_ms=row.captured_at_utc_ms,
            captured_upto_utc_ms=row.captured_upto_utc_ms,
            silent_after_h=(row.capture_limit_h or usual_h) if mode is Mode.NATIVE else 0,
        )
        for row, mode in zip(rows, modes, strict=True)
    )
