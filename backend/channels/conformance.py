"""The behaviour every connector must show, as one class of tests anybody's package can use.

It never knows a vendor: a subclass brings the connector, its vendor and ways to ask them. Only
tests import it, since it needs pytest; docs/channels/new.md tells how.
"""

from __future__ import annotations

from typing import Protocol

import pytest

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Connector,
    Finding,
    Inbound,
    Outbound,
    OutboundMessage,
    Polled,
    RawItem,
)
from backend.channels.events import InboundEvent, MessageIn, Receipt, Unknown
from contract.ids import ConversationId, MessageId
from contract.states import DeliveryState
from contract.wire import IdempotencyClass

CONVERSATION = ConversationId("conv-1")


class Reached(Protocol):
    """What a message is made for."""

    account: Account


class Vendor(Reached, Protocol):
    """What a conformance run needs from the other side of a channel."""

    now_utc_ms: int

    @property
    def connector(self) -> Connector:
        """Return the connector under test."""

    async def received_texts(self) -> list[str]:
        """Return what the client's phone received, oldest first."""

    async def client_writes(self, text: str) -> str:
        """Let the client write; returns the vendor's id."""

    async def incoming(self, cursor: str) -> Polled:
        """Return what came since a cursor: polled, or as the webhook's bytes."""

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        """Make the next send fail that way; `lost` when nothing shall arrive.

        False when this vendor has no such fault.
        """


def outbound(vendor: Reached, text: str = "Good morning", n: int = 1) -> OutboundMessage:
    """Make a message to the vendor's one client."""
    return OutboundMessage(
        account_id=vendor.account.account_id,
        channel=vendor.account.channel,
        conversation_id=CONVERSATION,
        message_id=MessageId(f"m-{n}"),
        revision=0,
        id_type="phone",
        address=getattr(vendor, "address", "+10000000001"),
        text=text,
    )


def attempt(n: int = 1, key: str = "m-1.0") -> Attempt:
    """Make an attempt with a key of its submission."""
    return Attempt(attempt_id=f"a-{key}-{n}", n=n, key=key, started_at_utc_ms=1)


async def events_until(vendor: Vendor, wanted: type[InboundEvent]) -> list[InboundEvent]:
    """Poll until an event of the class came; return all that came."""
    cursor = ""
    seen: list[InboundEvent] = []
    while not any(isinstance(event, wanted) for event in seen):
        polled = await vendor.incoming(cursor)
        cursor = polled.cursor
        for item in polled.items:
            assert vendor.connector.inbound.verify(vendor.account, item)
            seen.extend(vendor.connector.inbound.parse(vendor.account, item.body))
    return seen


