"""A full disk under the client's store, and one under the backend's archive.

It never fills a disk anyone else uses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.drafts import Draft
from app.domain.errors import DiskFull
from app.domain.status import Link
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
from tests.support.served_backend import SECRET, ServedBackend
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually
from ui.models.sentences import sentence_of

TITLE = "Sofia Marin"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount a small disk."""
    with small_disk(tmp_path / "disk", 24) as mounted:
        yield mounted


async def test_a_full_disk_of_the_client_loses_no_text_and_says_so(
    disk: SmallDisk,
    line: TcpProxy,
    face: SandboxFace,
    expect_log: LogGuard,
    caplog: pytest.LogCaptureFixture,
) -> None:
    expect_log("outbox.*disk_full", logger="app.outbox", required=False)
    expect_log("sync: disk_full", logger="app.sync")
    # Whatever else happens to write just then says the same.
    expect_log("disk_full", logger="app", required=False)
    expect_log("archive watch: disk_full", logger="app.archive", required=False)

    async def sync_waits() -> bool:
        return "sync: disk_full" in caplog.text

    async def knows_policy() -> bool:
        return bool(core.status.policy_version)

    core = client_of(disk.folder / "client", line)
    await core.open()
    await core.connect()
    try:
        here = await conversation_of(core, TITLE)
        await linked(core, Link.ONLINE)
        await eventually(knows_policy, "the policy to be in force, and kept")
        await core.messaging.save_draft(Draft(here, "first words"))
        disk.fill()
        with pytest.raises(DiskFull) as refused:
            for n in range(200):  # what the log file still has room for goes
                await core.messaging.send(here, f"into the full disk {n:03} #silent")
        assert "The disk is full. Free some space" in sentence_of(refused.value)
        taken = [f"into the full disk {k:03} #silent" for k in range(n)]
        questions = [f"are you there? {k:02} " + "x" * 8_000 for k in range(30)]
        for question in questions:
            await asyncio.to_thread(face.client_says, "con-sofia", question)
        await shown(core, "The disk is full. Free some space")
        await eventually(sync_waits, "events that no longer fit")
        assert "Offline" not in on_screen(core)
        disk.clear()
        core.messaging.retry_now()
        await core.messaging.send(here, "room again #silent")
        await all_done(core, here, *taken, "room again #silent")

        async def heard() -> bool:
            texts = [row.message.text for row in await rows_of(core, here)]
            return [text for text in texts if text in questions] == questions

        await eventually(heard, "each question once, in order")

        async def quiet() -> bool:
            return "disk is full" not in on_screen(core)

        await eventually(quiet, "the sentence to go")
        received = [each.text for each in await asyncio.to_thread(face.received)]
        assert received == [*taken, "room again #silent"]
        assert (await sent_texts(core, here))[-len(received) :] == received
    finally:
        await core.close()


async def test_a_full_disk_of_the_backend_makes_texts_wait(
    tmp_path: Path, disk: SmallDisk, expect_log: LogGuard
) -> None:
    expect_log(".*", logger="app", required=False)
    with ServedBackend(disk.folder / "backend") as served, TcpProxy(served.port) as line:
        core = client_of(tmp_path / "client", line)
        await core.open()
        await core.connect()
        try:
            here = await conversation_of(core, TITLE)
            await linked(core, Link.ONLINE)
            disk.fill()
            texts = [f"while the archive is full {n} #silent" + "x" * 1500 for n in range(8)]
            for text in texts:
                await core.messaging.send(here, text)

            async def waits() -> bool:
                waiting = await core.store.outbox.list_waiting(here)
                return any(entry.problem_code == "backend_fault" for entry in waiting)

            await eventually(waits, "a submission to be told that it has to wait")
            assert served.child.alive
            disk.clear()
            core.messaging.retry_now()
            await all_done(core, here, *texts)
            face = SandboxFace(f"http://127.0.0.1:{served.port}", SECRET)
            assert [each.text for each in await asyncio.to_thread(face.received)] == texts
        finally:
            await core.close()
