"""A client's words by WeCom: a callback rings, the pump pulls, and they stand in the inbox once.

It never reaches WeCom: a small one runs on loopback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from starlette.applications import Starlette

from backend.api.hooks import HookDesk, Hooks
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from backend.delivery import naming
from backend.delivery.files import DeliveryFiles
from backend.delivery.pump import InboundPump
from backend.delivery.recorder import InboundRecorder
from backend.storage.tables import channel_accounts
from tests.backend.channels.wechat_peer import AES_KEY, TOKEN, WeComPeer, callback, xml
from tests.backend.workspace import Workspace, open_workspace

CORP = "ww0123456789"
_COUNT = "SELECT count(*) FROM messages WHERE text = '明日の約定確認をお願いします'"


async def test_a_callback_brings_what_the_client_wrote_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "ASKED_FOR_AT_MOST_S", 60.0)  # however slow the machine is
    peer = WeComPeer()
    with peer.server:
        async with open_workspace(tmp_path) as workspace, VendorHttp() as http:
            database = workspace.services.database
            await database.write(
                lambda c: c.execute(
                    update(channel_accounts)
                    .where(channel_accounts.c.account_id == "acc-wa")
                    .values(connector="wecom", channel="wechat", idempotency="server_key")
                )
            )
            settings = {
                "corp_id": CORP,
                "kf_secret": "a secret",
                "open_kfid": "wk1",
                "callback_token": TOKEN,
                "encoding_aes_key": AES_KEY,
                "api_url": peer.server.url,
            }
            context = ChannelContext(lambda _: settings, http, workspace.clock)
            connector = load_module("wecom").connect(context)
            ways = {"wecom": connector.inbound}
            files = DeliveryFiles(database, workspace.services.blobs)
            recorder = InboundRecorder(
                database, ways, files.put, lambda *_: None, lambda *_: None, now=workspace.clock
            )
            pump = InboundPump(database, ways, recorder, now=workspace.clock)
            desk = HookDesk(
                Hooks(database, ways, recorder.wake, workspace.clock, "https://bank.test")
            )
            running = asyncio.create_task(pump.run())
            try:
                await _until(lambda: bool(peer.pulls))
                peer.says("text", text={"content": "明日の約定確認をお願いします"})
                for _ in range(2):
                    assert await _call_back(desk) == 200
                async with asyncio.timeout(60):
                    while not await workspace.scalar(_COUNT):
                        await asyncio.sleep(0.02)
                await _until(lambda: len(peer.pulls) > 1)
                assert [pull.get("token") for pull in peer.pulls][:2] == [None, "ENC1"]
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            assert await _told(workspace) == (1, "external_userid", "王小明")


async def _call_back(desk: HookDesk) -> int:
    said = xml(
        ToUserName=CORP,
        CreateTime=1,
        MsgType="event",
        Event="kf_msg_or_event",
        Token="ENC1",
        OpenKfId="wk1",
    )
    item = callback(said, "https://bank.test/hooks/wecom/acc-wa", CORP)
    transport = httpx.ASGITransport(Starlette(routes=desk.routes()))
    async with httpx.AsyncClient(transport=transport) as client:
        return (await client.post(item.url, content=item.body)).status_code


async def _told(workspace: Workspace) -> tuple[int, str, str]:
    kind = "SELECT id_type FROM contact_points WHERE address = 'wm1'"
    name = (
        "SELECT display_name FROM contacts JOIN contact_points USING (contact_id) "
        "WHERE id_type = 'external_userid'"
    )
    return (
        int(str(await workspace.scalar(_COUNT))),
        str(await workspace.scalar(kind)),
        str(await workspace.scalar(name)),
    )


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)
