"""Rehearses rotation, restore and move on real backend processes, under one client that runs on.

They never sign by hand: the backend is operated by its own commands alone.
"""

from __future__ import annotations

import os
import shutil
import time

import pytest

from app.core import Core
from app.domain.archive import Finding
from app.domain.drafts import Draft
from app.domain.timeline import TimelineRow
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.errors import ProblemReply
from backend_client.transport import Transport
from contract.ids import ConversationId, MessageId, uuid7
from contract.receipts.checkpoints import parse_checkpoint
from contract.receipts.notes import split_note
from contract.wire import Channel, SubmitMessage
from tests.app.archive.real_backend import Real, pins
from tests.app.core_world import conversation_on, row_when
from tests.support.log_guard import LogGuard
from tests.support.served_backend import SECRET, ServedBackend, verify_archive
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


async def test_restored_backend_that_overtook_a_client_is_synced_anew(
    real: Real, expect_log: LogGuard
) -> None:
    """The client comes back when the restored backend has gone further than it was before."""
    expect_log("restored from a back-up", logger="app.sync.reference")
    keys = await first_look(real)
    async with real.core(**keys) as core:
        chat = (await sent(core, "kept")).message.conversation_id
        real.backend.stop()
        backup = real.folder / "backup"
        shutil.copytree(real.backend.data_dir, backup)
        real.restart()
        lost = [await sent(core, f"lost {number}") for number in range(3)]
        seen, reached = core.proofs.tree, await core.store.cache.cursor()
        assert seen is not None and reached is not None
        real.backend.stop()
        queued = await core.messaging.send(chat, "queued")
        draft = Draft(chat, "a draft", saved_at_utc_ms=time.time_ns() // 1_000_000)
        await core.store.drafts.save(draft)
        shutil.rmtree(real.backend.data_dir)
        backup.rename(real.backend.data_dir)
        await real.operate("state-restore", "--seen-size", str(seen.size))
        real.backend.start()  # the relay still leads to where nobody listens
        overtaken = await overtake(real, chat, reached)
        real.relay.port = real.backend.port
        await row_when(core, overtaken, lambda row: row.message.archive is not None)
        await row_when(core, queued, lambda row: row.verified)
        for row in lost:
            assert await core.store.timeline.message(row.message.message_id) is None
        assert await core.store.drafts.get(chat) == draft
        assert core.status.archive_alarm is None
    real.backend.stop()
    assert verify_archive(real.backend.data_dir)["ok"]


async def overtake(real: Real, chat: ConversationId, reached: int) -> MessageId:
    """Write past a client that does not see it until its position is overtaken; return the last."""
    transport = Transport(BackendEndpoint(f"http://127.0.0.1:{real.backend.port}", SECRET))
    api = GovernedApi(transport)
    try:
        while True:
            now_utc_ms = time.time_ns() // 1_000_000
            written = SubmitMessage(
                message_id=MessageId(uuid7(now_utc_ms, os.urandom(10))),
                revision=1,
                text="written elsewhere",
                salt=os.urandom(32).hex(),
                composed_at_utc_ms=now_utc_ms,
            )
            await api.commands.submit(chat, written)
            if (await api.inbox.positions(0)).seq > reached:
                return written.message_id
    finally:
        await transport.close()


async def holds_entries(backend: ServedBackend) -> bool:
    """Tell whether a backend's log shows an entry: before that there is nothing to move to."""
    transport = Transport(BackendEndpoint(f"http://127.0.0.1:{backend.port}", SECRET))
    try:
        note = await GovernedApi(transport).archive.checkpoint()
    except ProblemReply:
        return False
    finally:
        await transport.close()
    return parse_checkpoint(split_note(note).text).size > 0


async def test_move_to_another_backend_under_a_running_client(real: Real) -> None:
    keys = await first_look(real)
    with ServedBackend(real.folder / "elsewhere") as elsewhere:
        await eventually(lambda: holds_entries(elsewhere), "an entry in the other log")
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
