"""WhatsApp's way in: webhooks verified over their raw bytes, and files fetched by id.

It never believes a webhook without Meta's signature, nor asks a client's phone for anything.

Webhooks: Meta's Cloud API v23.0; signature `X-Hub-Signature-256` (HMAC-SHA256 of the app secret).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import InboundEvent, MessageIn
from backend.channels.modules import ChannelContext
from backend.channels.webhooks import (
    WebhookAnswer,
    WebhookRequest,
    body_key,
    nothing_to_poll,
)
from backend.channels.whatsapp import wire
from backend.channels.whatsapp.errors import fault_of_reply
from backend.channels.whatsapp.heard import LastHeard
from backend.channels.whatsapp.outbound import bearer, graph_url
from backend.channels.whatsapp.reading import number_of, read_change, unknown

_SIGNATURE = "x-hub-signature-256"
_LONGEST_FILE_BYTES = 100 * 1024 * 1024
_FETCH_TIMEOUT_S = 40.0


class WhatsAppInbound:
    """Serves every WhatsApp account; it keeps the protocols Inbound and Webhook."""

    def __init__(self, context: ChannelContext, heard: LastHeard) -> None:
        self._context = context
        self._heard = heard

    def handshake(self, account: Account, request: WebhookRequest) -> WebhookAnswer | None:
        """Answer Meta's check of the address when it knows the account's verify token."""
        if request.method != "GET":
            return None
        known = self._context.settings_of(account.account_id)["verify_token"].encode()
        given = request.query.get("hub.verify_token", "").encode()
        if request.query.get("hub.mode") == "subscribe" and hmac.compare_digest(known, given):
            return WebhookAnswer(body=request.query.get("hub.challenge", "").encode())
        return WebhookAnswer(status=403)

    def dedupe_key(self, account: Account, item: RawItem) -> str:
        """Return the hash of the bytes: Meta repeats a webhook byte for byte."""
        return body_key(item.body)

    def answer(self, account: Account) -> WebhookAnswer:
        """Return an empty 200: anything else makes Meta repeat the webhook."""
        return WebhookAnswer()

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check the signature over the raw bytes in constant time."""
        secret = self._context.settings_of(account.account_id)["app_secret"]
        expected = hmac.new(secret.encode(), item.body, hashlib.sha256).hexdigest()
        given = item.headers.get(_SIGNATURE, "")
        return hmac.compare_digest(f"sha256={expected}".encode(), given.encode())

    def also_for(
        self, account: Account, item: RawItem, others: Iterable[Account]
    ) -> tuple[Account, ...]:
        """Return the accounts of the same app whose numbers stand in a webhook, too."""
        try:
            hook = msgspec.json.decode(item.body, type=wire.Webhook)
            named = {number_of(change) for entry in hook.entry for change in entry.changes}
        except (msgspec.DecodeError, ValueError):
            return ()
        return tuple(
            other
            for other in others
            if self._number_id(other) in named and self.verify(other, item)
        )

    def _number_id(self, account: Account) -> str | None:
        try:
            return self._context.settings_of(account.account_id)["phone_number_id"]
        except KeyError:
            return None  # an account without its settings reads nothing

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn a webhook into its events; what is not known becomes Unknown."""
        own_number_id = self._context.settings_of(account.account_id)["phone_number_id"]
        try:
            hook = msgspec.json.decode(raw, type=wire.Webhook)
        except (msgspec.DecodeError, ValueError):
            return (unknown(body_key(raw), "unreadable", 0),)
        events = tuple(
            event
            for entry in hook.entry
            for change in entry.changes
            for event in _told(change, own_number_id)
        )
        for event in events:
            if isinstance(event, MessageIn):
                chat = event.chat or event.sender.address
                self._heard.note(account.account_id, chat, event.external_id)
        return events or (unknown(body_key(raw), "empty", 0),)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return nothing: Meta sends webhooks and can't be asked."""
        return await nothing_to_poll(cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return a file by its id: first its address (valid for five minutes), then its bytes."""
        settings = self._context.settings_of(account.account_id)
        url = f"{graph_url(settings)}/{ref}"
        found = await self._get(url, settings, 64 * 1024)
        address = msgspec.json.decode(found, type=wire.MediaAnswer).url
        if urlsplit(address).scheme != urlsplit(url).scheme:
            raise faults.ContentInvalid("The file's address is not one of WhatsApp's.")
        return await self._get(address, settings, _LONGEST_FILE_BYTES)

    async def _get(self, url: str, settings: Mapping[str, str], most_bytes: int) -> bytes:
        reply = await self._context.http.request(
            "GET",
            url,
            repeatable=True,
            headers=bearer(settings),
            timeout_s=_FETCH_TIMEOUT_S,
            most_bytes=most_bytes,
        )
        if reply.is_success:
            return reply.body
        if reply.status in {400, 404, 410}:
            raise faults.ContentInvalid("The file is no longer there.")
        fault = fault_of_reply(reply, self._context.now())
        raise faults.Retryable(fault.reason) from fault


def _told(change: wire.Change, own_number_id: str) -> tuple[InboundEvent, ...]:
    """Return what one change tells; one that can't be read at all hides none of the others."""
    try:
        return tuple(read_change(change, own_number_id))
    except (msgspec.DecodeError, ValueError, OverflowError):
        return (unknown(body_key(bytes(change.value)), "unreadable", 0),)
