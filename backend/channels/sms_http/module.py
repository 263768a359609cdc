"""What an account of a Twilio-style SMS service needs, its check, and its connector.

It never changes anything at the service.
"""

from __future__ import annotations

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from backend.channels.sms_http.errors import fault_of
from backend.channels.sms_http.inbound import SmsHttpInbound
from backend.channels.sms_http.outbound import (
    DEFAULT_API_URL,
    SmsHttpOutbound,
    account_url,
    basic,
)
from contract.wire import Channel


class SmsHttpModule:
    """The module `sms_http`; it keeps the protocol ChannelModule."""

    name = "sms_http"
    channel = Channel.SMS
    needs_public_url = True
    switched_off = ""
    fields = (
        SettingField(name="account_sid", words="Account SID, on the console's first page"),
        SettingField(name="auth_token", words="Auth token, beside it", secret=True),
        SettingField(
            name="from_number",
            words="Number to send from, with +",
            required=False,
            identity="number",
        ),
        SettingField(
            name="messaging_service_sid",
            words="Messaging service instead",
            required=False,
            identity="service",
        ),
        SettingField(
            name="api_url", words="Address of the API", required=False, default=DEFAULT_API_URL
        ),
    )

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all accounts of such services."""
        return Connector(outbound=SmsHttpOutbound(context), inbound=SmsHttpInbound(context))

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Ask the service for the account."""
        settings = context.settings_of(account.account_id)
        try:
            reply = await context.http.request(
                "GET", f"{account_url(settings)}.json", repeatable=True, headers=basic(settings)
            )
            if not reply.is_success:
                raise fault_of(reply, context.now())
        except faults.ChannelFault as fault:
            return (CheckLine(step="credentials", ok=False, words=fault.reason),)
        has_sender = bool(settings.get("from_number") or settings.get("messaging_service_sid"))
        hook = f"{context.public_url}/hooks/sms_http/{account.account_id}"
        return (
            CheckLine(step="credentials", ok=True, words="The service knows the account."),
            CheckLine(
                step="sender",
                ok=has_sender,
                words="A sender is set." if has_sender else "Set from_number.",
            ),
            CheckLine(
                step="webhook",
                ok=bool(context.public_url),
                words=f"Enter {hook} as the number's webhook for incoming messages.",
            ),
        )


MODULE = SmsHttpModule()
