"""What a Telegram account needs, the check of its token, and its connector.

It never sets or removes a webhook by itself.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from backend.channels.telegram.calls import BUSINESS, DEFAULT_API_URL, TelegramCalls
from backend.channels.telegram.connections import connection_line
from backend.channels.telegram.inbound import TelegramInbound
from backend.channels.telegram.outbound import TelegramOutbound
from backend.channels.telegram.wire import Me, WebhookInfo
from contract.wire import Channel


class TelegramModule:
    """The module `telegram`; it keeps the protocol ChannelModule."""

    name = "telegram"
    channel = Channel.TELEGRAM
    needs_public_url = False
    switched_off = ""
    fields = (
        SettingField(
            name="bot_token",
            words="The bot's token, from @BotFather",
            secret=True,
            identity="bot",
            identity_until=":",
        ),
        SettingField(
            name="secret_token",
            words="For a webhook: the word given to setWebhook; without one updates are polled",
            secret=True,
            required=False,
        ),
        SettingField(
            name=BUSINESS,
            words="For an employee's own account: its business connection's id",
            required=False,
        ),
        SettingField(
            name="api_url", words="Address of the Bot API", required=False, default=DEFAULT_API_URL
        ),
    )

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all Telegram accounts."""
        return Connector(outbound=TelegramOutbound(context), inbound=TelegramInbound(context))

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Ask Telegram who the bot is and where its updates go."""
        calls = TelegramCalls(context)
        try:
            me = msgspec.json.decode(await calls.call(account.account_id, "getMe", {}), type=Me)
        except (faults.ChannelFault, msgspec.DecodeError) as error:
            reason = error.reason if isinstance(error, faults.ChannelFault) else "No JSON came."
            return (CheckLine(step="credentials", ok=False, words=reason),)
        line = await connection_line(calls, account)
        known = (
            CheckLine(step="credentials", ok=True, words=f"Telegram knows @{me.username}"),
            *((line,) if line is not None else ()),
        )
        try:
            told = await calls.call(account.account_id, "getWebhookInfo", {})
            hook = msgspec.json.decode(told, type=WebhookInfo)
        except (faults.ChannelFault, msgspec.DecodeError):
            words = "Telegram did not say where the bot's updates go. Check again later."
            return (*known, CheckLine(step="updates", ok=False, words=words))
        is_polled = not context.settings_of(account.account_id).get("secret_token")
        wanted = f"{context.public_url}/hooks/telegram/{account.account_id}"
        return (*known, _updates(hook, wanted if context.public_url else "", is_polled=is_polled))


def _updates(hook: WebhookInfo, wanted: str, *, is_polled: bool) -> CheckLine:
    """Return whether updates come the way the account's settings say; `wanted` is our address."""
    if is_polled:
        words = (
            "Updates are polled."
            if not hook.url
            else "A webhook is set at Telegram: remove it with deleteWebhook, then poll."
        )
        return CheckLine(step="updates", ok=not hook.url, words=words)
    if not wanted:
        words = "No public address is set: Telegram can't call. Set it with --public-url."
        return CheckLine(step="updates", ok=False, words=words)
    is_set = hook.url == wanted
    words = f"Updates come to {wanted}" if is_set else f"Call setWebhook with url={wanted}"
    return CheckLine(step="updates", ok=is_set, words=words)


MODULE = TelegramModule()
