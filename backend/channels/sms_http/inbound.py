"""The way in from a Twilio-style SMS service: texts and statuses, signed over address and form.

It never believes a request without the service's signature.

Signature: Twilio, "Validating signatures": base64 of HMAC-SHA1 over the URL and the sorted form.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urljoin, urlsplit

from backend.channels import faults
from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import InboundEvent, MediaRef, MessageIn, Receipt, Sender, Unknown
from backend.channels.modules import ChannelContext
from backend.channels.sms_http.errors import fault_of_code
from backend.channels.sms_http.outbound import basic
from backend.channels.vendor_http import VendorReply
from backend.channels.webhooks import (
    WebhookAnswer,
    WebhookRequest,
    body_key,
    nothing_to_poll,
)
from contract.states import DeliveryState

_SIGNATURE = "x-twilio-signature"
_STATES = {
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "undelivered": DeliveryState.FAILED,
    "failed": DeliveryState.FAILED,
}
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_EMPTY_ANSWER = b"<Response/>"
_MOST_FILE_BYTES = 10 * 1024 * 1024


class SmsHttpInbound:
    """Serves every account of such a service; it keeps the protocols Inbound and Webhook."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context

    def handshake(self, account: Account, request: WebhookRequest) -> WebhookAnswer | None:
        """Know no handshake."""
        return WebhookAnswer(status=405) if request.method != "POST" else None

    def dedupe_key(self, account: Account, item: RawItem) -> str:
        """Return the message's id with its status."""
        form = _form(item.body)
        sid = form.get("MessageSid", "")
        return f"{sid}.{form.get('MessageStatus', 'in')}" if sid else body_key(item.body)

    def answer(self, account: Account) -> WebhookAnswer:
        """Return an empty TwiML document: nothing is to be answered."""
        return WebhookAnswer(200, _EMPTY_ANSWER, "text/xml")

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check the signature over the address called and the form, in constant time."""
        token = self._context.settings_of(account.account_id)["auth_token"]
        told = item.url + "".join(f"{name}{value}" for name, value in sorted(_pairs(item.body)))
        digest = hmac.digest(token.encode(), told.encode(), hashlib.sha1)
        given = item.headers.get(_SIGNATURE, "").encode()
        return hmac.compare_digest(base64.b64encode(digest), given)

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn one request into its event."""
        form = _form(raw)
        sid, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
        if sid and status:
            return _receipts(sid, status, form)
        if sid and form.get("From"):
            return (_message(sid, form),)
        sender = Sender(id_type="phone", address="")
        return (Unknown(dedupe_key=body_key(raw), at_utc_ms=0, sender=sender, type_name="form"),)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return nothing: the service sends webhooks."""
        return await nothing_to_poll(cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return a file of a message by its address at the service."""
        settings = self._context.settings_of(account.account_id)
        base = settings.get("api_url") or "https://api.twilio.com"
        if not ref.startswith(f"{base.rstrip('/')}/"):
            raise faults.ContentInvalid("The file's address is not one of the SMS service's.")
        reply = await self._get(ref, basic(settings))
        if reply.status in _ELSEWHERE:  # a short-lived address, which is its own permission
            place = urljoin(ref, reply.headers.get("location", ""))
            if urlsplit(place).scheme != urlsplit(base).scheme:
                raise faults.ContentInvalid("The file's address is not one of the SMS service's.")
            reply = await self._get(place, {})
        if reply.status in {404, 410}:
            raise faults.ContentInvalid("The file is no longer there.")
        if not reply.is_success:
            raise faults.Retryable("The SMS service does not give the file just now.")
        return reply.body

    async def _get(self, url: str, headers: Mapping[str, str]) -> VendorReply:
        return await self._context.http.request(
            "GET", url, repeatable=True, headers=headers, most_bytes=_MOST_FILE_BYTES
        )


def _message(sid: str, form: dict[str, str]) -> InboundEvent:
    count = form.get("NumMedia", "0")
    files = tuple(
        MediaRef(
            ref=form.get(f"MediaUrl{n}", ""),
            name=f"file-{n + 1}",
            media_type=form.get(f"MediaContentType{n}", "application/octet-stream"),
            size_bytes=0,
        )
        for n in range(min(10, int(count) if count.isdecimal() else 0))
    )
    sender = Sender(id_type="phone", address=form["From"], name=form.get("ProfileName", ""))
    text = form.get("Body", "")
    if not text and not files:
        return Unknown(
            dedupe_key=sid, at_utc_ms=0, sender=sender, type_name="empty", external_id=sid
        )
    return MessageIn(
        dedupe_key=sid,
        at_utc_ms=0,
        sender=sender,
        external_id=sid,
        text=text,
        attachments=files,
    )


def _receipts(sid: str, status: str, form: dict[str, str]) -> tuple[InboundEvent, ...]:
    """Return what a status tells; queued and sending are what the answer to the send said."""
    state = _STATES.get(status)
    if state is None:
        return ()
    receipt = Receipt(
        dedupe_key=f"{sid}.{status}",
        at_utc_ms=0,
        sender=Sender(id_type="phone", address=form.get("To", "")),
        state=state,
        external_id=sid,
        detail=_in_words(form.get("ErrorCode", "")) if state is DeliveryState.FAILED else "",
    )
    return (receipt,)


def _in_words(code: str) -> str:
    return fault_of_code(int(code)).reason if code.isdecimal() and len(code) < 8 else ""


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True)
    except (UnicodeDecodeError, ValueError):
        return []


def _form(body: bytes) -> dict[str, str]:
    return dict(_pairs(body))
