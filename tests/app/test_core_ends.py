"""Shows that a killed Parley leaves no process behind and loses no message.

It does not test the orderly close.
"""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import PySide6.QtWidgets
import pytest

from app.domain.errors import AppError
from app.domain.status import Link
from app.store.first_frame import CACHE_FILE
from contract.wire import Channel
from tests.app.core_world import conversation_on, holds, new_core, row_when, running_core
from tests.support.child import Child
from tests.support.processes import children_with
from tests.support.qt_loop import run_in_qt_loop
from tests.support.waiting import eventually


async def test_killed_parley_takes_its_backend_along_and_sends_the_rest_at_the_next_start(
    tmp_path: Path,
) -> None:
    """SIGKILL right after five sends: each is there once, in order, after the restart."""
    with Child("tests.app.core_driver", {"folder": str(tmp_path)}) as child:
        await holds(lambda: bool(child.lines) or not child.alive, within_s=60)
        assert child.lines, child.errors
        backends = psutil.Process(child.pid).children(recursive=True)
        assert backends
        child.signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(backends, timeout=60)
        assert not alive
    wanted = [f"before the kill {number}" for number in range(5)]
    async with running_core(tmp_path) as core:
        chat = await conversation_on(core, Channel.LINE)

        async def sent() -> list[str]:
            window = await core.store.timeline.around(chat)
            rows = [row for row in window.rows if row.message.text in wanted]
            archived = all(row.outbox is None and row.message.archive is not None for row in rows)
            return [row.message.text for row in rows] if archived else []

        assert await eventually(sent, "all five in the archive") == wanted


def test_the_core_runs_on_the_windows_event_loop_too(
    qapp: PySide6.QtWidgets.QApplication, tmp_path: Path
) -> None:
    """First sync, a send, the archive, an orderly close: on Qt's loop."""

    async def work() -> Link:
        async with running_core(tmp_path) as core:
            chat = await conversation_on(core, Channel.MATRIX)
            message_id = await core.messaging.send(chat, "on Qt's loop")
            await row_when(core, message_id, lambda row: row.message.archive is not None)
            return core.status.link

    assert run_in_qt_loop(qapp, work(), timeout_s=110) is Link.ONLINE


async def test_a_backend_begun_beside_the_opening_ends_with_a_core_that_never_connects(
    tmp_path: Path,
) -> None:
    core = new_core(tmp_path)
    await core.open(with_backend=True)
    backends: list[psutil.Process] = []

    def begun() -> bool:
        backends[:] = children_with(str(tmp_path))
        return bool(backends)

    await holds(begun)
    await core.close()
    _, alive = psutil.wait_procs(backends, timeout=60)
    assert not alive


async def test_a_store_that_does_not_open_leaves_no_backend_behind(tmp_path: Path) -> None:
    core = new_core(tmp_path)
    core.paths.create()
    (core.paths.data_dir / CACHE_FILE).mkdir()
    with pytest.raises(AppError):
        await core.open(with_backend=True)
    assert children_with(str(tmp_path)) == []
    await core.close()
