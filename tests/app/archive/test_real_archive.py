"""Shows verification and alarms on the real backend with its log and its witness process.

They change answers on their way or put old files in place, never the code of either side.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from pathlib import Path

import msgspec
import pytest

from app.core import Core
from app.diagnostics.checks import run_checks
from app.diagnostics.results import CheckStatus
from app.domain.archive import AlarmKind, Finding
from app.domain.drafts import CheckedDraft
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.transport import Transport
from contract import api, wire
from contract.ids import ConversationId
from contract.policy.model import Action
from contract.receipts.checkpoints import Checkpoint, parse_checkpoint
from contract.receipts.notes import split_note
from contract.receipts.saved import verify_saved
from contract.receipts.statements import Restore, sign_statement
from contract.states import DeliveryState, OutboxState
from contract.wire import Channel
from tests.app.archive.logged_backend import RECOVERY
from tests.app.archive.real_backend import Real, pins
from tests.app.core_world import conversation_on, holds, row_when
from tests.support.log_guard import LogGuard
from tests.support.served_backend import SECRET
from tests.support.surroundings import ROOT
from tests.support.waiting import eventually
from ui.models.message_words import Setting, own_footer

REFUSED = "Please charge my card 4111 1111 1111 1111."

pytestmark = pytest.mark.slow


async def _shown(real: Real) -> Checkpoint:
    """Return the tree the backend shows now, as whoever restored it would note it."""
    transport = Transport(BackendEndpoint(url=real.url, token=SECRET))
    try:
        note = await GovernedApi(transport).archive.checkpoint()
    finally:
        await transport.close()
    return parse_checkpoint(split_note(note).text)


async def _checked_offline(folder: Path, saved: bytes) -> int:
    """Return what the command line says of a saved receipt, with that file and nothing else."""
    file = folder / "saved.parley-receipt"
    file.write_bytes(saved)
    done = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "backend", "archive", "verify-receipt", str(file)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return await done.wait()


def _action_of(core: Core, chat: ConversationId) -> str:
    """Return what the rules say now of a text in which nothing is found."""
    decision = core.desk.decide(CheckedDraft(chat, "real"))
    assert decision is not None and decision.action in {Action.ALLOW, Action.HINT}
    return str(decision.action.value)


async def test_sends_verify_and_the_saved_receipt_proves_them_offline(real: Real) -> None:
    async with real.core() as core:
        chat = await conversation_on(core, Channel.LINE)
        await core.open_conversation(chat)
        await holds(lambda: core.desk.decide(CheckedDraft(chat, "real")) is not None)
        # Late at the client's place the rules of quiet hours give a hint.
        expected = {_action_of(core, chat)}
        for number in range(5):
            sent = await core.messaging.send(chat, f"real {number}")
        expected.add(_action_of(core, chat))
        row = await row_when(core, sent, lambda row: row.verified)
        view = await core.proofs.receipts.check(row.message)
        assert view.finding is Finding.VERIFIED and view.own_leaf
        assert view.policy_version and view.policy_action in expected
        proven, _ = verify_saved(view.saved)
        assert row.message.archive is not None
        assert proven.leaf_index == row.message.archive.index
        assert await _checked_offline(real.folder, view.saved) == 0
        assert await _checked_offline(real.folder, view.saved.replace(b"index ", b"index 1")) == 1
        results = {one.name_key: one async for one in run_checks(core.diagnostics_subject())}
        assert results["check.archive"].status is CheckStatus.OK
        assert results["check.archive"].sentence.endswith("sealed and its proof verified")
        window = await core.store.timeline.around(chat)
        history = next(one for one in window.rows if not one.verified and one.message.archive)
        told = await core.proofs.receipts.check(history.message)
        assert (told.finding, told.decided) == (Finding.VERIFIED, False)
        await row_when(core, history.message.message_id, lambda row: row.verified)


async def test_a_refused_text_is_called_archived_once_its_receipt_is_verified(real: Real) -> None:
    async with real.core() as core:
        chat = await conversation_on(core, Channel.LINE)
        refused = await core.messaging.send(chat, REFUSED)
        row = await row_when(core, refused, lambda row: row.verified)
        assert row.outbox is not None and row.outbox.state is OutboxState.REFUSED
        assert row.message.state is DeliveryState.BLOCKED
        assert "Archived as refused" in [part.text for part in own_footer(row, Setting())]
        view = await core.proofs.receipts.check(row.message)
        assert (view.finding, view.own_leaf) == (Finding.VERIFIED, True)
        assert (view.decided, view.policy_action) == (True, "block")
        assert core.status.archive_alarm is None


async def test_a_bit_flipped_on_the_way_pauses_sending_and_reaches_compliance(
    real: Real, expect_log: LogGuard
) -> None:
    expect_log("archive alarm: receipt", logger="app.archive")

    def flip(path: str, body: bytes) -> bytes:
        at = body.find(b'"receipt":"c2sp')
        if not path.endswith("/messages") or at < 0:
            return body
        place = body.index(b"\\n", body.index(b"index", at)) + 5
        return (
            body[:place] + (b"A" if body[place : place + 1] != b"A" else b"B") + body[place + 1 :]
        )

    async with real.core() as core:
        chat = await conversation_on(core, Channel.LINE)
        await row_when(core, await core.messaging.send(chat, "good"), lambda row: row.verified)
        real.relay.rewrite = flip

        async def at_rest() -> bool:
            return (await core.store.outbox.counts())[0] == 0

        while core.status.archive_alarm is None:
            # Sealed late, its receipt comes by the stream instead, which nobody changes.
            await core.messaging.send(chat, "changed on its way")
            await eventually(at_rest, "the changed answer to leave the lane")
        await holds(
            lambda: core.status.archive_alarm is not None and core.status.archive_alarm.told
        )
        waiting = await core.messaging.send(chat, "must wait")
        assert await core.store.outbox.get(waiting) is not None
        results = {one.name_key: one async for one in run_checks(core.diagnostics_subject())}
        assert results["check.archive"].status is CheckStatus.FAIL
        assert "Sending is paused" in results["check.archive"].sentence


async def test_a_backup_put_in_place_is_found_and_a_signed_restore_lifts_the_alarm(
    real: Real, expect_log: LogGuard
) -> None:
    for words in ("archive alarm", "was followed", "alarm ended"):
        expect_log(words, logger="app.archive")
    for words in ("a snapshot is due", "put back to an earlier day"):
        expect_log(words, logger="app.sync", required=False)
    async with real.core() as core:
        chat = await conversation_on(core, Channel.LINE)
        await row_when(core, await core.messaging.send(chat, "kept"), lambda row: row.verified)
        keys = await pins(core)
    real.backend.stop()
    backup = real.folder / "backup"
    shutil.copytree(real.backend.data_dir, backup)
    real.restart()
    async with real.core(**keys) as core:
        chat = await conversation_on(core, Channel.LINE)
        lost = await row_when(
            core, await core.messaging.send(chat, "lost"), lambda row: row.verified
        )
        assert lost.message.archive is not None
    real.backend.stop()
    shutil.rmtree(real.backend.data_dir)
    backup.rename(real.backend.data_dir)
    real.restart()
    restored = await _shown(real)
    async with real.core(**keys) as core:
        await holds(lambda: core.status.archive_alarm is not None)
        alarm = core.status.archive_alarm
        assert alarm is not None and alarm.kind in {
            AlarmKind.ROLLBACK,
            AlarmKind.FORK,
            AlarmKind.GAP,
        }
        waiting = await core.messaging.send(chat, "after the restore")
        statement = Restore(
            restored.origin,
            time.time_ns() // 1_000_000,
            restored.size,
            restored.root,
            ((restored.size, alarm.seen_size + 1),),
        )
        signed = msgspec.json.encode(
            wire.ArchiveStatements(statements=(sign_statement(statement, (RECOVERY,)).decode(),))
        )
        real.relay.rewrite = lambda path, body: signed if path == api.ARCHIVE_STATEMENTS else body
        await row_when(core, waiting, lambda row: row.verified)
        assert core.status.archive_alarm is None


async def test_a_rotated_log_key_is_followed_by_a_client_that_pins_the_old_one(
    real: Real, expect_log: LogGuard
) -> None:
    expect_log("was followed", logger="app.archive")
    async with real.core() as core:
        chat = await conversation_on(core, Channel.LINE)
        old = await row_when(core, await core.messaging.send(chat, "old"), lambda row: row.verified)
        keys = await pins(core)
    real.backend.stop()
    await real.operate("rotate-log-key")
    real.restart()
    async with real.core(**keys) as core:
        await row_when(core, await core.messaging.send(chat, "new"), lambda row: row.verified)
        assert core.status.archive_alarm is None
        shown = (await core.api.workspace.capabilities()).archive
        assert shown is not None and shown.log_key != keys["LogVerifierKey"]
        assert (await core.proofs.receipts.check(old.message)).finding is Finding.VERIFIED
