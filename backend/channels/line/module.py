"""What a LINE account needs, the check of its credentials, and its connector.

It never changes anything at LINE.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.line.errors import fault_of
from backend.channels.line.inbound import LineInbound
from backend.channels.line.outbound import (
    DEFAULT_API_URL,
    DEFAULT_DATA_URL,
    LineOutbound,
    api_url,
    bearer,
)
from backend.channels.line.wire import BotInfo, Endpoint
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from contract.wire import Channel


class LineModule:
    """The module `line`; it keeps the protocol ChannelModule."""

    name = "line"
    channel = Channel.LINE
    needs_public_url = True
    switched_off = ""
    fields = (
        SettingField(
            name="channel_access_token",
            words="Long-lived channel access token, in LINE Developers under Messaging API",
            secret=True,
            identity="token",
        ),
        SettingField(
            name="channel_secret",
            words="Channel secret, under Basic settings",
            secret=True,
            identity="channel",
        ),
        SettingField(
            name="api_url", words="Address of the API", required=False, default=DEFAULT_API_URL
        ),
        SettingField(
            name="data_url", words="Address of files", required=False, default=DEFAULT_DATA_URL
        ),
    )

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all LINE accounts."""
        return Connector(outbound=LineOutbound(context), inbound=LineInbound(context))

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Ask LINE who the account is and where its webhooks go."""
        settings = context.settings_of(account.account_id)

        async def get(path: str) -> bytes:
            url = f"{api_url(settings)}{path}"
            reply = await context.http.request(
                "GET", url, repeatable=True, headers=bearer(settings)
            )
            if not reply.is_success:
                raise fault_of(reply, context.now())
            return reply.body

        try:
            bot = msgspec.json.decode(await get("/v2/bot/info"), type=BotInfo)
        except (faults.ChannelFault, msgspec.DecodeError) as error:
            reason = error.reason if isinstance(error, faults.ChannelFault) else "No JSON came."
            return (CheckLine(step="credentials", ok=False, words=reason),)
        known = CheckLine(step="credentials", ok=True, words=f"LINE knows {bot.name}")
        wanted = f"{context.public_url}/hooks/line/{account.account_id}"
        try:
            hook = msgspec.json.decode(await get("/v2/bot/channel/webhook/endpoint"), type=Endpoint)
        except (faults.ChannelFault, msgspec.DecodeError):
            hook = Endpoint()
        is_set = bool(context.public_url) and hook.active and hook.endpoint == wanted
        words = f"Webhooks come to {wanted}" if is_set else f"Enter {wanted} as webhook URL, on."
        return (known, CheckLine(step="webhook", ok=is_set, words=words))


MODULE = LineModule()
