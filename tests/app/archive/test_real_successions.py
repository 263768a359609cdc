"""Rehearses rotation, restore and move on real backend processes, under one client that runs on.

They never sign by hand: the backend is operated by its own commands alone.
"""

from __future__ import annotations

import shutil

import pytest

from app.core import Core
from app.domain.archive import Finding
from app.domain.timeline import TimelineRow
from contract.ids import ConversationId
from contract.wire import Channel
from tests.app.archive.real_backend import Real, pins
from tests.app.core_world import conversation_on, row_when
from tests.support.log_guard import LogGuard
from tests.support.served_backend import ServedBackend, verify_archive
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def followed(expect_log: LogGuard) -> None:
    """Expect that a statement is followed, and what a backend that goes away leaves in the log."""
    expect_log("was followed", logger="app.archive")
    expect_log("", logger="app.sync", required=False)


async def sent(core: Core, text: str, other_than: ConversationId | None = None) -> TimelineRow:
    """Send a text and return its row once its receipt is verified here.

    After a move the cache is made anew: the conversation written in is another one then.
    """

    async def open_chat() -> ConversationId | None:
        try:
            found = await conversation_on(core, Channel.LINE)
        except AssertionError:
            return None
        return None if found == other_than else found

    chat = await eventually(open_chat, "a conversation to write in")
    assert chat is not None
    message_id = await core.messaging.send(chat, text)
    row = await row_when(core, message_id, lambda row: row.verified)
    assert core.status.archive_alarm is None
    return row


async def first_look(real: Real) -> dict[str, object]:
    """Return the settings by which IT pins the log of the backend that runs."""
    async with real.core() as core:
        return await pins(core)


async def test_rotation_under_a_running_client(real: Real) -> None:
    keys = await first_look(real)
    async with real.core(**keys) as core:
        old = await sent(core, "before")
        real.backend.stop()
        told = await real.operate("rotate-log-key")
        real.restart()
        await sent(core, "after")
        shown = (await core.api.workspace.capabilities()).archive
        assert shown is not None and shown.log_key == told["new_key"]
        assert (await core.proofs.receipts.check(old.message)).finding is Finding.VERIFIED
    real.backend.stop()
    assert verify_archive(real.backend.data_dir)["ok"]


async def test_restore_under_a_running_client(real: Real) -> None:
    keys = await first_look(real)
    real.backend.stop()
    backup = real.folder / "backup"
    shutil.copytree(real.backend.data_dir, backup)
    real.restart()
    async with real.core(**keys) as core:
        for number in range(3):
            await sent(core, f"lost {number}")
        seen = core.proofs.tree
        assert seen is not None
        real.backend.stop()
        shutil.rmtree(real.backend.data_dir)
        backup.rename(real.backend.data_dir)
        told = await real.operate("state-restore", "--seen-size", str(seen.size))
        assert told["lost"] == [[told["size"], seen.size]]
        real.restart()
        await sent(core, "after the restore")
        now = core.proofs.tree
        assert now is not None and now.size > told["size"]
    real.backend.stop()
    assert verify_archive(real.backend.data_dir)["ok"]


async def test_move_to_another_backend_under_a_running_client(real: Real) -> None:
    keys = await first_look(real)
    with ServedBackend(real.folder / "elsewhere") as elsewhere:
        elsewhere.stop()
        async with real.core(**keys) as core:
            old = await sent(core, "before")
            shown = (await core.api.workspace.capabilities()).archive
            assert shown is not None
            real.backend.stop()
            real.backend = elsewhere
            told = await real.operate("state-move", "--from-origin", shown.origin)
            real.restart()

            async def moved() -> bool:
                tree = core.proofs.tree
                return tree is not None and tree.origin == told["new_key"].split("+")[0]

            await eventually(moved, "the client to follow the move")
            await sent(core, "after", other_than=old.message.conversation_id)
            noted = await core.store.archive.verified(old.message.message_id)
            assert noted is not None, "what was verified stays verified"
        elsewhere.stop()
        assert verify_archive(elsewhere.data_dir)["ok"]
