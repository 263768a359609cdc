"""Owns what an SMS centre hands over to an account, from its arrival to its acknowledgement.

It never acknowledges a text whose bytes are not committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from backend.channels.arrivals import MOST_WAITING, Arrivals
from backend.channels.contract import Polled
from backend.channels.smpp import wire
from backend.channels.smpp.alphabet import part_of
from backend.channels.smpp.concatenation import MOST_PARTS, HeldText, HeldTexts
from backend.channels.smpp.part_receipts import PartReceipts, SentParts
from backend.channels.smpp.receipts import read_receipt
from backend.channels.smpp.session import SmppSession
from contract.states import DeliveryState

_REPEATED_WITHIN_MS = 10 * 60_000


class _Kept(msgspec.Struct, omit_defaults=True):
    """What a cursor carries: parts that wait for others, on their way in and out."""

    texts: dict[str, HeldText] = {}
    sent: dict[str, SentParts] = {}


def _nothing() -> None:
    """Do nothing once a text is committed: the centre has its answer already."""


class _Handed:
    """One deliver_sm until it is acknowledged."""

    def __init__(self, session: SmppSession, pdu: wire.Pdu, at_utc_ms: int) -> None:
        self.session, self.pdu, self.at_utc_ms = session, pdu, at_utc_ms
        self.digest = hashlib.sha256(pdu.body).digest()
        self.committed = False


class SmppReceiver:
    """The way in of one account."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.arrivals = Arrivals(self._state)
        self.parts = PartReceipts()
        self._texts = HeldTexts()
        self._handed: list[_Handed] = []
        self._number = 0
        self._restored = False

    def delivered(self, session: SmppSession, pdu: wire.Pdu) -> None:
        """Take in a deliver_sm; one too many is answered "queue full", so that it comes again."""
        if self._repeats(session, pdu):
            return
        if len(self._handed) >= MOST_WAITING:
            session.answer(pdu, wire.QUEUE_FULL)
            return
        handed = _Handed(session, pdu, self._now())
        self._handed.append(handed)
        unit = wire.encode(pdu)
        try:
            message = wire.read_short_message(pdu.body)
            part = None if message.is_receipt else part_of(message)[0]
        except ValueError:
            self._put_text(unit, lambda: self._commit(handed))
            return
        if message.is_receipt:
            key, body = self._receipt(message, unit)
            self.arrivals.put(key, body, lambda: self._commit(handed))
        elif part is None or part.total > MOST_PARTS:
            self._put_text(unit, lambda: self._commit(handed))
        elif whole := self._texts.add(message, part, unit, self._now()):
            self._put_text(whole.units(), lambda: self._commit(handed))
        else:
            self.arrivals.put_state(lambda: self._commit(handed))

    async def take(self, cursor: str, wait_s: float) -> Polled:
        """Return what came after a cursor; what the cursor covers is acknowledged."""
        if not self._restored:
            self._restore(self.arrivals.state_of(cursor))
        for text in self._texts.stale(self._now()):
            self._put_text(text.units())
        return await self.arrivals.take(cursor, wait_s)

    def _repeats(self, session: SmppSession, pdu: wire.Pdu) -> bool:
        """Tell whether the centre repeats what it handed to a connection that ended since."""
        self._handed = [
            each
            for each in self._handed
            if each.session.is_open or self._now() - each.at_utc_ms < _REPEATED_WITHIN_MS
        ]
        digest = hashlib.sha256(pdu.body).digest()
        for each in self._handed:
            if each.digest == digest and not each.session.is_open and each.session is not session:
                each.session, each.pdu = session, pdu
                if each.committed:
                    self._commit(each)
                return True
        return False

    def _commit(self, handed: _Handed) -> None:
        handed.committed = True
        if handed.session.answer(handed.pdu) and handed in self._handed:
            self._handed.remove(handed)

    def _receipt(self, message: wire.ShortMessage, unit: bytes) -> tuple[str, bytes]:
        told = read_receipt(message)
        part = self.parts.told(
            told.message_id,
            delivered=told.state is DeliveryState.DELIVERED,
            failed=told.state is DeliveryState.FAILED,
        )
        key = f"{told.message_id}.{told.stat}" if told.message_id else self._key(unit)
        return key, unit if part is None else wire.note(part.whole_id, final=part.final) + unit

    def _put_text(self, units: bytes, settled: Callable[[], None] = _nothing) -> None:
        """Add a text under an id of ours: a centre gives it none, and counts anew each time."""
        key = self._key(units)
        self.arrivals.put(key, wire.note(key, final=True) + units, settled)

    def _key(self, body: bytes) -> str:
        self._number += 1
        digest = hashlib.sha256(body).hexdigest()[:24]
        return f"{digest}.{self._now()}.{self._number}"

    def _state(self) -> str:
        kept = _Kept(self._texts.open, self.parts.open)
        return msgspec.json.encode(kept).decode() if kept.texts or kept.sent else ""

    def _restore(self, state: str) -> None:
        self._restored = True
        try:
            kept = msgspec.json.decode(state or "{}", type=_Kept)
        except msgspec.DecodeError:
            return
        for text in self._texts.restore(kept.texts):
            self._put_text(text.units())
        self.parts.open = kept.sent | self.parts.open
