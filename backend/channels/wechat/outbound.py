"""An official account's way out: customer service messages, files, templates, typing.

It never sends twice by itself: WeChat keeps no keys for these and tells nothing of what arrived.

Requests: WeChat's "Customer service messages" (`message/custom/send`) and "Template messages".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Blocked,
    Capabilities,
    MediaLimit,
    OutboundFile,
    OutboundMessage,
    OutboundTemplate,
    SendResult,
)
from backend.channels.modules import ChannelContext
from backend.channels.plain_outbound import PlainOutbound
from backend.channels.preflight import carried_as, shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.wechat.calls import Ask, TokenCalls, sound
from backend.channels.wechat.errors import TYPES_TOO_EARLY, fault_of
from backend.channels.wechat.tokens import AccessTokens, Granted
from backend.channels.wechat.wire import SentTemplate, Token
from contract.ids import AccountId, ConversationId
from contract.states import DeliveryState
from contract.wire import Channel, IdempotencyClass

DEFAULT_API_URL = "https://api.weixin.qq.com"
_MB = 1_000_000
_KINDS = {"audio": "voice", "document": "file"}
# Customer service messages keep no key, and carry pictures, voice and films, but no documents.
PROFILE = msgspec.structs.replace(
    CHANNEL_CAPABILITIES[Channel.WECHAT],
    media={
        "image": MediaLimit(max_bytes=10 * _MB, types=("image/jpeg", "image/png", "image/gif")),
        "audio": MediaLimit(max_bytes=2 * _MB, types=("audio/amr", "audio/mpeg")),
        "video": MediaLimit(max_bytes=10 * _MB, types=("video/mp4",)),
    },
    idempotency=IdempotencyClass.NONE,
)


class WeChatOutbound(PlainOutbound):
    """Serves every official account; it keeps the protocol Outbound."""

    shown_name = "WeChat"

    def __init__(self, context: ChannelContext, calls: TokenCalls) -> None:
        self._now = context.now
        self._calls = calls

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what WeChat documents for a verified official account."""
        return PROFILE

    async def account_changed(self, account_id: AccountId) -> None:
        """Drop the token of an account that has new settings, or is gone."""
        self._calls.forget(account_id)

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check window, consent and size, and that a file goes alone."""
        return alone(outbound, "WeChat") or shared_preflight(PROFILE, outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Hand the message over; a file is uploaded first, which may be repeated harmlessly."""
        if outbound.template is not None:
            return await self._template(outbound, outbound.template)
        document: dict[str, Any] = {"touser": outbound.address}
        if outbound.attachments:
            document |= await uploaded(
                self._calls, outbound.account_id, outbound.attachments[0], PROFILE
            )
        else:
            document |= {"msgtype": "text", "text": {"content": outbound.text}}
        path = "/cgi-bin/message/custom/send"
        ask = Ask("POST", path, repeatable=False, document=document)
        await self._calls.call(outbound.account_id, ask)
        # WeChat tells no id of such a message, and no receipt follows: this is the last word.
        return SendResult(
            external_id=attempt.attempt_id, state=DeliveryState.SENT, at_utc_ms=self._now()
        )

    async def typing(self, account: Account, address: str, typing: bool) -> None:
        """Show that we type, or have stopped; WeChat allows it after a client's message only."""
        command = "Typing" if typing else "CancelTyping"
        document = {"touser": address, "command": command}
        try:
            await self._calls.call(
                account.account_id, Ask("POST", "/cgi-bin/message/custom/typing", document=document)
            )
        except _TooEarly:
            return

    async def _template(self, outbound: OutboundMessage, template: OutboundTemplate) -> SendResult:
        template_id, places = template_places(template)
        document = {"touser": outbound.address, "template_id": template_id, "data": places}
        ask = Ask("POST", "/cgi-bin/message/template/send", repeatable=False, document=document)
        reply = await self._calls.call(outbound.account_id, ask)
        number = msgspec.json.decode(reply.body, type=SentTemplate).msgid
        return SendResult(
            external_id=template_message_id(number),
            state=DeliveryState.ACCEPTED,
            at_utc_ms=self._now(),
        )


class _TooEarly(faults.Refusal):
    """WeChat shows typing already, or not without a message of the client's."""


def calls_of(context: ChannelContext) -> TokenCalls:
    """Return the calls of official accounts, with tokens that several programs may share."""

    def base_url(account_id: AccountId) -> str:
        return api_url(context.settings_of(account_id))

    async def fetch(account_id: AccountId, force: bool) -> Granted:
        settings = context.settings_of(account_id)
        document = {
            "grant_type": "client_credential",
            "appid": settings["app_id"],
            "secret": settings["app_secret"],
            "force_refresh": force,
        }
        reply = await context.http.request(
            "POST",
            f"{api_url(settings)}/cgi-bin/stable_token",
            repeatable=True,
            json=msgspec.json.encode(document),
        )
        body = sound(reply, _meaning, context.now(), repeatable=True).body
        token = msgspec.json.decode(body, type=Token)
        return Granted(token.access_token, token.expires_in)

    return TokenCalls(context, AccessTokens(fetch, context.now), base_url, _meaning)


async def uploaded(
    calls: TokenCalls, account_id: AccountId, file: OutboundFile, profile: Capabilities
) -> dict[str, Any]:
    """Return what a message says of a file, which is uploaded for it."""
    carried = carried_as(profile, file)
    if carried is None:
        raise faults.ContentInvalid("The channel can't carry this file.")
    kind = _KINDS.get(carried, carried)
    media_id = await calls.upload(account_id, kind, (file.name, await file.read(), file.media_type))
    return {"msgtype": kind, kind: {"media_id": media_id}}


def alone(outbound: OutboundMessage, name: str) -> Blocked | None:
    """Return why a message with files may not go: a file goes alone, without words."""
    if len(outbound.attachments) > 1:
        return Blocked(reason=f"{name} carries one file a message. Send the files one by one.")
    if outbound.attachments and outbound.text:
        return Blocked(reason=f"{name} carries a file without a text. Send the text on its own.")
    return None


def template_places(template: OutboundTemplate) -> tuple[str, dict[str, dict[str, str]]]:
    """Return a template's id with its places filled.

    The name is the id with the places' names in the order of the text: `id:thing1,time2`.
    Raises ContentInvalid when there are not as many as values.
    """
    template_id, _, names = template.name.partition(":")
    places = [name.strip() for name in names.split(",") if name.strip()]
    if len(places) != len(template.values):
        raise faults.ContentInvalid(
            "The template's name must be its id at WeChat with the names of its places, "
            "as id:thing1,time2."
        )
    filled = zip(places, template.values, strict=True)
    return template_id, {name: {"value": value} for name, value in filled}


def template_message_id(number: int | str) -> str:
    """Return the id under which a template's end is told."""
    return f"template/{number}"


def api_url(settings: Mapping[str, str]) -> str:
    """Return the API's address of an account, without a slash at its end."""
    return (settings.get("api_url") or DEFAULT_API_URL).rstrip("/")


def _meaning(code: int, now_utc_ms: int) -> faults.ChannelFault:
    if code in TYPES_TOO_EARLY:
        return _TooEarly("WeChat does not show typing just now.")
    return fault_of(code, now_utc_ms)
