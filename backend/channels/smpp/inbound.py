"""The way in over SMPP: clients' texts and delivery receipts of an account's connection.

It never reads a text before its bytes are committed.
"""

from __future__ import annotations

import hashlib

from backend.channels import faults
from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import InboundEvent, MessageIn, Receipt, Sender, Unknown
from backend.channels.smpp import wire
from backend.channels.smpp.alphabet import Part, decode_text, part_of
from backend.channels.smpp.links import SmppLinks
from backend.channels.smpp.receipts import read_receipt
from backend.channels.smpp.settings import shown_number
from backend.channels.webhooks import LONGEST_POLL_S
from contract.ids import AccountId

_ID_TYPE = "phone"
_WAIT_S = LONGEST_POLL_S / 2
_MISSING = " […] "  # stands for a part that never came


class SmppInbound:
    """Serves every SMPP account; it keeps the protocols Inbound, Lifecycle and PerAccount."""

    def __init__(self, links: SmppLinks) -> None:
        self._links = links

    async def start(self) -> None:
        """Let accounts connect; each does when it is first listened to."""
        self._links.start()

    async def stop(self) -> None:
        """Unbind every account."""
        await self._links.stop()

    async def account_changed(self, account_id: AccountId) -> None:
        """Unbind an account whose settings are other ones now, or that is gone."""
        await self._links.forget(account_id)

    def verify(self, account: Account, item: RawItem) -> bool:
        """Tell whether these bytes came over the connection that our password opened."""
        return self._links.receiver(account.account_id).arrivals.is_own(item)

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn the bytes of one text or receipt into its event."""
        try:
            units = wire.split(raw)
            known_as = ""
            if units and units[0].command == wire.NOTE:
                note = units.pop(0)
                if not note.sequence:
                    return ()  # a part's receipt: the others are not in yet
                known_as = wire.read_id(note.body)
            messages = [wire.read_short_message(unit.body) for unit in units]
            if messages and all(unit.command == wire.DELIVER_SM for unit in units):
                if messages[0].is_receipt:
                    return _receipt(messages[0], known_as)
                return (_message(messages, known_as or _identity(raw)),)
        except ValueError:
            pass
        sender = Sender(id_type=_ID_TYPE, address="")
        return (_unknown(_identity(raw), "unreadable", sender),)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return what came since; what the cursor covers is acknowledged to the centre.

        Raises the link's fault while it is down and nothing waits.
        """
        link = await self._links.receiving(account.account_id)
        receiver = self._links.receiver(account.account_id)
        try:
            await link.ready()
        except faults.ChannelFault:
            polled = await receiver.take(cursor, 0)
            if polled.cursor == cursor:
                raise
            return polled
        return await receiver.take(cursor, _WAIT_S)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Refuse: a short message carries no files."""
        raise faults.ContentInvalid("An SMS carries no files.")


def _message(messages: list[wire.ShortMessage], key: str) -> InboundEvent:
    first = messages[0]
    sender = Sender(id_type=_ID_TYPE, address=shown_number(first.source))
    text = _text(messages)
    if not text:
        return _unknown(key, "binary SMS" if text is None else "empty SMS", sender)
    return MessageIn(dedupe_key=key, at_utc_ms=0, sender=sender, external_id=key, text=text)


def _text(messages: list[wire.ShortMessage]) -> str | None:
    """Return the text of all parts; None for what is not text.

    Parts in one alphabet are read together, since one character may lie in two of them.
    """
    parts = [part_of(message) for message in messages]
    first = parts[0][0]
    runs: list[tuple[int, bytes]] = []
    expected = 1
    for message, (part, content) in zip(messages, parts, strict=True):
        number = (part or Part(0, 1, 1)).number
        if number > expected or not runs or runs[-1][0] != message.data_coding:
            gap = number > expected
            runs += [(-1, b"")] if gap else []
            runs.append((message.data_coding, content))
        else:
            runs[-1] = (message.data_coding, runs[-1][1] + content)
        expected = number + 1
    if first is not None and expected <= first.total:
        runs.append((-1, b""))
    texts = [_MISSING if coding < 0 else decode_text(content, coding) for coding, content in runs]
    return None if None in texts else "".join(each or "" for each in texts).strip("\0")


def _receipt(message: wire.ShortMessage, known_as: str) -> tuple[InboundEvent, ...]:
    told = read_receipt(message)
    if told.state is None or not told.message_id:
        return ()
    receipt = Receipt(
        dedupe_key=f"{told.message_id}.{told.stat}",
        at_utc_ms=0,
        sender=Sender(id_type=_ID_TYPE, address=shown_number(message.source)),
        state=told.state,
        external_id=known_as or told.message_id,
        detail=told.detail,
    )
    return (receipt,)


def _unknown(key: str, type_name: str, sender: Sender) -> Unknown:
    return Unknown(
        dedupe_key=key,
        at_utc_ms=0,
        sender=sender,
        type_name=type_name,
        external_id=key if sender.address else "",
    )


def _identity(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]