class OutboundConformance:
    """Tests of the way out; the fixture `vendor` is the subclass's."""

    def test_keeps_both_protocols(self, vendor: Vendor) -> None:
        """The connector has every method of both ways."""
        assert isinstance(vendor.connector.outbound, Outbound)
        assert isinstance(vendor.connector.inbound, Inbound)

    async def test_sent_message_arrives_once(self, vendor: Vendor) -> None:
        """A send that the vendor took is there once, under an id."""
        result = await vendor.connector.outbound.send(outbound(vendor), attempt())
        assert result.external_id
        assert result.state in (DeliveryState.ACCEPTED, DeliveryState.SENT)
        assert await vendor.received_texts() == ["Good morning"]

    async def test_messages_keep_their_order(self, vendor: Vendor) -> None:
        """What was sent one after the other arrives so."""
        for n in range(5):
            await vendor.connector.outbound.send(
                outbound(vendor, f"{n}", n), attempt(key=f"m-{n}.0")
            )
        assert await vendor.received_texts() == ["0", "1", "2", "3", "4"]

    async def test_same_key_arrives_once_where_the_server_keeps_keys(self, vendor: Vendor) -> None:
        """A repeated key is one message, or the class is not `server_key`."""
        first = await vendor.connector.outbound.send(outbound(vendor), attempt(1))
        again = await vendor.connector.outbound.send(outbound(vendor), attempt(2))
        keyed = vendor.account.idempotency is IdempotencyClass.SERVER_KEY
        assert (first.external_id == again.external_id) is keyed
        assert len(await vendor.received_texts()) == (1 if keyed else 2)

    async def test_timeout_after_write_is_an_unknown_outcome(self, vendor: Vendor) -> None:
        """Bytes written and no answer: unknown, and the message may have arrived."""
        if not await vendor.next_send(faults.OutcomeUnknown):
            # Where the vendor keeps keys the same send may be repeated, so nothing is unknown.
            assert vendor.account.idempotency is IdempotencyClass.SERVER_KEY
            return
        with pytest.raises(faults.OutcomeUnknown):
            await vendor.connector.outbound.send(outbound(vendor), attempt())
        assert await vendor.received_texts() == ["Good morning"]

    async def test_reconcile_tells_only_where_the_server_keeps_keys(self, vendor: Vendor) -> None:
        """What became of an attempt is told only where it can be known."""
        keyed = vendor.account.idempotency is IdempotencyClass.SERVER_KEY
        may = {Finding.CANNOT_TELL}
        nothing = await vendor.connector.outbound.reconcile(outbound(vendor), attempt())
        assert nothing.finding in (may | {Finding.NOT_FOUND} if keyed else may)
        await vendor.connector.outbound.send(outbound(vendor), attempt())
        found = await vendor.connector.outbound.reconcile(outbound(vendor), attempt())
        assert found.finding in (may | {Finding.FOUND} if keyed else may)

    @pytest.mark.parametrize(
        "fault",
        [
            faults.Retryable,
            faults.RateLimited,
            faults.QuotaExhausted,
            faults.WindowExpired,
            faults.ConsentMissing,
            faults.RecipientInvalid,
            faults.ContentInvalid,
            faults.AccountFault,
            faults.IdentityChanged,
        ],
    )
    async def test_refused_send_leaves_nothing_behind(
        self, vendor: Vendor, fault: type[faults.ChannelFault]
    ) -> None:
        """A refusal has its class and a sentence, and nothing arrived."""
        if not await vendor.next_send(fault):
            pytest.skip(f"{vendor.account.connector} knows no {fault.__name__}")
        with pytest.raises(fault) as raised:
            await vendor.connector.outbound.send(outbound(vendor), attempt())
        assert raised.value.reason.endswith(".")
        assert await vendor.received_texts() == []

    async def test_functions_that_are_off_say_so(self, vendor: Vendor) -> None:
        """What the capabilities deny is refused as unsupported."""
        able = vendor.connector.outbound.capabilities(vendor.account, CONVERSATION)
        sent = await vendor.connector.outbound.send(outbound(vendor), attempt())
        change = outbound(vendor, "changed")
        if able.edit_out:
            await vendor.connector.outbound.edit(change, sent.external_id, attempt())
            assert await vendor.received_texts() == ["changed"]
        else:
            with pytest.raises(faults.Unsupported):
                await vendor.connector.outbound.edit(change, sent.external_id, attempt())
        if not able.typing:
            with pytest.raises(faults.Unsupported):
                await vendor.connector.outbound.typing(vendor.account, "+10000000001", True)

    def test_preflight_stops_what_the_channel_would_refuse(self, vendor: Vendor) -> None:
        """Nothing, and too much, is stopped before any I/O."""
        now, check = vendor.now_utc_ms, vendor.connector.outbound.preflight
        able = vendor.connector.outbound.capabilities(vendor.account, CONVERSATION)
        assert check(outbound(vendor), now) is None
        assert check(outbound(vendor, ""), now) is not None
        assert check(outbound(vendor, "約" * (able.text_max + 1)), now) is not None


class InboundConformance:
    """Tests of the way in and of receipts; the fixture `vendor` is the subclass's."""

    async def test_client_message_comes_with_bytes_and_key(self, vendor: Vendor) -> None:
        """What the client wrote comes as bytes, the same for the same cursor."""
        await vendor.client_writes("明日の約定確認をお願いします")
        polled = await vendor.incoming("")
        again = await vendor.incoming("")
        assert polled == again, "the same cursor must give the same items"
        (event,) = vendor.connector.inbound.parse(vendor.account, polled.items[0].body)
        assert isinstance(event, MessageIn)
        assert event.text == "明日の約定確認をお願いします"

    async def test_forged_bytes_are_refused(self, vendor: Vendor) -> None:
        """Bytes the vendor did not sign are not taken for the vendor's."""
        await vendor.client_writes("hello")
        (item,) = (await vendor.incoming("")).items
        forged = RawItem(dedupe_key=item.dedupe_key, body=item.body + b" ", headers=item.headers)
        assert vendor.connector.inbound.verify(vendor.account, item)
        assert not vendor.connector.inbound.verify(vendor.account, forged)

    @pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"[]", b'{"type":"poll","at_utc_ms":5}'])
    def test_unreadable_bytes_become_unknown(self, vendor: Vendor, raw: bytes) -> None:
        """What can't be read is an event, never an error."""
        (event,) = vendor.connector.inbound.parse(vendor.account, raw)
        assert isinstance(event, Unknown)

    async def test_receipts_are_those_the_channel_gives(self, vendor: Vendor) -> None:
        """The receipts that come are those the capabilities promise."""
        able = vendor.connector.outbound.capabilities(vendor.account, CONVERSATION)
        given = {
            state
            for state, is_given in (
                (DeliveryState.SENT, able.receipt_sent),
                (DeliveryState.DELIVERED, able.receipt_delivered),
                (DeliveryState.READ, able.receipt_read),
            )
            if is_given
        }
        await vendor.connector.outbound.send(outbound(vendor), attempt())
        events = await events_until(vendor, MessageIn)
        receipts = [event for event in events if isinstance(event, Receipt)]
        assert {receipt.state for receipt in receipts} == given
        echoes = able.idempotency is IdempotencyClass.CLIENT_ECHO
        assert all(receipt.opaque_key == ("m-1.0" if echoes else "") for receipt in receipts)


class ConnectorConformance(OutboundConformance, InboundConformance):
    """Tests shared by all connectors; the fixture `vendor` is the subclass's."""
