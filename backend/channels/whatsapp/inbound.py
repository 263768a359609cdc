"""WhatsApp's way in: webhooks verified over their raw bytes, and files fetched by id.

It never believes a webhook without Meta's signature, nor asks a client's phone for anything.

Webhooks: Meta's Cloud API v23.0; signature `X-Hub-Signature-256` (HMAC-SHA256 of the app secret).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import (
    Deleted,
    Edited,
    IdentityChange,
    InboundEvent,
    MediaRef,
    MessageEcho,
    MessageIn,
    Reaction,
    Receipt,
    Sender,
    Unknown,
)
from backend.channels.modules import ChannelContext
from backend.channels.webhooks import (
    WebhookAnswer,
    WebhookRequest,
    body_key,
    nothing_to_poll,
)
from backend.channels.whatsapp import wire
from backend.channels.whatsapp.errors import fault_of_reply
from backend.channels.whatsapp.outbound import bearer, graph_url
from contract.states import DeliveryState

_SIGNATURE = "x-hub-signature-256"
_STATES = {
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "played": DeliveryState.READ,
    "failed": DeliveryState.FAILED,
}
_LONGEST_FILE_BYTES = 100 * 1024 * 1024
_FETCH_TIMEOUT_S = 40.0
_NOBODY = Sender(id_type="phone", address="")


class WhatsAppInbound:
    """Serves every WhatsApp account; it keeps the protocols Inbound and Webhook."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context

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

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn a webhook into its events; what is not known becomes Unknown."""
        try:
            hook = msgspec.json.decode(raw, type=wire.Webhook)
            events = tuple(
                event
                for entry in hook.entry
                for change in entry.changes
                for event in _change(change)
            )
        except (msgspec.DecodeError, ValueError, OverflowError):
            return (_unknown(body_key(raw), "unreadable", 0),)
        return events or (_unknown(body_key(raw), "empty", 0),)

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


def _change(change: wire.Change) -> Iterator[InboundEvent]:
    value = msgspec.json.decode(change.value, type=wire.Value)
    names = {contact.wa_id or contact.user_id: contact for contact in value.contacts}
    for message in value.messages:
        yield _message(message, _sender(message, names))
    for echo in value.message_echoes:
        yield _echo(echo)
    for status in value.statuses:
        yield _receipt(status)
    if not (value.messages or value.message_echoes or value.statuses):
        yield _unknown(body_key(bytes(change.value)), change.field, 0)


def _sender(message: wire.Message, names: Mapping[str, wire.Contact]) -> Sender:
    """Return who wrote: by number, else by the business-scoped id."""
    contact = names.get(message.sender) or names.get(message.from_user_id)
    if contact is None and len(names) == 1:
        (contact,) = names.values()
    name = contact.profile.name if contact else ""
    if message.sender:
        return Sender(id_type="phone", address=f"+{message.sender.lstrip('+')}", name=name)
    user_id = message.from_user_id or (contact.user_id if contact else "")
    return Sender(id_type="user_id", address=user_id, name=name)


def _message(message: wire.Message, sender: Sender) -> InboundEvent:
    at_utc_ms = _time(message.timestamp)
    if message.reaction is not None:
        return Reaction(
            dedupe_key=message.id,
            at_utc_ms=at_utc_ms,
            sender=sender,
            external_id=message.reaction.message_id,
            emoji=message.reaction.emoji,
        )
    if message.system is not None and message.system.type.startswith("user_changed"):
        changed = message.system.wa_id or message.system.user_id
        return IdentityChange(
            dedupe_key=message.id,
            at_utc_ms=at_utc_ms,
            sender=sender,
            new_address=f"+{changed}" if message.system.wa_id else changed,
        )
    if message.type == "revoke" and message.revoke is not None:
        target = message.revoke.original_message_id
        return Deleted(
            dedupe_key=message.id, at_utc_ms=at_utc_ms, sender=sender, external_id=target
        )
    if message.type == "edit" and message.edit is not None and message.context is not None:
        return Edited(
            dedupe_key=message.id,
            at_utc_ms=at_utc_ms,
            sender=sender,
            external_id=message.context.id,
            text=message.edit.body,
        )
    text, files = _content(message)
    if not text and not files:
        return _unknown(message.id, message.type, at_utc_ms, sender, message.group_id)
    return MessageIn(
        dedupe_key=message.id,
        at_utc_ms=at_utc_ms,
        sender=sender,
        external_id=message.id,
        text=text,
        quote_external_id=message.context.id if message.context else "",
        attachments=files,
        chat=message.group_id,
    )


def _echo(message: wire.Message) -> InboundEvent:
    """Return what the employee did in the consumer app (coexistence)."""
    at_utc_ms = _time(message.timestamp)
    client = Sender(id_type="phone", address=f"+{message.to.lstrip('+')}")
    if message.type == "revoke" and message.revoke is not None:
        return Deleted(
            dedupe_key=message.id,
            at_utc_ms=at_utc_ms,
            sender=client,
            external_id=message.revoke.original_message_id,
        )
    text, files = _content(message)
    if not text and not files:
        return _unknown(message.id, message.type, at_utc_ms, client)
    return MessageEcho(
        dedupe_key=message.id,
        at_utc_ms=at_utc_ms,
        sender=client,
        external_id=message.id,
        text=text,
        attachments=files,
    )


def _content(message: wire.Message) -> tuple[str, tuple[MediaRef, ...]]:
    media = message.image or message.video or message.audio or message.document or message.sticker
    if media is not None:
        name = media.filename or f"{message.type}-{message.timestamp}"
        ref = MediaRef(ref=media.id, name=name, media_type=media.mime_type, size_bytes=0)
        return media.caption, (ref,)
    if message.text is not None:
        return message.text.body, ()
    if message.button is not None:
        return message.button.text, ()
    if message.interactive is not None:
        chosen = message.interactive.button_reply or message.interactive.list_reply
        return (chosen.title if chosen else ""), ()
    if message.location is not None:
        return _place(message.location), ()
    people = [
        ": ".join((one.name.formatted_name, ", ".join(phone.phone for phone in one.phones)))
        for one in message.contacts
    ]
    return "\n".join(people), ()


def _place(place: wire.Place) -> str:
    where = f"{place.latitude:.6f}, {place.longitude:.6f}"
    return "\n".join(part for part in (place.name, place.address, where) if part)


def _receipt(status: wire.Status) -> InboundEvent:
    state = _STATES.get(status.status)
    at_utc_ms = _time(status.timestamp)
    client = Sender(id_type="phone", address=f"+{status.recipient_id}")
    key = f"{status.id}.{status.status}"
    if state is None:
        return _unknown(key, f"status {status.status}", at_utc_ms, client)
    return Receipt(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=client,
        state=state,
        external_id=status.id,
        opaque_key=status.biz_opaque_callback_data,
        detail=str(status.errors[0].code) if status.errors else "",
    )


def _unknown(
    key: str, type_name: str, at_utc_ms: int, sender: Sender = _NOBODY, chat: str = ""
) -> Unknown:
    return Unknown(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=sender,
        type_name=type_name[:64],
        external_id=key if sender is not _NOBODY else "",
        chat=chat,
    )


def _time(timestamp: str) -> int:
    """Return UTC milliseconds of Meta's seconds."""
    return int(timestamp) * 1000 if timestamp.isdecimal() and len(timestamp) < 12 else 0
