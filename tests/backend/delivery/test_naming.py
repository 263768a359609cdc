"""Names are asked for once, and no message waits for one longer than it must.

It never reaches a vendor: a small one on the other side of the protocol answers.
"""

from __future__ import annotations

import asyncio

import pytest

from backend.channels import events, faults
from backend.channels.contract import Account, Names, Polled, RawItem
from backend.delivery import naming
from backend.delivery.naming import NameBook
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass

ACCOUNT = Account(
    account_id=AccountId("a-1"),
    channel=Channel.LINE,
    connector="line",
    idempotency=IdempotencyClass.NONE,
)


class Nameless:
    """A vendor whose events tell no names; `answers` are what it says, one after the other."""

    def __init__(self, *answers: Names | faults.ChannelFault | None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._answers = list(answers)

    async def names_of(self, account: Account, address: str, chat: str) -> Names:
        self.asked.append((address, chat))
        answer = self._answers.pop(0)
        if isinstance(answer, Names):
            return answer
        if answer is None:
            await asyncio.Event().wait()
        raise answer or faults.Retryable("No answer came.")

    def verify(self, account: Account, item: RawItem) -> bool:
        return True

    def parse(self, account: Account, raw: bytes) -> tuple[events.InboundEvent, ...]:
        return ()

    async def poll(self, account: Account, cursor: str) -> Polled:
        return Polled(items=(), cursor=cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        return b""


def said(name: str = "", chat: str = "") -> events.MessageIn:
    """Return a client's message."""
    return events.MessageIn(
        dedupe_key="1",
        at_utc_ms=1,
        sender=events.Sender(id_type="line_id", address="U1", name=name),
        external_id="1",
        text="hi",
        chat=chat,
    )


async def test_a_name_is_asked_for_once_and_a_told_one_never() -> None:
    vendor, book = Nameless(Names("Ada"), Names("Ada", "Family")), NameBook()
    for _ in range(3):
        (event,) = await book.told(vendor, ACCOUNT, (said(),))
        assert event.sender.name == "Ada"
    (told,) = await book.told(vendor, ACCOUNT, (said("Ben"),))
    assert told.sender.name == "Ben"
    (grouped,) = await book.told(vendor, ACCOUNT, (said(chat="C1"),))
    assert isinstance(grouped, events.MessageIn)
    assert grouped.chat_name == "Family"
    assert vendor.asked == [("U1", ""), ("U1", "C1")]


async def test_a_message_goes_on_without_a_name_and_asks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(naming, "ASKED_FOR_AT_MOST_S", 0.01)
    vendor = Nameless(faults.Retryable("Away."), None, Names("Ada"))
    book, names = NameBook(), []
    for _ in range(3):
        (event,) = await book.told(vendor, ACCOUNT, (said(),))
        names.append(event.sender.name)
    assert names == ["", "", "Ada"]
