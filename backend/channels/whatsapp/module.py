"""What a WhatsApp account needs, the check of its credentials, and its connector.

It never changes anything at Meta: the webhook is subscribed by a person in the console.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from backend.channels.whatsapp.errors import fault_of_reply
from backend.channels.whatsapp.heard import LastHeard
from backend.channels.whatsapp.inbound import WhatsAppInbound
from backend.channels.whatsapp.outbound import (
    COEXISTENCE,
    DEFAULT_GRAPH_URL,
    WhatsAppOutbound,
    bearer,
    graph_url,
)
from contract.wire import Channel


class _Number(msgspec.Struct):
    display_phone_number: str = ""
    verified_name: str = ""
    quality_rating: str = ""


class WhatsAppModule:
    """The module `whatsapp`; it keeps the protocol ChannelModule."""

    name = "whatsapp"
    channel = Channel.WHATSAPP
    needs_public_url = True
    switched_off = ""
    fields = (
        SettingField(
            name="phone_number_id",
            words="Phone number ID, in Meta's console under WhatsApp > API Setup",
            identity="number",
        ),
        SettingField(
            name="access_token",
            words="Permanent access token of a system user with whatsapp_business_messaging",
            secret=True,
        ),
        SettingField(
            name="app_secret", words="App secret, under App settings > Basic", secret=True
        ),
        SettingField(
            name="verify_token",
            words="A word of your own; enter the same under WhatsApp > Configuration > Webhook",
            secret=True,
        ),
        SettingField(
            name=COEXISTENCE,
            words="yes, where the employee keeps the WhatsApp Business app on the phone",
            required=False,
        ),
        SettingField(
            name="graph_url",
            words="Address of the Graph API",
            required=False,
            default=DEFAULT_GRAPH_URL,
        ),
    )

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all WhatsApp accounts."""
        heard = LastHeard()
        return Connector(
            outbound=WhatsAppOutbound(context, heard), inbound=WhatsAppInbound(context, heard)
        )

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Ask Meta for the number with the account's token."""
        settings = context.settings_of(account.account_id)
        try:
            reply = await context.http.request(
                "GET",
                f"{graph_url(settings)}/{settings['phone_number_id']}",
                repeatable=True,
                headers=bearer(settings),
            )
            if not reply.is_success:
                raise fault_of_reply(reply, context.now())
            number = msgspec.json.decode(reply.body, type=_Number)
        except (faults.ChannelFault, msgspec.DecodeError) as error:
            reason = error.reason if isinstance(error, faults.ChannelFault) else "No JSON came."
            return (CheckLine(step="credentials", ok=False, words=reason),)
        shown = " · ".join(
            part for part in (number.verified_name, number.display_phone_number) if part
        )
        webhook = f"{context.public_url}/hooks/whatsapp/{account.account_id}"
        return (
            CheckLine(step="credentials", ok=True, words=f"Meta knows the number: {shown}"),
            CheckLine(
                step="webhook",
                ok=bool(context.public_url),
                words=f"Enter {webhook} as callback URL and subscribe the field `messages`."
                if context.public_url
                else "No public address is set: Meta can't deliver. Set it with --public-url.",
            ),
        )


MODULE = WhatsAppModule()
