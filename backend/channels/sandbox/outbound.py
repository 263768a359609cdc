"""The sandbox's way out: the channel contract on one side, the sandbox vendor on the other.

It never shortens the way: what it sends has passed archive and worker like any other message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

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
    Reconciliation,
    SendResult,
)
from backend.channels.preflight import shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.sandbox.peer import Parcel, SandboxPeer
from contract.ids import AccountId, ConversationId
from contract.states import DeliveryState
from contract.wire import IdempotencyClass


class SandboxOutbound:
    """Serves every sandbox account; it keeps the protocol Outbound."""

    def __init__(
        self, peer: SandboxPeer, accounts: Callable[[AccountId], Account], now: Callable[[], int]
    ) -> None:
        """`accounts` finds an account by id; `now` returns UTC milliseconds."""
        self._peer = peer
        self._accounts = accounts
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

    async def mark_read(
        self, account: Account, address: str, external_id: str, refs: Mapping[str, str]
    ) -> None:
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

    def _capabilities(self, outbound: OutboundMessage) -> Capabilities:
        return self.capabilities(self._accounts(outbound.account_id), outbound.conversation_id)

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
