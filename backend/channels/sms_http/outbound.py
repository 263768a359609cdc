"""The way out over a Twilio-style SMS service: one text to one number, with pictures by MMS.

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
    MediaLimit,
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
_WITHOUT_FILES = msgspec.structs.replace(
    CHANNEL_CAPABILITIES[Channel.SMS], receipt_sent=True, inbound=InboundWay.WEBHOOK
)
# The service fetches pictures; a message holds 5 MB of them at most, text included.
_MOST_MMS_BYTES = 5_000_000
_MOST_FILES = 10
_WITH_FILES = msgspec.structs.replace(
    _WITHOUT_FILES,
    media={
        "image": MediaLimit(
            max_bytes=_MOST_MMS_BYTES, types=("image/jpeg", "image/png", "image/gif")
        )
    },
    media_by_url=True,
)
_NO_ADDRESS = (
    "The SMS service fetches pictures from the firm's public address, and none is set. Send the "
    "text alone, or ask your administrator."
)
_TOO_MANY = "An SMS carries ten pictures. Send them in two messages."
_TOO_LARGE = "The pictures are larger than the 5 MB an SMS carries together. Send fewer."
_NO_LINKS = "Pictures can't go out by SMS from here: there is no public address for them."


class _Message(msgspec.Struct):
    sid: str


class SmsHttpOutbound(PlainOutbound):
    """Serves every account of such a service; it keeps the protocol Outbound."""

    shown_name = "SMS"

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._profile = _WITH_FILES if context.public_url else _WITHOUT_FILES

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what SMS can do with the service's receipts; pictures with a public address."""
        return self._profile

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check consent, length and size."""
        files = outbound.attachments
        if files and not self._profile.media:
            return Blocked(reason=_NO_ADDRESS)
        if len(files) > _MOST_FILES:
            return Blocked(reason=_TOO_MANY)
        blocked = shared_preflight(self._profile, outbound, now_utc_ms)
        if blocked is None and sum(file.size_bytes for file in files) > _MOST_MMS_BYTES:
            return Blocked(reason=_TOO_LARGE)
        return blocked

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Hand the text over; statuses come to the account's webhook."""
        settings = self._context.settings_of(outbound.account_id)
        form: dict[str, str | list[str]] = {"To": outbound.address}
        if outbound.text:
            form["Body"] = outbound.text
        if outbound.attachments:
            form["MediaUrl"] = self._links(outbound, attempt)
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

    def _links(self, outbound: OutboundMessage, attempt: Attempt) -> list[str]:
        links = self._context.file_links
        if links is None:
            raise faults.Refusal(_NO_LINKS)
        return [links.link(file, attempt) for file in outbound.attachments]


def account_url(settings: Mapping[str, str]) -> str:
    """Return the address of an account at the service."""
    base = (settings.get("api_url") or DEFAULT_API_URL).rstrip("/")
    return f"{base}/2010-04-01/Accounts/{settings['account_sid']}"


def basic(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the header that signs an account's requests in."""
    pair = f"{settings['account_sid']}:{settings['auth_token']}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
