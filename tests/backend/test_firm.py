"""A firm's backend as a real process: real connectors on a local vendor, tokens, webhooks, admin.

It never reaches beyond loopback.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.inbox import InboxQuery
from contract.wire import Direction
from tests.app.core_world import new_core, online, row_when
from tests.backend.channels.telegram_peer import TOKEN as BOT_TOKEN
from tests.backend.channels.telegram_peer import TelegramPeer
from tests.channels.peers import free_port
from tests.support.firm_backend import FirmBackend
from tests.support.served_backend import archive_is_sound

pytestmark = pytest.mark.timeout(120)
ANNA = "emp-anna"
APP_SECRET = "an app's secret"
WHATSAPP = {
    "phone_number_id": "1",
    "access_token": "t",
    "app_secret": APP_SECRET,
    "verify_token": "a word",
}
HOOK = "/hooks/whatsapp/acc-wa"
BODY = json.dumps({"object": "whatsapp_business_account", "entry": []}).encode()


async def _until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not look():
            await asyncio.sleep(0.02)


@dataclass
class Firm:
    """A running firm with one employee and a bot at a local vendor."""

    backend: FirmBackend
    peer: TelegramPeer
    token: str


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[FirmBackend]:
    """Make a firm whose backend does not run."""
    with FirmBackend(tmp_path / "firm", port=free_port()) as backend:
        yield backend


@pytest.fixture
def firm(bare: FirmBackend) -> Iterator[Firm]:
    """Run a firm with a Telegram bot."""
    peer = TelegramPeer()
    with peer.server as server:
        token = bare.add_employee(ANNA, "Anna Keller")
        bot = {"bot_token": BOT_TOKEN, "api_url": server.url}
        bare.add_channel("telegram", "acc-tg", bot, "--member", ANNA)
        bare.start()
        yield Firm(bare, peer, token)
        bare.kill()


async def test_a_client_writes_and_is_answered_through_a_firms_backend(
    firm: Firm, tmp_path: Path
) -> None:
    """From the vendor into a client's inbox, and back, with receipts verified."""
    keys, peer = firm.backend.client_settings(), firm.peer
    core = new_core(tmp_path / "app", endpoint=firm.backend.endpoint(firm.token), **keys)
    try:
        await core.open()
        await core.connect()
        await online(core)
        assert core.me is not None
        assert (core.me.display_name, core.status.workspace) == ("Anna Keller", "firm")
        peer.writes("Good morning from Ada")
        async with asyncio.timeout(30):
            while not (rows := (await core.store.inbox.page(InboxQuery(), 10)).rows):
                await asyncio.sleep(0.02)
        chat = rows[0].conversation.conversation_id
        message_id = await core.messaging.send(chat, "Good morning, Ada")
        row = await row_when(core, message_id, lambda r: r.message.archive is not None)
        assert row.message.direction is Direction.OUT
        await _until(lambda: "Good morning, Ada" in [each["text"] for each in peer.sent.values()])
    finally:
        await core.close()
    firm.backend.stop()
    assert archive_is_sound(firm.backend.data_dir)
