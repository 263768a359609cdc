"""Shows the whole client without a window on its embedded backend: open, send, survive, close.

It does not test one room's own rules.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import psutil
import pytest

from app.core import Core
from app.domain.changes import ChangeSet
from app.domain.drafts import CheckedDraft, Draft
from app.domain.errors import EnvironmentFault, PassphraseWrong, Refused, StoreBusy
from app.domain.status import CoreStatus, Link
from backend_client.endpoint import BackendEndpoint
from contract.ids import ConversationId, MessageId
from contract.policy.model import Action
from contract.states import DeliveryState, OutboxState
from contract.wire import Channel, Direction
from tests.app.core_world import (
    HoldableClock,
    contents_below,
    conversation_on,
    holds,
    new_core,
    online,
    paths_in,
    row_when,
    running_core,
)
from tests.support.log_guard import LogGuard
from tests.support.waiting import eventually

CARD = "My card is 4111 1111 1111 1111"


async def _serving_pid(folder: Path) -> int:
    """Return the backend that serves this test's folder, beside its witness."""

    async def look() -> list[int]:
        # One that is just being started shows its parent's command for a moment.
        serving = [pid for pid, words in _backends(folder).items() if "serve" in words]
        return serving if len(serving) == 1 else []

    (pid,) = await eventually(look, "one backend that serves")
    return pid


def _backend_pids(folder: Path) -> list[int]:
    """Return the processes of the backend over this test's folder, its witness included."""
    return list(_backends(folder))


def _backends(folder: Path) -> dict[int, list[str]]:
    """Return their commands by process id."""
    found = {}
    for child in psutil.Process().children(recursive=True):
        try:
            words = child.cmdline()
        except psutil.Error:
            continue
        if str(folder) in " ".join(words):
            found[child.pid] = words
    return found


async def test_a_message_is_archived_delivered_read_and_answered(tmp_path: Path) -> None:
    """The main job, on real parts, from the first sync to the client's answer."""
    changes: list[ChangeSet] = []
    typing: list[tuple[ConversationId, bool]] = []
    async with running_core(tmp_path) as core:
        assert core.me is not None
        assert core.status.workspace == "sample"
        assert core.status.embedded
        core.subscribe_changes(changes.append)
        core.subscribe_typing(lambda conversation_id, on: typing.append((conversation_id, on)))
        chat = await conversation_on(core, Channel.WHATSAPP)
        await core.open_conversation(chat)
        message_id = await core.messaging.send(chat, "Good morning, shall we talk tomorrow?")
        archived = await row_when(core, message_id, lambda row: row.message.archive is not None)
        assert archived.message.direction is Direction.OUT
        # It may have been read before its receipt is verified here.
        await row_when(
            core,
            message_id,
            lambda row: row.message.state is DeliveryState.READ and row.outbox is None,
        )
        async with asyncio.timeout(60):
            while (await core.store.timeline.around(chat)).rows[-1].message.direction is not (
                Direction.IN
            ):
                await asyncio.sleep(0.02)
        assert core.status.last_archived_utc_ms > 0
        assert core.status.latency_ms > 0
        assert any(message_id in changed.messages.get(chat, ()) for changed in changes)
        await core.messaging.mark_read(chat)
        async with asyncio.timeout(60):
            while True:
                row = await core.store.inbox.row(chat)
                if row is not None and row.conversation.unread_count == 0:
                    break
                await asyncio.sleep(0.02)


async def test_denied_text_is_hinted_here_refused_there_and_can_be_mended(tmp_path: Path) -> None:
    """The hint and the backend agree; the text comes back as a draft."""
    async with running_core(tmp_path) as core:
        chat = await conversation_on(core, Channel.TELEGRAM)
        await core.open_conversation(chat)
        await holds(lambda: core.desk.engine is not None)
        decision = core.desk.decide(CheckedDraft(chat, CARD))
        assert decision is not None
        assert decision.action is Action.BLOCK
        message_id = await core.messaging.send(chat, CARD)
        row = await row_when(
            core,
            message_id,
            lambda row: row.outbox is not None and row.outbox.state is OutboxState.REFUSED,
        )
        assert row.outbox is not None
        assert row.outbox.findings
        assert row.outbox.hint_json
        await holds(lambda: core.status.outbox_refused == 1)
        draft = await core.messaging.edit_refused(message_id)
        assert draft.text == CARD
        mended = await core.messaging.send(chat, "Please find my card on file")
        await row_when(core, mended, lambda row: row.message.archive is not None)
        await holds(lambda: core.status.outbox_refused == 0)


