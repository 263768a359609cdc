"""An official account's way in: callbacks opened and checked, and files fetched by media id.

It never believes a callback without the account's signature, nor one in the clear where it has a
key for sealed ones.

Callbacks: WeChat's "Receiving ordinary messages" and "Receiving event pushes".
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import (
    ConsentChange,
    InboundEvent,
    MediaRef,
    MessageIn,
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
from backend.channels.wechat.callbacks import Secrets, echo_of, is_genuine, read_callback
from backend.channels.wechat.calls import TokenCalls
from backend.channels.wechat.outbound import template_message_id
from contract.states import DeliveryState
from contract.wire import ConsentKind, ConsentStatus

_ID_TYPE = "openid"
_NOBODY = Sender(id_type=_ID_TYPE, address="")
_MEDIA = {
    "image": ("jpg", "image/jpeg"),
    "voice": ("amr", "audio/amr"),
    "video": ("mp4", "video/mp4"),
    "shortvideo": ("mp4", "video/mp4"),
}
_TEMPLATE_ENDS = {
    "success": "",
    "failed:user block": "The client refuses messages of this account.",
}


class WeChatInbound:
    """Serves every official account; it keeps the protocols Inbound and Webhook."""

    def __init__(self, context: ChannelContext, calls: TokenCalls) -> None:
        self._context = context
        self._calls = calls

    def handshake(self, account: Account, request: WebhookRequest) -> WebhookAnswer | None:
        """Return WeChat's word when its check of the address is signed with the account's token."""
        if request.method == "POST":
            return None
        word = echo_of(self._secrets(account), request.query)
        return WebhookAnswer(status=403) if word is None else WebhookAnswer(body=word)

    def dedupe_key(self, account: Account, item: RawItem) -> str:
        """Return the message's number, or who did what when: WeChat's own advice for events."""
        try:
            said = read_callback(self._secrets(account), item.body)
        except ValueError:
            return body_key(item.body)
        return _key(said) or body_key(item.body)

    def answer(self, account: Account) -> WebhookAnswer:
        """Return the word that keeps WeChat from repeating a callback."""
        return WebhookAnswer(body=b"success")

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check signature and seal in constant time."""
        return is_genuine(self._secrets(account), item, self._context.now())

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn a callback into its event; what is not known becomes Unknown."""
        try:
            said = read_callback(self._secrets(account), raw)
        except ValueError:
            return (_unknown(body_key(raw), "unreadable"),)
        return (_event(_key(said) or body_key(raw), said),)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return nothing: WeChat calls us and can't be asked."""
        return await nothing_to_poll(cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return a client's file, which WeChat keeps for three days."""
        return await self._calls.fetch(account.account_id, ref)

    def _secrets(self, account: Account) -> Secrets:
        settings = self._context.settings_of(account.account_id)
        return Secrets(
            settings["callback_token"], settings.get("encoding_aes_key", ""), settings["app_id"]
        )


def _key(said: Mapping[str, str]) -> str:
    if number := said.get("MsgId"):
        return number
    parts = (said.get("FromUserName"), said.get("CreateTime"), said.get("Event"))
    return ".".join(str(part) for part in parts) if all(parts) else ""


def _event(key: str, said: Mapping[str, str]) -> InboundEvent:
    client = Sender(id_type=_ID_TYPE, address=said.get("FromUserName", ""))
    at_utc_ms = _time(said.get("CreateTime", ""))
    kind = said.get("MsgType", "").casefold()
    if kind == "event":
        return _happening(key, at_utc_ms, client, said)
    text, files = _content(kind, said)
    number = said.get("MsgId", "")
    if not number or not (text or files):
        return _unknown(key, kind or "no type", at_utc_ms, client, number)
    return MessageIn(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=client,
        external_id=number,
        text=text,
        attachments=files,
    )


def _happening(key: str, at_utc_ms: int, client: Sender, said: Mapping[str, str]) -> InboundEvent:
    """Return what an event tells; what is no word to us is archived without being shown."""
    event = said.get("Event", "").casefold()
    if event == "unsubscribe":
        return ConsentChange(
            dedupe_key=key,
            at_utc_ms=at_utc_ms,
            sender=client,
            consent=ConsentKind.RECORDING,
            status=ConsentStatus.OPTED_OUT,
        )
    if event == "templatesendjobfinish":
        status = said.get("Status", "").casefold()
        reason = _TEMPLATE_ENDS.get(status, "WeChat could not deliver the template.")
        return Receipt(
            dedupe_key=key,
            at_utc_ms=at_utc_ms,
            sender=client,
            state=DeliveryState.FAILED if reason else DeliveryState.DELIVERED,
            external_id=template_message_id(said.get("MsgID", "")),
            detail=reason,
        )
    return _unknown(key, f"event {event}", at_utc_ms)


def _content(kind: str, said: Mapping[str, str]) -> tuple[str, tuple[MediaRef, ...]]:
    if kind == "text":
        return said.get("Content", ""), ()
    if kind in _MEDIA and said.get("MediaId"):
        ending, media_type = _MEDIA[kind]
        name = f"{kind}-{said.get('MsgId', '')}.{ending}"
        ref = MediaRef(ref=said["MediaId"], name=name, media_type=media_type, size_bytes=0)
        return said.get("Recognition", ""), (ref,)
    if kind == "location":
        where = ", ".join(said.get(name, "") for name in ("Location_X", "Location_Y"))
        return "\n".join(part for part in (said.get("Label"), where) if part), ()
    if kind == "link":
        parts = (said.get("Title"), said.get("Description"), said.get("Url"))
        return "\n".join(part for part in parts if part), ()
    return "", ()


def _unknown(
    key: str,
    type_name: str,
    at_utc_ms: int = 0,
    sender: Sender = _NOBODY,
    external_id: str = "",
) -> Unknown:
    return Unknown(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=sender,
        type_name=type_name[:64],
        external_id=external_id,
    )


def _time(seconds: str) -> int:
    """Return UTC milliseconds of WeChat's seconds."""
    return int(seconds) * 1000 if seconds.isdecimal() and len(seconds) < 12 else 0
