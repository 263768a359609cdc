"""The way out to Signal: texts, files, replies, reactions, edits, removals, receipts, typing.

It never sends twice by itself: Signal keeps no keys, and a timestamp is known only afterwards.

Requests: signal-cli(1) and signal-cli-jsonrpc(5).
"""

from __future__ import annotations

import base64
import re
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
    SendResult,
)
from backend.channels.plain_outbound import PlainOutbound
from backend.channels.preflight import shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.signal.calls import SignalCalls
from backend.channels.signal.identities import (
    author_of,
    is_person,
    message_id,
    timestamp_of,
)
from backend.channels.signal.streams import SignalStreams
from contract.ids import AccountId, ConversationId
from contract.states import DeliveryState
from contract.wire import Channel

# signal-cli reads no text of more than 20,000,000 characters, and a file goes in base64.
_MOST_FILE_BYTES = 14_000_000
PROFILE = msgspec.structs.replace(
    CHANNEL_CAPABILITIES[Channel.SIGNAL],
    media={"document": MediaLimit(max_bytes=_MOST_FILE_BYTES)},
    echo_of_native=True,
)
_UNSAFE = re.compile(r"[;,\"\\\x00-\x1f]")


class SignalOutbound(PlainOutbound):
    """Serves every Signal account; it keeps the protocol Outbound."""

    shown_name = "Signal"

    def __init__(self, calls: SignalCalls, streams: SignalStreams) -> None:
        self._calls, self._streams = calls, streams

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what signal-cli can do."""
        return PROFILE

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check consent and sizes."""
        return shared_preflight(PROFILE, outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Send a message; the id is the timestamp Signal knows it by."""
        params = _to(outbound.address) | {"message": outbound.text}
        if outbound.attachments:
            params["attachments"] = [await _data_uri(file) for file in outbound.attachments]
        if outbound.quote_external_id:
            quoted = _message(outbound.quote_external_id)
            params["quoteTimestamp"] = quoted
            params["quoteAuthor"] = self._author(outbound.account_id, outbound.quote_external_id)
            params["quoteMessage"] = outbound.quote_text
        sent = await self._calls.send(outbound.account_id, "send", params)
        if not sent.timestamp:
            raise faults.OutcomeUnknown("signal-cli did not say under which id it sent this.")
        return SendResult(
            external_id=message_id("", sent.timestamp),
            state=DeliveryState.SENT,
            at_utc_ms=sent.timestamp,
        )

    async def edit(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Replace the newest words of a sent message."""
        edits = self._streams.of(outbound.account_id).edits
        params = _to(outbound.address) | {
            "message": outbound.text,
            "editTimestamp": _message(edits.latest(external_id)),
        }
        sent = await self._calls.send(outbound.account_id, "send", params)
        edits.note(message_id("", sent.timestamp), external_id)

    async def delete(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Take a sent message back at its recipients."""
        params = _to(outbound.address) | {"targetTimestamp": _message(external_id)}
        await self._calls.send(outbound.account_id, "remoteDelete", params, repeatable=True)

    async def react(self, account: Account, address: str, external_id: str, emoji: str) -> None:
        """Set our reaction; an empty emoji takes it back."""
        params = _to(address) | {
            "emoji": emoji or "👍",  # Signal wants one also where it is taken back
            "remove": not emoji,
            "targetAuthor": self._author(account.account_id, external_id),
            "targetTimestamp": _message(external_id),
        }
        await self._calls.send(account.account_id, "sendReaction", params, repeatable=True)

    async def mark_read(
        self, account: Account, address: str, external_id: str, refs: Mapping[str, str]
    ) -> None:
        """Tell the author that their message was read; in a group, too, it is told to them."""
        author = author_of(external_id)
        if not author:
            return  # one of ours: nobody has to be told
        params = {"recipient": author, "targetTimestamp": _message(external_id), "type": "read"}
        await self._calls.send(account.account_id, "sendReceipt", params, repeatable=True)

    async def typing(self, account: Account, address: str, typing: bool) -> None:
        """Show that we type, for fifteen seconds, or have stopped."""
        params = _to(address) | {"stop": not typing}
        await self._calls.send(account.account_id, "sendTyping", params, repeatable=True)

    def _author(self, account_id: AccountId, external_id: str) -> str:
        return author_of(external_id) or self._calls.number(account_id)


def _to(address: str) -> dict[str, Any]:
    return {"recipient": [address]} if is_person(address) else {"groupId": address}


def _message(external_id: str) -> int:
    try:
        return timestamp_of(external_id)
    except ValueError as error:
        raise faults.ContentInvalid("The message spoken of is not one of Signal's.") from error


async def _data_uri(file: OutboundFile) -> str:
    """Return a file as signal-cli takes it (RFC 2397 with a name)."""
    name = _UNSAFE.sub("_", file.name)
    kind = _UNSAFE.sub("", file.media_type) or "application/octet-stream"
    return f"data:{kind};filename={name};base64,{base64.b64encode(await file.read()).decode()}"