async def test_killed_backend_is_restarted_and_the_message_arrives_once(
    tmp_path: Path, expect_log: LogGuard
) -> None:
    """The app says so, keeps what was written meanwhile, and loses nothing."""
    expect_log("the embedded backend ended")
    links: list[Link] = []
    async with running_core(tmp_path) as core:
        core.subscribe_status(lambda status: links.append(status.link))
        chat = await conversation_on(core, Channel.LINE)
        pid = await _serving_pid(tmp_path)
        os.kill(pid, signal.SIGKILL)
        message_id = await core.messaging.send(chat, "Written while the backend was away")
        await holds(lambda: Link.RESTARTING in links)
        await online(core)
        await row_when(core, message_id, lambda row: row.message.archive is not None)
        window = await core.store.timeline.around(chat)
        texts = [row.message.text for row in window.rows]
        assert texts.count("Written while the backend was away") == 1
        assert await _serving_pid(tmp_path) != pid


async def test_closing_leaves_no_process_and_a_store_that_opens_again(tmp_path: Path) -> None:
    """What was there before is there at once, without a backend."""
    async with running_core(tmp_path) as core:
        chat = await conversation_on(core, Channel.MATRIX)
        await core.messaging.save_draft(Draft(conversation_id=chat, text="unfinished"))
        pids: list[int] = []

        def both_run() -> bool:
            pids[:] = _backend_pids(tmp_path)
            return len(pids) == 2

        await holds(both_run)
    async with asyncio.timeout(60):  # the witness ends once its input is closed
        while any(psutil.pid_exists(pid) for pid in pids):
            await asyncio.sleep(0.02)
    again = new_core(tmp_path)
    await again.open()
    try:
        assert again.status.link is Link.STARTING
        assert again.me is not None
        draft = await again.store.drafts.get(chat)
        assert draft is not None
        assert draft.text == "unfinished"
        await holds(lambda: again.desk.engine is not None)
        await again.open_conversation(chat)
        decision = again.desk.decide(CheckedDraft(chat, CARD))
        assert decision is not None
        assert decision.action is Action.BLOCK
    finally:
        await again.close()
    await again.close()


async def test_second_parley_on_the_folder_is_told_so(tmp_path: Path) -> None:
    """The first one goes on undisturbed, and the folder is free once it has closed."""
    first, second = new_core(tmp_path), new_core(tmp_path)
    await first.open()
    with pytest.raises(StoreBusy):
        await second.open()
    await second.close()
    await first.close()
    third = new_core(tmp_path)
    await third.open()
    await third.close()


async def test_wrong_passphrase_is_told_and_frees_the_folder(tmp_path: Path) -> None:
    """The next try with the right one works."""
    core = new_core(tmp_path)
    await core.open()
    await core.close()
    wrong = Core(core.settings, core.paths, core._clock, passphrase="wrong")
    with pytest.raises(PassphraseWrong):
        await wrong.open()
    assert isinstance(wrong.diagnostics_subject().fault, PassphraseWrong)
    await wrong.close()
    right = new_core(tmp_path)
    await right.open()
    await right.close()


async def test_configured_backend_that_is_away_is_never_replaced_by_the_sample(
    tmp_path: Path,
) -> None:
    """Offline, with the send waiting and no process of ours beside."""
    core = new_core(tmp_path, BackendUrl="http://127.0.0.1:1")
    await core.open()
    await core.connect()
    try:
        await holds(lambda: core.status.link is Link.OFFLINE)
        assert not core.status.embedded
        await core.messaging.send(ConversationId("c1"), "waits")
        await holds(lambda: core.status.outbox_waiting == 1)
        assert _backend_pids(tmp_path) == []
    finally:
        await core.close()


async def test_without_address_and_sample_the_person_is_told(tmp_path: Path) -> None:
    """IT switched the sample off and configured nothing."""
    core = new_core(tmp_path, EmbeddedBackend=False)
    await core.open()
    await core.connect()
    try:
        assert core.status.link is Link.REFUSED
        assert [key for key, _ in core.status.notices] == ["notice.no_backend"]
    finally:
        await core.close()


