"""LINE's way out: pushes under a retry key, quotes, files, read marks, the loading sign.

It never uses a reply token: LINE keeps no keys for those.

Requests: Messaging API, `POST /v2/bot/message/push` with `X-Line-Retry-Key`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Blocked,
    Capabilities,
    OutboundMessage,
    SendResult,
)
from backend.channels.line.content import QUOTE_TOKEN, message_objects
from backend.channels.line.errors import fault_of
from backend.channels.line.wire import PushAnswer
from backend.channels.modules import ChannelContext
from backend.channels.plain_outbound import PlainOutbound
from backend.channels.preflight import shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.vendor_http import VendorReply
from contract.ids import AccountId, ConversationId
from contract.states import DeliveryState
from contract.wire import Channel

DEFAULT_API_URL = "https://api.line.me"
DEFAULT_DATA_URL = "https://api-data.line.me"
READ_TOKEN = "mark_as_read_token"  # noqa: S105 -- the name of a ref
_KEYS = uuid.UUID("5b1a1c1e-6b0f-5c59-9f3e-2f1d8a60c0de")
_LOADING_S = 5
# LINE carries a file as an address that it fetches.
_WITH_FILES = CHANNEL_CAPABILITIES[Channel.LINE]
_WITHOUT_FILES = msgspec.structs.replace(_WITH_FILES, media={}, media_by_url=False)
_NO_ADDRESS = (
    "LINE fetches files from the firm's public address, and none is set. Send the text alone, or "
    "ask your administrator."
)
_TOO_MANY = "LINE takes five parts a message, the text counted. Send the files in two messages."
_QUOTE_NEEDS_WORDS = "LINE quotes a message with words only. Write some to go with the file."


class LineOutbound(PlainOutbound):
    """Serves every LINE account; it keeps the protocol Outbound."""

    shown_name = "LINE"

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._profile = _WITH_FILES if context.public_url else _WITHOUT_FILES

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what the Messaging API documents, with files where a public address is set."""
        return self._profile

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check consent and size, and that one push holds all of it."""
        profile, files = self._profile, outbound.attachments
        if files and not profile.media:
            return Blocked(reason=_NO_ADDRESS)
        if len(files) + bool(outbound.text) > profile.messages_per_request:
            return Blocked(reason=_TOO_MANY)
        if outbound.quote_external_id and files and not outbound.text:
            return Blocked(reason=_QUOTE_NEEDS_WORDS)
        return shared_preflight(profile, outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Push the message; the same key again is answered 409 and counts as accepted."""
        objects = await message_objects(outbound, attempt, self._context.file_links)
        reply = await self._post(
            outbound.account_id,
            "/v2/bot/message/push",
            {"to": outbound.address, "messages": objects},
            headers={"X-Line-Retry-Key": retry_key(outbound.account_id, attempt.key)},
        )
        if not reply.is_success and reply.status != 409:
            raise fault_of(reply, self._context.now())
        try:
            sent = msgspec.json.decode(reply.body, type=PushAnswer).sent
        except msgspec.DecodeError as error:
            raise faults.Retryable("LINE's answer could not be read.") from error
        request_id = reply.headers.get("x-line-accepted-request-id", "")
        # No receipt follows: LINE's answer is the last word there is.
        return SendResult(
            external_id=sent[0].id if sent else request_id or attempt.key,
            state=DeliveryState.SENT,
            at_utc_ms=self._context.now(),
            refs={QUOTE_TOKEN: sent[0].quote_token} if sent else {},
        )

    async def mark_read(
        self, account: Account, address: str, external_id: str, refs: Mapping[str, str]
    ) -> None:
        """Show the client that the message was read, by the token that came with it."""
        token = refs.get(READ_TOKEN)
        if token:
            path, document = "/v2/bot/chat/markAsRead", {"markAsReadToken": token}
            await self._told(account.account_id, path, document)

    async def typing(self, account: Account, address: str, typing: bool) -> None:
        """Show the loading sign for five seconds; groups have none."""
        if typing and address.startswith("U"):
            document = {"chatId": address, "loadingSeconds": _LOADING_S}
            await self._told(account.account_id, "/v2/bot/chat/loading/start", document)

    async def _told(self, account_id: AccountId, path: str, document: Mapping[str, Any]) -> None:
        reply = await self._post(account_id, path, document)
        if not reply.is_success:
            raise fault_of(reply, self._context.now())

    async def _post(
        self,
        account_id: AccountId,
        path: str,
        document: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> VendorReply:
        settings = self._context.settings_of(account_id)
        return await self._context.http.request(
            "POST",
            f"{api_url(settings)}{path}",
            repeatable=True,
            json=msgspec.json.encode(document),
            headers=bearer(settings) | dict(headers or {}),
        )


def retry_key(account_id: AccountId, key: str) -> str:
    """Return the UUID under which LINE remembers a submission for 24 hours."""
    return str(uuid.uuid5(_KEYS, f"{account_id}|{key}"))


def api_url(settings: Mapping[str, str]) -> str:
    """Return the API's address of an account, without a slash at its end."""
    return (settings.get("api_url") or DEFAULT_API_URL).rstrip("/")


def bearer(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the header that signs an account's requests in."""
    return {"Authorization": f"Bearer {settings['channel_access_token']}"}
