"""A line that is cut, slow, silent or garbled between client and backend.

It does not break the backend itself.
"""

from __future__ import annotations

import asyncio

import pytest

from app.core import Core
from app.domain.status import Link
from tests.support.core_side import all_done, conversation_of, linked, on_screen, sent_texts, shown
from tests.support.log_guard import LogGuard
from tests.support.sandbox_face import SandboxFace
from tests.support.served_backend import ServedBackend, archived_submissions, verify_archive
from tests.support.tcp_proxy import TcpProxy

# No key and no echo: a submission taken twice would show as a message delivered twice.
TITLE = "Sofia Marin"
# Within the request line, the headers, the body; then within the answer's.
CUTS_UP = (0, 1, 60, 350, 600, 900)
CUTS_DOWN = (0, 1, 40, 200, 500, 900)


async def received(face: SandboxFace) -> list[str]:
    """Return the texts on the clients' phones."""
    return [line.text for line in await asyncio.to_thread(face.received)]


async def test_texts_wait_out_a_cut_line_and_arrive_once_in_order(
    core: Core, line: TcpProxy, face: SandboxFace
) -> None:
    here = await conversation_of(core, TITLE)
    await linked(core, Link.ONLINE)
    assert "Offline" not in on_screen(core)
    line.cut()
    texts = [f"written without a line {n} #silent" for n in range(5)]
    for text in texts:
        await core.messaging.send(here, text)
    await linked(core, Link.OFFLINE)
    assert "Offline since" in on_screen(core)
    await shown(core, "5 messages will be sent when the connection is back")
    assert (await sent_texts(core, here))[-5:] == texts
    line.restore()
    await all_done(core, here, *texts)
    await linked(core, Link.ONLINE)
    assert "Offline" not in on_screen(core)
    assert (await sent_texts(core, here))[-5:] == texts
    assert await received(face) == texts


@pytest.mark.slow
async def test_a_line_cut_at_any_place_of_a_submission_repeats_nothing(
    core: Core, line: TcpProxy, face: SandboxFace, served: ServedBackend
) -> None:
    here = await conversation_of(core, TITLE)
    texts = []
    cuts = [(up, None) for up in CUTS_UP] + [(None, down) for down in CUTS_DOWN]
    for n, (up, down) in enumerate(cuts):
        texts.append(f"cut {n} #silent")
        line.cut_after(up_bytes=up, down_bytes=down)
        await core.messaging.send(here, texts[-1])
        await all_done(core, here, texts[-1])
    assert await received(face) == texts
    assert (await sent_texts(core, here))[-len(texts) :] == texts
    await asyncio.to_thread(served.stop)
    assert verify_archive(served.data_dir)["ok"]
    archived = [entry.text for entry in archived_submissions(served.data_dir)]
    assert archived[-len(texts) :] == texts


async def test_a_slow_line_only_takes_longer(core: Core, line: TcpProxy, face: SandboxFace) -> None:
    here = await conversation_of(core, TITLE)
    await linked(core, Link.ONLINE)
    line.slow(4_000)
    await core.messaging.send(here, "drop by drop #silent")
    await all_done(core, here, "drop by drop #silent")
    assert await received(face) == ["drop by drop #silent"]
    assert "Offline" not in on_screen(core)


async def test_a_line_that_stands_still_keeps_the_text_and_goes_on(
    core: Core, line: TcpProxy, face: SandboxFace
) -> None:
    here = await conversation_of(core, TITLE)
    await linked(core, Link.ONLINE)
    line.stall()
    moved = line.bytes_up
    await core.messaging.send(here, "held up #silent")
    assert (await sent_texts(core, here))[-1] == "held up #silent"
    assert await received(face) == []
    assert line.bytes_up == moved
    line.restore()
    await all_done(core, here, "held up #silent")
    assert await received(face) == ["held up #silent"]


async def test_garbled_answers_are_never_believed_and_nothing_goes_twice(
    core: Core, line: TcpProxy, face: SandboxFace, expect_log: LogGuard
) -> None:
    expect_log("snapshot is due|not refreshed|not read", logger="app", required=False)
    here = await conversation_of(core, TITLE)
    await linked(core, Link.ONLINE)
    line.garble()
    await core.messaging.send(here, "through noise #silent")
    await linked(core, Link.OFFLINE)
    assert "Offline since" in on_screen(core)
    waiting = await core.store.outbox.list_waiting(here)
    assert [entry.text for entry in waiting] == ["through noise #silent"]
    line.restore()
    await all_done(core, here, "through noise #silent")
    await linked(core, Link.ONLINE)
    assert await received(face) == ["through noise #silent"]
