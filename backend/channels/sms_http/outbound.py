"""The way out over a Twilio-style SMS service: one text to one number.

It never sends twice by itself: such a service keeps no keys.

Requests: Twilio's API, `POST /2010-04-01/Accounts/{sid}/Messages.json`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

import msgspec

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Blocked,
    Capabilities,
    InboundWay,
    OutboundMessage,
    SendResult,
)
from backend.channels.modules import ChannelContext
from backend.channels.plain_outbound import PlainOutbound
from backend.channels.preflight import shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.sms_http.errors import fault_of
from contract.ids import ConversationId
from contract.wire import Channel

DEFAULT_API_URL = "https://api.twilio.com"
PROFILE = msgspec.structs.replace(
    CHANNEL_CAPABILITIES[Channel.SMS], receipt_sent=True, inbound=InboundWay.WEBHOOK
)


class _Message(msgspec.Struct):
    sid: str


class SmsHttpOutbound(PlainOutbound):
    """Serves every account of such a service; it keeps the protocol Outbound."""

    shown_name = "SMS"

    def __init__(self, context: ChannelContext) -> None:
        self._context = context

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what SMS can do, with the service's receipts."""
        return PROFILE

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check consent and length."""
        return shared_preflight(PROFILE, outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Hand the text over; statuses come to the account's webhook."""
        settings = self._context.settings_of(outbound.account_id)
        form = {"To": outbound.address, "Body": outbound.text}
        if service := settings.get("messaging_service_sid"):
            form["MessagingServiceSid"] = service
        else:
            form["From"] = settings["from_number"]
        if self._context.public_url:
            hook = f"{self._context.public_url}/hooks/sms_http/{outbound.account_id}"
            form["StatusCallback"] = hook
        reply = await self._context.http.request(
            "POST",
            f"{account_url(settings)}/Messages.json",
            repeatable=False,
            form=form,
            headers=basic(settings),
        )
        if not reply.is_success:
            raise fault_of(reply, self._context.now())
        try:
            sid = msgspec.json.decode(reply.body, type=_Message).sid
        except msgspec.DecodeError as error:
            raise faults.OutcomeUnknown("The SMS service's answer could not be read.") from error
        return SendResult(external_id=sid, at_utc_ms=self._context.now())


def account_url(settings: Mapping[str, str]) -> str:
    """Return the address of an account at the service."""
    base = (settings.get("api_url") or DEFAULT_API_URL).rstrip("/")
    return f"{base}/2010-04-01/Accounts/{settings['account_sid']}"


def basic(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the header that signs an account's requests in."""
    pair = f"{settings['account_sid']}:{settings['auth_token']}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
