"""LINE's way in: webhooks verified over their raw bytes, and files fetched by message id.

It never believes a webhook without the channel's signature.

Webhooks: Messaging API, "Webhook Event Objects"; signature `X-Line-Signature` (base64 of the
HMAC-SHA256 with the channel secret).
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Names, Polled, RawItem
from backend.channels.events import (
    ConsentChange,
    Deleted,
    Edited,
    InboundEvent,
    MediaRef,
    MessageIn,
    Sender,
    Unknown,
)
from backend.channels.line import wire
from backend.channels.line.content import QUOTE_TOKEN
from backend.channels.line.errors import fault_of
from backend.channels.line.outbound import (
    DEFAULT_DATA_URL,
    READ_TOKEN,
    api_url,
    bearer,
)
from backend.channels.modules import ChannelContext
from backend.channels.webhooks import (
    WebhookAnswer,
    WebhookRequest,
    body_key,
    nothing_to_poll,
)
from contract.wire import ConsentKind, ConsentStatus

_SIGNATURE = "x-line-signature"
_ID_TYPE = "line_id"
_MOST_FILE_BYTES = 200 * 1024 * 1024
_MEDIA_TYPES = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mp4"}


class LineInbound:
    """Serves every LINE account; it keeps the protocols Inbound and Webhook."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context

    def handshake(self, account: Account, request: WebhookRequest) -> WebhookAnswer | None:
        """Know no handshake: LINE's own check is a signed webhook without events."""
        return WebhookAnswer(status=405) if request.method != "POST" else None

    def dedupe_key(self, account: Account, item: RawItem) -> str:
        """Return the ids of the events: a redelivery differs in a flag only."""
        try:
            hook = msgspec.json.decode(item.body, type=wire.Webhook)
        except msgspec.DecodeError:
            return body_key(item.body)
        ids = [event.event_id for event in hook.events]
        return body_key("|".join(ids).encode()) if ids and all(ids) else body_key(item.body)

    def answer(self, account: Account) -> WebhookAnswer:
        """Return an empty 200."""
        return WebhookAnswer()

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check the signature over the raw bytes in constant time."""
        secret = self._context.settings_of(account.account_id)["channel_secret"]
        expected = base64.b64encode(hmac.digest(secret.encode(), item.body, hashlib.sha256))
        return hmac.compare_digest(expected, item.headers.get(_SIGNATURE, "").encode())

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn a webhook into its events; what is not known becomes Unknown."""
        try:
            hook = msgspec.json.decode(raw, type=wire.Webhook)
        except (msgspec.DecodeError, ValueError):
            return _one_by_one(raw)
        return tuple(_event(event) for event in hook.events) or (_unknown(body_key(raw), "check"),)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return nothing: LINE sends webhooks and can't be asked."""
        return await nothing_to_poll(cursor)

    async def names_of(self, account: Account, address: str, chat: str) -> Names:
        """Return what a client, and the group they wrote in, is called; LINE's events tell none."""
        if not chat:
            told = await self._profile(account, f"/v2/bot/profile/{address}")
            return Names(sender=told.name)
        kind = "group" if chat.startswith("C") else "room"
        member = await self._profile(account, f"/v2/bot/{kind}/{chat}/member/{address}")
        if kind == "room":
            return Names(sender=member.name)  # rooms have no name of their own
        group = await self._profile(account, f"/v2/bot/group/{chat}/summary")
        return Names(sender=member.name, chat=group.group_name)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return a file by its message's id; LINE may still be preparing it."""
        settings = self._context.settings_of(account.account_id)
        base = (settings.get("data_url") or DEFAULT_DATA_URL).rstrip("/")
        reply = await self._context.http.request(
            "GET",
            f"{base}/v2/bot/message/{ref}/content",
            repeatable=True,
            headers=bearer(settings),
            timeout_s=60.0,
            most_bytes=_MOST_FILE_BYTES,
        )
        if reply.status == 202:
            raise faults.Retryable("LINE is still preparing the file.")
        if reply.status in {400, 404, 410}:
            raise faults.ContentInvalid("The file is no longer there.")
        if not reply.is_success:
            fault = fault_of(reply, self._context.now())
            raise faults.Retryable(fault.reason) from fault
        return reply.body

    async def _profile(self, account: Account, path: str) -> wire.Profile:
        settings = self._context.settings_of(account.account_id)
        reply = await self._context.http.request(
            "GET", f"{api_url(settings)}{path}", repeatable=True, headers=bearer(settings)
        )
        if not reply.is_success:
            return wire.Profile()
        return msgspec.json.decode(reply.body, type=wire.Profile)


