"""The way out over SMPP: one text to one number, in as many short messages as it needs.

It never sends twice by itself: an SMS centre keeps no keys.

Requests: SMPP v3.4, section 4.4 (submit_sm).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Blocked,
    Capabilities,
    OutboundMessage,
    SendResult,
)
from backend.channels.plain_outbound import PlainOutbound
from backend.channels.preflight import shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.smpp import wire
from backend.channels.smpp.alphabet import encode_text
from backend.channels.smpp.errors import fault_of
from backend.channels.smpp.links import SmppLinks
from backend.channels.smpp.session import SmppSession
from backend.channels.smpp.settings import destination_address
from contract.ids import AccountId, ConversationId
from contract.wire import Channel

PROFILE = CHANNEL_CAPABILITIES[Channel.SMS]
_PART_TRIES = 5
_PART_PAUSE_S = 1.0
_HALF_SENT = "The SMS centre took a part of the message and refused another one."


class SmppOutbound(PlainOutbound):
    """Serves every SMPP account; it keeps the protocol Outbound."""

    shown_name = "SMS"

    def __init__(self, links: SmppLinks, now: Callable[[], int]) -> None:
        self._links, self._now = links, now
        self._reference = 0

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what SMS can do."""
        return PROFILE

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check consent and length."""
        return shared_preflight(PROFILE, outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Hand the text over part by part; its id is the first part's.

        After the first part was taken a refusal raises OutcomeUnknown: the client may read half
        of the text, so nobody sends the whole again unasked.
        """
        destination = destination_address(outbound.address)
        link = await self._links.sending(outbound.account_id)
        session = await link.ready()
        self._reference = (self._reference + 1) % 256
        coding, contents = encode_text(outbound.text, self._reference)
        ids: list[str] = []
        for content in contents:
            body = wire.submit_body(
                link.settings.source,
                destination,
                esm_class=wire.HAS_HEADER if len(contents) > 1 else 0,
                data_coding=coding,
                content=content,
            )
            note = self._noting(outbound.account_id, link.settings.receipt_id, ids, len(contents))
            await self._submit(outbound.account_id, session, body, note, ids)
        return SendResult(external_id=ids[0], at_utc_ms=self._now())

    def _noting(
        self,
        account_id: AccountId,
        receipt_id: Callable[[str], str],
        ids: list[str],
        total: int,
    ) -> Callable[[wire.Pdu], None]:
        """Return what keeps a part's id before its receipt can be read."""
        receiver = self._links.receiver(account_id)

        def note(answer: wire.Pdu) -> None:
            if answer.status == wire.OK and answer.command == wire.SUBMIT_SM | wire.RESPONSE:
                ids.append(receipt_id(wire.read_id(answer.body)))
                if total > 1:
                    receiver.parts.sent(ids[0], ids[-1], total)
                    receiver.arrivals.put_state()

        return note

    async def _submit(
        self,
        account_id: AccountId,
        session: SmppSession,
        body: bytes,
        note: Callable[[wire.Pdu], None],
        ids: list[str],
    ) -> None:
        """Hand one part over; a later part is tried again while the centre asks to wait."""
        before = len(ids)
        for n in range(_PART_TRIES):
            try:
                answer = await session.request(wire.SUBMIT_SM, body, answered=note)
                if len(ids) > before:
                    return
                raise fault_of(answer.status, self._now())
            except faults.OutcomeUnknown:
                raise
            except faults.ChannelFault as fault:
                if not ids:
                    raise
                waits = isinstance(fault, faults.RateLimited | faults.Retryable)
                if not waits or n == _PART_TRIES - 1 or not session.is_open:
                    self._links.receiver(account_id).parts.forget(ids[0])
                    raise faults.OutcomeUnknown(_HALF_SENT) from fault
                await asyncio.sleep(_PART_PAUSE_S)
