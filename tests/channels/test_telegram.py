"""Telegram's connector against telegram-test-api, with a client person on the other side.

It never reaches Telegram itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from backend.channels.contract import Account, Connector
from backend.channels.events import MessageIn
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import attempt, outbound
from tests.backend.channels.making import changed
from tests.channels.peers import NONE_KEPT
from tests.channels.telegram_api import TOKEN, TelegramApi

pytestmark = pytest.mark.timeout(600)
CLIENT = 42
ACCOUNT = Account(
    account_id=AccountId("tg-1"),
    channel=Channel.TELEGRAM,
    connector="telegram",
    idempotency=IdempotencyClass.NONE,
)


class TelegramVendor:
    """The peer with a client person, as our messages are made for."""

    def __init__(self, url: str, http: VendorHttp) -> None:
        self.account, self.now_utc_ms, self.address = ACCOUNT, 1, str(CLIENT)
        self._client = httpx.AsyncClient(base_url=url, timeout=60, limits=NONE_KEPT)
        settings = {"bot_token": TOKEN, "api_url": url}
        context = ChannelContext(lambda _: settings, http, lambda: self.now_utc_ms)
        self.connector: Connector = load_module("telegram").connect(context)

    async def writes(self, text: str) -> None:
        """Let the person write."""
        person = {"id": CLIENT, "first_name": "Ada", "username": "ada", "is_bot": False}
        chat = person | {"type": "private"}
        document = {"botToken": TOKEN, "from": person, "chat": chat, "text": text, "date": 1}
        (await self._client.post("/sendMessage", json=document)).raise_for_status()

    async def received(self) -> list[str]:
        """Return what the person has not read yet."""
        told = await self._client.post("/getUpdates", json={"token": TOKEN, "chatId": CLIENT})
        return [each["message"]["text"] for each in told.json()["result"]]

    async def close(self) -> None:
        """Close the person's connection."""
        await self._client.aclose()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the peer."""
    with TelegramApi(tmp_path_factory.mktemp("telegram")) as api:
        yield api.url


@pytest.fixture
async def vendor(server: str) -> AsyncIterator[TelegramVendor]:
    """Return the connector over the running peer."""
    async with VendorHttp() as http:
        vendor = TelegramVendor(server, http)
        yield vendor
        await vendor.close()


async def test_a_message_reaches_the_person_and_the_answer_comes_back(
    vendor: TelegramVendor,
) -> None:
    sent = await vendor.connector.outbound.send(
        changed(outbound(vendor, "Guten Morgen"), address=str(CLIENT)), attempt()
    )
    assert sent.external_id.startswith(f"{CLIENT}/")
    assert await vendor.received() == ["Guten Morgen"]
    await vendor.writes("明日の約定確認をお願いします")
    async with asyncio.timeout(60):
        polled = await vendor.connector.inbound.poll(ACCOUNT, "")
    (item,) = polled.items
    assert vendor.connector.inbound.verify(ACCOUNT, item)
    (event,) = vendor.connector.inbound.parse(ACCOUNT, item.body)
    assert isinstance(event, MessageIn)
    assert (event.text, event.sender.name) == ("明日の約定確認をお願いします", "Ada")


async def test_messages_arrive_in_order(vendor: TelegramVendor) -> None:
    for n in range(5):
        message = changed(outbound(vendor, f"{n}", n), address=str(CLIENT))
        await vendor.connector.outbound.send(message, attempt(key=f"m-{n}.0"))
    assert await vendor.received() == ["0", "1", "2", "3", "4"]
