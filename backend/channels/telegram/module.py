"""What a Telegram account needs, the check of its token, and its connector.

It never sets or removes a webhook by itself.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from backend.channels.telegram.calls import DEFAULT_API_URL, TelegramCalls
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
        SettingField(name="bot_token", words="The bot's token, from @BotFather", secret=True),
        SettingField(
            name="secret_token",
            words="For a webhook: the word given to setWebhook; without one updates are polled",
            secret=True,
            required=False,
        ),
        SettingField(
            name="business_connection_id",
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
            told = await calls.call(account.account_id, "getWebhookInfo", {})
            hook = msgspec.json.decode(told, type=WebhookInfo)
        except (faults.ChannelFault, msgspec.DecodeError) as error:
            reason = error.reason if isinstance(error, faults.ChannelFault) else "No JSON came."
            return (CheckLine(step="credentials", ok=False, words=reason),)
        settings = context.settings_of(account.account_id)
        known = CheckLine(step="credentials", ok=True, words=f"Telegram knows @{me.username}")
        if not settings.get("secret_token"):
            words = (
                "Updates are polled."
                if not hook.url
                else "A webhook is set at Telegram: remove it with deleteWebhook, then poll."
            )
            return (known, CheckLine(step="updates", ok=not hook.url, words=words))
        wanted = f"{context.public_url}/hooks/telegram/{account.account_id}"
        is_set = bool(context.public_url) and hook.url == wanted
        words = f"Updates come to {wanted}" if is_set else f"Call setWebhook with url={wanted}"
        return (known, CheckLine(step="updates", ok=is_set, words=words))


MODULE = TelegramModule()
