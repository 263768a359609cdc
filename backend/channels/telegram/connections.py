"""Owns what an employee's business connection lets the bot do, as the guided check tells it.

It never changes a connection: the employee alone does, in Telegram.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.contract import Account
from backend.channels.modules import CheckLine
from backend.channels.telegram.calls import BUSINESS, TelegramCalls
from backend.channels.telegram.wire import BusinessConnection, Rights

_STEP = "business connection"


async def connection_line(calls: TelegramCalls, account: Account) -> CheckLine | None:
    """Return what Telegram says of the account's connection; None for a bot of its own."""
    connection_id = calls.settings(account.account_id).get(BUSINESS)
    if not connection_id:
        return None
    try:
        told = await calls.call(
            account.account_id, "getBusinessConnection", {BUSINESS: connection_id}
        )
        connection = msgspec.json.decode(told, type=BusinessConnection)
    except (faults.ChannelFault, msgspec.DecodeError):
        words = "Telegram knows no such business connection. The employee has to add the bot."
        return CheckLine(step=_STEP, ok=False, words=words)
    rights = connection.rights or Rights()
    if not connection.is_enabled or not rights.can_reply:
        words = "The employee has to let the bot reply, under Telegram Business > Chatbots."
        return CheckLine(step=_STEP, ok=False, words=words)
    reads = "" if rights.can_read_messages else " It can't mark messages as read."
    return CheckLine(
        step=_STEP, ok=True, words=f"The bot replies for {connection.user.name}.{reads}"
    )
