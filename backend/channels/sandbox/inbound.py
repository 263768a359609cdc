"""The sandbox's way in: the sandbox vendor's queue as the channel contract wants it.

It never interprets an event beyond its form.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import InboundEvent, Sender, Unknown
from backend.channels.sandbox.peer import SandboxPeer
from backend.channels.sandbox.queue import SandboxQueue

SIGNATURE = "x-sandbox-signature"
_DECODER = msgspec.json.Decoder(InboundEvent)


class _AnyEvent(msgspec.Struct):
    """As much of an event nobody knows as can be read."""

    type: str = ""
    at_utc_ms: int = 0
    sender: Sender | None = None
    external_id: str = ""
    chat: str = ""


class SandboxInbound:
    """Serves every sandbox account; it keeps the protocol Inbound."""

    def __init__(self, peer: SandboxPeer, queue: SandboxQueue, signing_key: bytes) -> None:
        """`signing_key` signs what the vendor sends."""
        self._peer = peer
        self._queue = queue
        self._signing_key = signing_key

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check the vendor's HMAC-SHA256 over the raw bytes in constant time."""
        wanted = self._sign(account, item.body)
        return hmac.compare_digest(wanted, item.headers.get(SIGNATURE, ""))

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Return the event in `raw`; what has no word here becomes Unknown."""
        try:
            return (_DECODER.decode(raw),)
        except (msgspec.DecodeError, RecursionError):
            return (_unknown(raw),)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return signed items after `cursor`; waits up to 30 s for the first."""
        rows = await self._queue.take(account.account_id, self._queue.position(cursor))
        items = tuple(
            RawItem(
                dedupe_key=self._queue.cursor_at(number),
                body=body,
                headers={SIGNATURE: self._sign(account, body)},
            )
            for number, body in rows
        )
        return Polled(items=items, cursor=self._queue.cursor_at(rows[-1][0]) if rows else cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return the bytes of a client's file; raises ContentInvalid when it is gone."""
        body = await self._peer.media(account, ref)
        if body is None:
            raise faults.ContentInvalid("The file is no longer on the channel.")
        return body

    def _sign(self, account: Account, body: bytes) -> str:
        data = account.account_id.encode() + b"\n" + body
        return hmac.new(self._signing_key, data, hashlib.sha256).hexdigest()


def _unknown(raw: bytes) -> Unknown:
    try:
        read = msgspec.json.decode(raw, type=_AnyEvent)
    except (msgspec.DecodeError, RecursionError):
        read = _AnyEvent()
    return Unknown(
        dedupe_key=hashlib.sha256(raw).hexdigest(),
        at_utc_ms=read.at_utc_ms,
        sender=read.sender or Sender(id_type="", address=""),
        type_name=read.type,
        external_id=read.external_id,
        chat=read.chat,
    )