async def test_address_that_can_not_be_used_is_never_replaced_by_the_sample(
    tmp_path: Path,
) -> None:
    """A slip of IT's must not put the sample workspace in the firm's place."""
    core = new_core(tmp_path, BackendUrl="http://parley.example.com")
    await core.open()
    await core.connect()
    try:
        assert core.status.link is Link.REFUSED
        assert not core.status.embedded
        assert [key for key, _ in core.status.notices] == ["notice.no_backend"]
        assert _backend_pids(tmp_path) == []
    finally:
        await core.close()


async def test_given_endpoint_stands_before_the_settings(tmp_path: Path) -> None:
    """Tests and tools can point a core at a backend they started."""
    endpoint = BackendEndpoint(url="http://127.0.0.1:1", token="secret")
    core = new_core(tmp_path, endpoint=endpoint)
    await core.open()
    await core.connect()
    try:
        await holds(lambda: core.status.link is Link.OFFLINE)
        assert _backend_pids(tmp_path) == []
    finally:
        await core.close()


async def test_undo_period_before_the_first_connection_still_holds(tmp_path: Path) -> None:
    """A start of the lanes does not cut short what the person may take back."""
    clock = HoldableClock()
    core = new_core(tmp_path, clock=clock, UndoSendSeconds=10)
    await core.open()
    clock.hold()
    try:
        message_id = await core.messaging.send(ConversationId("c1"), "wait, no")
        await core.connect()
        await online(core)
        draft = await core.messaging.undo(message_id)
        assert draft.text == "wait, no"
    finally:
        await core.close()


async def test_status_and_logs_hold_no_content(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A canary in a message reaches neither."""
    caplog.set_level(logging.DEBUG)
    statuses: list[CoreStatus] = []
    async with running_core(tmp_path) as core:
        core.subscribe_status(statuses.append)
        chat = await conversation_on(core, Channel.SIGNAL)
        message_id = await core.messaging.send(chat, "canary-in-a-message")
        await row_when(core, message_id, lambda row: row.message.archive is not None)
    assert "canary" not in caplog.text
    assert "canary" not in repr(statuses)
    for path in paths_in(tmp_path).log_dir.iterdir():
        assert "canary" not in path.read_text("utf-8")


async def test_fault_of_the_store_while_opening_is_kept_for_the_diagnostics(
    tmp_path: Path,
) -> None:
    """The checks say why nothing opened."""
    (tmp_path / "data").write_text("not a folder")
    core = new_core(tmp_path)
    with pytest.raises(EnvironmentFault) as raised:
        await core.open()
    subject = core.diagnostics_subject()
    assert (subject.store, subject.fault) == (None, raised.value)
    await core.close()


async def test_file_goes_through_the_real_backend_and_comes_back_whole(tmp_path: Path) -> None:
    """Uploaded, sent, archived, saved again under a path the person chose."""
    report = tmp_path / "report.pdf"
    report.write_bytes(os.urandom(600_000))
    async with running_core(tmp_path) as core:
        chat = await conversation_on(core, Channel.WHATSAPP)
        attachment = await core.messaging.upload(report)
        message_id = await core.messaging.send(
            chat, "The report you asked for", attachment_ids=(attachment.attachment_id,)
        )
        row = await row_when(core, message_id, lambda row: row.message.archive is not None)
        (sent,) = row.message.attachments
        assert sent.sha256 == attachment.sha256
        saved = await core.messaging.download(sent, tmp_path / "saved.pdf")
    assert saved.read_bytes() == report.read_bytes()
    for name, content in contents_below(paths_in(tmp_path).data_dir):
        assert report.read_bytes()[:64] not in content, name


async def test_word_on_a_message_that_is_not_unknown_is_refused(tmp_path: Path) -> None:
    """A slip of the hand can not send a message twice."""
    async with running_core(tmp_path) as core:
        chat = await conversation_on(core, Channel.SIGNAL)
        with pytest.raises(Refused):
            await core.messaging.resolve_unknown(MessageId("no-such-message"), "give_up")
        message_id = await core.messaging.send(chat, "known")
        await row_when(core, message_id, lambda row: row.message.archive is not None)
        with pytest.raises(Refused):
            await core.messaging.resolve_unknown(message_id, "give_up")
