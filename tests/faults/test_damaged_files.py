"""A damaged cache and a damaged outbox file, at the start and while Parley runs.

It does not damage the backend.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from pathlib import Path

import pytest

from app.core import Core
from app.domain.drafts import Draft
from app.domain.status import Link
from contract.ids import ConversationId
from tests.faults.conftest import client_of
from tests.support.core_side import (
    all_done,
    conversation_of,
    linked,
    on_screen,
    rows_of,
    sent_texts,
    shown,
)
from tests.support.log_guard import LogGuard
from tests.support.sandbox_face import SandboxFace
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

TITLE = "Sofia Marin"
PAGE_BYTES = 4096


def overwrite(path: Path, pages: range) -> None:
    """Write noise over some pages of a file."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE_BYTES)
            file.write(os.urandom(PAGE_BYTES))


async def reopened(root: Path, line: TcpProxy) -> Core:
    """Return a core started anew on the same folders."""
    core = client_of(root, line)
    await core.open()
    await core.connect()
    return core


async def texts_shown(core: Core, here: ConversationId) -> list[str]:
    """Return all texts of a timeline."""
    return [row.message.text for row in await rows_of(core, here)]


@pytest.mark.parametrize("first_page", [0, 3])
async def test_a_cache_damaged_on_disk_is_kept_aside_and_read_anew(
    tmp_path: Path, line: TcpProxy, face: SandboxFace, first_page: int, expect_log: LogGuard
) -> None:
    expect_log(".*", logger="app.store", required=False)
    root = tmp_path / "client"
    core = await reopened(root, line)
    here = await conversation_of(core, TITLE)
    await core.messaging.send(here, "before the damage #silent")
    await all_done(core, here, "before the damage #silent")
    before = await texts_shown(core, here)
    line.cut()
    await core.messaging.send(here, "waiting meanwhile #silent")
    await core.messaging.save_draft(Draft(here, "half a thought"))
    await core.close()
    cache = root / "data" / "cache.db"
    overwrite(cache, range(first_page, cache.stat().st_size // PAGE_BYTES))
    line.restore()
    again = await reopened(root, line)
    try:
        await shown(again, "local copy was damaged. It was kept aside as cache-")
        assert list((root / "data").glob("cache-*.db"))
        await linked(again, Link.ONLINE)
        here = await conversation_of(again, TITLE)
        await all_done(again, here, "before the damage #silent", "waiting meanwhile #silent")
        assert await texts_shown(again, here) == [*before, "waiting meanwhile #silent"]
        draft = await again.store.drafts.get(here)
        assert draft is not None and draft.text == "half a thought"
        received = [each.text for each in await asyncio.to_thread(face.received)]
        assert received == ["before the damage #silent", "waiting meanwhile #silent"]
    finally:
        await again.close()


async def test_a_cache_damaged_while_it_is_open_is_read_anew_and_named(
    tmp_path: Path, line: TcpProxy, face: SandboxFace, expect_log: LogGuard
) -> None:
    expect_log(".*", logger="app", required=False)
    root = tmp_path / "client"
    core = await reopened(root, line)
    try:
        here = await conversation_of(core, TITLE)
        await linked(core, Link.ONLINE)
        before = await texts_shown(core, here)
        cache = root / "data" / "cache.db"
        wal = cache.with_name("cache.db-wal")
        # What the process holds in memory hides the damage until it has to read again.
        overwrite(cache, range(1, cache.stat().st_size // PAGE_BYTES))
        overwrite(wal, range(1, wal.stat().st_size // PAGE_BYTES))

        async def noticed() -> bool:
            await asyncio.to_thread(face.client_says, "con-sofia", "hello?")
            await core.store.search.search("damage")
            return "kept aside as cache-" in on_screen(core)

        await eventually(noticed, "the damage to be met and named")
        await core.messaging.send(here, "after the damage #silent")
        await all_done(core, here, "after the damage #silent")

        async def whole() -> bool:
            return (await texts_shown(core, here))[: len(before)] == before

        await eventually(whole, "the history to be back")
        assert [each.text for each in face.received()] == ["after the damage #silent"]
    finally:
        await core.close()


async def test_a_damaged_outbox_sends_what_can_be_read_and_names_the_rest(
    tmp_path: Path, line: TcpProxy, face: SandboxFace, expect_log: LogGuard
) -> None:
    expect_log(".*", logger="app.store", required=False)
    root = tmp_path / "client"
    core = await reopened(root, line)
    here = await conversation_of(core, TITLE)
    await linked(core, Link.ONLINE)
    history = await sent_texts(core, here)
    line.cut()
    words = random.Random(7)
    texts = [
        f"waiting {n:02} #silent " + "".join(words.choices("abcdefgh ", k=900)) for n in range(40)
    ]
    for text in texts:
        await core.messaging.send(here, text)
    await core.close()
    outbox = root / "outbox" / "outbox.db"
    pages = outbox.stat().st_size // PAGE_BYTES
    overwrite(outbox, range(pages // 4, pages * 3 // 4))
    line.restore()
    again = await reopened(root, line)
    try:
        await shown(again, "Part of the waiting messages could not be read")
        said = on_screen(again)
        counts = re.search(r"(\d+) of (\d+) submissions", said)
        assert counts is not None and counts[2] == "40", said
        readable = int(counts[1])
        assert 0 < readable < 40
        assert len(list((root / "outbox").glob("outbox-*.db"))) == 1, "the original is kept"

        async def all_sent() -> bool:
            return not await again.store.outbox.list_waiting()

        await eventually(all_sent, "all that could be read to be sent")
        got = [text for text in await sent_texts(again, here) if text not in history]
        await all_done(again, here, *got)
        assert len(got) == readable
        assert got == [text for text in texts if text in set(got)], "each once, in order"
        assert [each.text for each in face.received()] == got
    finally:
        await again.close()


async def test_an_outbox_without_its_first_page_is_kept_named_and_replaced(
    tmp_path: Path, line: TcpProxy, face: SandboxFace, expect_log: LogGuard
) -> None:
    expect_log(".*", logger="app.store", required=False)
    root = tmp_path / "client"
    core = await reopened(root, line)
    here = await conversation_of(core, TITLE)
    await linked(core, Link.ONLINE)
    line.cut()
    await core.messaging.send(here, "lost with its page #silent")
    await core.close()
    overwrite(root / "outbox" / "outbox.db", range(1))
    line.restore()
    again = await reopened(root, line)
    try:
        await shown(again, "Part of the waiting messages could not be read")
        (aside,) = (root / "outbox").glob("outbox-*.db")
        assert aside.name in on_screen(again)
        await again.messaging.send(here, "written on a new page #silent")
        await all_done(again, here, "written on a new page #silent")
        received = [each.text for each in await asyncio.to_thread(face.received)]
        assert received[-1] == "written on a new page #silent"
    finally:
        await again.close()
