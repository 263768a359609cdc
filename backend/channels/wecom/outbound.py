"""WeCom's customer service's way out: texts and files under an id of our own.

It never sends beyond five messages and 48 hours after the client's last: WeCom refuses them.

Requests: WeCom's `kf/send_msg`; a repeated `msgid` stands for the same message.
"""

from __future__ import annotations

import hashlib
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
    OutboundMessage,
    SendResult,
)
from backend.channels.modules import ChannelContext
from backend.channels.plain_outbound import PlainOutbound
from backend.channels.preflight import shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.wechat.calls import Ask, TokenCalls, sound
from backend.channels.wechat.outbound import alone, uploaded
from backend.channels.wechat.tokens import AccessTokens, Granted
from backend.channels.wechat.wire import Token
from backend.channels.wecom.errors import UnknownCode, fault_of
from backend.channels.wecom.wire import Sent
from contract.ids import AccountId, ConversationId
from contract.states import DeliveryState
from contract.wire import Channel

DEFAULT_API_URL = "https://qyapi.weixin.qq.com"
_MB = 1_000_000
_MOST_KEY_CHARS = 32
# Customer service messages know no templates and show no typing; employees may answer in WeCom.
PROFILE = msgspec.structs.replace(
    CHANNEL_CAPABILITIES[Channel.WECHAT],
    media={
        "image": MediaLimit(max_bytes=10 * _MB, types=("image/jpeg", "image/png")),
        "audio": MediaLimit(max_bytes=2 * _MB, types=("audio/amr",)),
        "video": MediaLimit(max_bytes=10 * _MB, types=("video/mp4",)),
        "document": MediaLimit(max_bytes=20 * _MB),
    },
    deletes_in=True,
    templates=False,
    typing=False,
    echo_of_native=True,
)


class WeComOutbound(PlainOutbound):
    """Serves every customer service account; it keeps the protocol Outbound."""

    shown_name = "WeCom"

    def __init__(self, context: ChannelContext, calls: TokenCalls) -> None:
        self._context = context
        self._calls = calls

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what WeCom documents for customer service."""
        return PROFILE

    async def account_changed(self, account_id: AccountId) -> None:
        """Drop the token of an account that has new settings, or is gone."""
        self._calls.forget(account_id)

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check window, consent and size, and that a file goes alone."""
        return alone(outbound, "WeCom") or shared_preflight(PROFILE, outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Hand the message over under its own id; a failure may still come as an event."""
        key = message_key(outbound.account_id, attempt.key)
        settings = self._context.settings_of(outbound.account_id)
        document: dict[str, Any] = {
            "touser": outbound.address,
            "open_kfid": settings["open_kfid"],
            "msgid": key,
        }
        if outbound.attachments:
            document |= await uploaded(
                self._calls, outbound.account_id, outbound.attachments[0], PROFILE
            )
        else:
            document |= {"msgtype": "text", "text": {"content": outbound.text}}
        ask = Ask("POST", "/cgi-bin/kf/send_msg", document=document)
        try:
            reply = await self._calls.call(outbound.account_id, ask)
        except UnknownCode as refused:
            if attempt.n == 1:
                raise
            raise faults.ContentInvalid(
                f"{refused.reason} It may have arrived at an earlier try: ask before you repeat it."
            ) from refused
        sent = msgspec.json.decode(reply.body, type=Sent)
        return SendResult(
            external_id=sent.msgid or key,
            state=DeliveryState.SENT,
            at_utc_ms=self._context.now(),
        )


def calls_of(context: ChannelContext) -> TokenCalls:
    """Return the calls of customer service accounts."""

    def base_url(account_id: AccountId) -> str:
        return api_url(context.settings_of(account_id))

    async def fetch(account_id: AccountId, force: bool) -> Granted:
        settings = context.settings_of(account_id)
        reply = await context.http.request(
            "GET",
            f"{api_url(settings)}/cgi-bin/gettoken",
            repeatable=True,
            params={"corpid": settings["corp_id"], "corpsecret": settings["kf_secret"]},
        )
        body = sound(reply, fault_of, context.now(), repeatable=True).body
        token = msgspec.json.decode(body, type=Token)
        return Granted(token.access_token, token.expires_in)

    return TokenCalls(context, AccessTokens(fetch, context.now), base_url, fault_of)


def message_key(account_id: AccountId, key: str) -> str:
    """Return the id of at most 32 characters under which WeCom knows a submission."""
    return hashlib.sha256(f"{account_id}|{key}".encode()).hexdigest()[:_MOST_KEY_CHARS]


def api_url(settings: Mapping[str, str]) -> str:
    """Return the API's address of an account, without a slash at its end."""
    return (settings.get("api_url") or DEFAULT_API_URL).rstrip("/")