def _one_by_one(raw: bytes) -> tuple[InboundEvent, ...]:
    """Return what a webhook tells of which a part has an unknown shape, that part as Unknown."""
    try:
        parts = msgspec.json.decode(raw, type=wire.Apart).events
    except (msgspec.DecodeError, ValueError):
        parts = []
    return tuple(_alone(part) for part in parts) or (_unknown(body_key(raw), "unreadable"),)


def _alone(raw: msgspec.Raw) -> InboundEvent:
    try:
        return _event(msgspec.json.decode(raw, type=wire.Event))
    except (msgspec.DecodeError, ValueError):
        pass
    try:
        event = msgspec.json.decode(raw, type=wire.BareEvent)
    except (msgspec.DecodeError, ValueError):
        return _unknown(body_key(bytes(raw)), "unreadable")
    key, sender, chat = _whose(event)
    if event.type != "message" or event.message is None:
        return _unknown(key, event.type, event.timestamp)
    return _unknown(key, event.type, event.timestamp, sender, chat, event.message.id)


def _whose(event: wire.Event | wire.BareEvent) -> tuple[str, Sender, str]:
    """Return an event's key, who did it, and in which group."""
    chat = event.source.group_id or event.source.room_id
    sender = Sender(id_type=_ID_TYPE, address=event.source.user_id or chat)
    return event.event_id or f"{event.type}.{event.timestamp}", sender, chat


def _event(event: wire.Event) -> InboundEvent:
    key, sender, chat = _whose(event)
    if event.type == "message" and event.message is not None:
        return _message(key, event.timestamp, event.message, sender, chat)
    if event.type == "messageEdited" and event.message is not None:
        return Edited(
            dedupe_key=key,
            at_utc_ms=event.timestamp,
            sender=sender,
            external_id=event.message.id,
            text=event.message.text,
            chat=chat,
        )
    if event.unsend is not None:
        return Deleted(
            dedupe_key=key,
            at_utc_ms=event.timestamp,
            sender=sender,
            external_id=event.unsend.message_id,
        )
    if event.type == "unfollow":
        return ConsentChange(
            dedupe_key=key,
            at_utc_ms=event.timestamp,
            sender=sender,
            consent=ConsentKind.RECORDING,
            status=ConsentStatus.OPTED_OUT,
        )
    if event.postback is not None:  # the client pressed a button: an answer, if not in words
        return _unknown(key, "button", event.timestamp, sender, chat, key)
    # Follows, joins and the like are no messages: they are archived, and shown to nobody.
    return _unknown(key, event.type, event.timestamp)


def _message(
    key: str, at_utc_ms: int, message: wire.Message, sender: Sender, chat: str
) -> InboundEvent:
    text, files = _content(message)
    if not text and not files:
        return _unknown(key, message.type, at_utc_ms, sender, chat, message.id)
    return MessageIn(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=sender,
        external_id=message.id,
        text=text,
        quote_external_id=message.quoted_message_id,
        attachments=files,
        chat=chat,
        refs={QUOTE_TOKEN: message.quote_token, READ_TOKEN: message.mark_as_read_token},
    )


def _content(message: wire.Message) -> tuple[str, tuple[MediaRef, ...]]:
    if message.type == "text":
        return message.text, ()
    if message.type == "location":
        where = f"{message.latitude:.6f}, {message.longitude:.6f}"
        return "\n".join(part for part in (message.title, message.address, where) if part), ()
    if message.type == "sticker":
        words = ", ".join(message.keywords[:3])
        return f"[Sticker: {words}]" if words else "[Sticker]", ()
    if message.type not in {"image", "video", "audio", "file"}:
        return "", ()
    if message.provider.type == "external":
        return f"[{message.type.capitalize()} kept elsewhere: {message.provider.url}]", ()
    name = message.file_name or f"{message.type}-{message.id}"
    media_type = _MEDIA_TYPES.get(message.type, "application/octet-stream")
    ref = MediaRef(ref=message.id, name=name, media_type=media_type, size_bytes=message.file_size)
    return "", (ref,)


def _unknown(
    key: str,
    type_name: str,
    at_utc_ms: int = 0,
    sender: Sender | None = None,
    chat: str = "",
    external_id: str = "",
) -> Unknown:
    return Unknown(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=sender or Sender(id_type=_ID_TYPE, address=""),
        type_name=type_name[:64],
        external_id=external_id,
        chat=chat,
    )
