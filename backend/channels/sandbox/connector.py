"""The sandbox's connector: the channel contract on one side, the sandbox vendor on the other.

It never shortens the way: what it sends and receives passes archive and worker like any other.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import msgspec

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Blocked,
    Capabilities,
    Finding,
    InboundWay,
    OutboundMessage,
    Polled,
    RawItem,
    Reconciliation,
    SendResult,
)
from backend.channels.events import InboundEvent, Sender, Unknown
from backend.channels.preflight import shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.sandbox.peer import Parcel, SandboxPeer
from backend.channels.sandbox.queue import SandboxQueue
from contract.ids import AccountId, ConversationId
from contract.states import DeliveryState
from contract.wire import IdempotencyClass

SIGNATURE = "x-sandbox-signature"
_DECODER = msgspec.json.Decoder(InboundEvent)


class _AnyEvent(msgspec.Struct):
    """As much of an event nobody knows as can be read."""

    type: str = ""
    at_utc_ms: int = 0
    sender: Sender | None = None
    external_id: str = ""
    chat: str = ""


class SandboxConnector:
    """Serves every sandbox account; it keeps the contract of backend.channels.contract."""

    def __init__(
        self,
        peer: SandboxPeer,
        queue: SandboxQueue,
        accounts: Callable[[AccountId], Account],
        signing_key: bytes,
        now: Callable[[], int],
    ) -> None:
        """`accounts` finds an account by id; `signing_key` signs what the vendor sends."""
        self._peer = peer
        self._queue = queue
        self._accounts = accounts
        self._signing_key = signing_key
        self._now = now

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return the channel's profile with this account's idempotency class."""
        profile = CHANNEL_CAPABILITIES[account.channel]
        return msgspec.structs.replace(
            profile, idempotency=account.idempotency, inbound=InboundWay.POLL
        )

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check window, consent and size as the real channel would."""
        return shared_preflight(self._capabilities(outbound), outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Commit the message at the vendor; see the contract for what may be raised."""
        account = self._accounts(outbound.account_id)
        capabilities = self._capabilities(outbound)
        parcel = Parcel(
            address=outbound.address,
            id_type=outbound.id_type,
            text=outbound.text,
            key="" if account.idempotency is IdempotencyClass.NONE else attempt.key,
            files=await _read_files(outbound),
        )
        external_id = await self._peer.accept(account, capabilities, parcel)
        # Without receipts the vendor's answer is the last word we get: it went out.
        told = capabilities.receipt_sent or capabilities.receipt_delivered
        state = DeliveryState.ACCEPTED if told else DeliveryState.SENT
        return SendResult(external_id=external_id, state=state, at_utc_ms=self._now())

    async def edit(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Replace the text on the client's phone."""
        _require(self._capabilities(outbound).edit_out, "change a sent message")
        await self._change(outbound.account_id, external_id, "text", outbound.text)

    async def delete(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Take the message back from the client's phone."""
        _require(self._capabilities(outbound).delete_out, "take a sent message back")
        await self._change(outbound.account_id, external_id, "deleted", 1)

    async def react(self, account: Account, address: str, external_id: str, emoji: str) -> None:
        """Show our reaction on the client's phone."""
        _require(CHANNEL_CAPABILITIES[account.channel].reactions, "carry reactions")
        await self._change(account.account_id, external_id, "reaction", emoji)

    async def mark_read(self, account: Account, address: str, external_id: str) -> None:
        """Show the client that this message was read."""
        _require(CHANNEL_CAPABILITIES[account.channel].mark_read, "show what was read")
        await self._change(account.account_id, external_id, "read_by_us", 1)

    async def typing(self, account: Account, address: str, typing: bool) -> None:
        """Take the notice; a sandbox phone shows nothing of it."""
        _require(CHANNEL_CAPABILITIES[account.channel].typing, "show typing")

    async def reconcile(self, outbound: OutboundMessage, attempt: Attempt) -> Reconciliation:
        """Look the key up where the vendor keeps keys; elsewhere nobody can tell."""
        account = self._accounts(outbound.account_id)
        if account.idempotency is not IdempotencyClass.SERVER_KEY:
            return Reconciliation(finding=Finding.CANNOT_TELL)
        external_id = await self._peer.find(account, attempt.key)
        if external_id is None:
            return Reconciliation(finding=Finding.NOT_FOUND)
        result = SendResult(external_id=external_id, at_utc_ms=self._now())
        return Reconciliation(finding=Finding.FOUND, result=result)

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check the vendor's HMAC-SHA256 over the raw bytes in constant time."""
        wanted = self._sign(account, item.body)
        return hmac.compare_digest(wanted, item.headers.get(SIGNATURE, ""))

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Return the event in `raw`; what has no word here becomes Unknown."""
        try:
            return (_DECODER.decode(raw),)
        except msgspec.DecodeError:
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

    def _capabilities(self, outbound: OutboundMessage) -> Capabilities:
        return self.capabilities(self._accounts(outbound.account_id), outbound.conversation_id)

    def _sign(self, account: Account, body: bytes) -> str:
        data = account.account_id.encode() + b"\n" + body
        return hmac.new(self._signing_key, data, hashlib.sha256).hexdigest()

    async def _change(
        self, account_id: AccountId, external_id: str, column: str, value: object
    ) -> None:
        account = self._accounts(account_id)
        if not await self._peer.change(account, external_id, column, value):
            raise faults.ContentInvalid("The message is no longer on the channel.")


async def _read_files(outbound: OutboundMessage) -> tuple[dict[str, str | int], ...]:
    files: list[dict[str, str | int]] = []
    for item in outbound.attachments:
        body = await item.read()
        if hashlib.sha256(body).hexdigest() != item.sha256:
            raise faults.ContentInvalid("A file changed after it was archived. It was not sent.")
        files.append(
            {
                "name": item.name,
                "media_type": item.media_type,
                "size_bytes": len(body),
                "sha256": item.sha256,
            }
        )
    return tuple(files)


def _require(able: bool, what: str) -> None:
    if not able:
        raise faults.Unsupported(f"This channel can't {what}.")


def _unknown(raw: bytes) -> Unknown:
    try:
        read = msgspec.json.decode(raw, type=_AnyEvent)
    except msgspec.DecodeError:
        read = _AnyEvent()
    return Unknown(
        dedupe_key=hashlib.sha256(raw).hexdigest(),
        at_utc_ms=read.at_utc_ms,
        sender=read.sender or Sender(id_type="", address=""),
        type_name=read.type,
        external_id=read.external_id,
        chat=read.chat,
    )
