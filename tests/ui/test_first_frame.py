"""Tests of the window before its store is open: what may be imported, what is never lost.

They never use a network.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core import Core
from app.domain.clock import SystemClock
from app.domain.errors import EnvironmentFault
from app.session.keys import MasterKey
from app.settings.paths import AppPaths
from app.settings.schema import load_schema
from app.settings.settings import Settings
from app.store.store import Store
from contract.ids import ConversationId
from tests.app.store.values import fill, message
from tests.support.log_guard import LogGuard
from tests.support.qt_loop import run_in_qt_loop
from tests.support.start_driver import SECRET
from tests.support.surroundings import ROOT
from tests.ui.kit import conversation, hana, until
from ui.look import Look
from ui.window_state import WindowState
from ui.workspace import Workspace

pytestmark = pytest.mark.timeout(400)
TALK = ConversationId("talk-1")
LAST = 30

# What a first frame of rows may bring in beside the standard library.
THIRD_PARTY = {
    "PySide6", "jeepney", "msgspec", "shiboken6", "shibokensupport", "sqlcipher3",
    "typing_extensions", "signature_bootstrap", "__feature__",
}  # fmt: skip
OURS = {
    "app": ("core", "domain", "session", "settings", "store.first_frame", "sync.status_board",
            "diagnostics.results"),
    "contract": ("base", "capability", "ids", "problems", "states", "values", "wire",
                 "policy.model", "policy.fact_values", "policy.book", "policy.normalise",
                 "policy.lookalikes"),
    "resources": (),
}  # fmt: skip
# The standard library's heavy parts, and rooms of the window that nobody sees at first.
TOO_EARLY = (
    "asyncio", "concurrent", "ctypes", "email", "html", "http", "logging.handlers",
    "multiprocessing", "sqlite3", "ssl", "statistics", "subprocess", "xml",
    "ui.bridge.dialogs", "ui.bridge.loop", "ui.startup", "ui.views.dialogs", "ui.views.pages",
    "ui.views.palette", "ui.window_actions", "ui.workspace_rest",
)  # fmt: skip


def test_nothing_is_imported_before_the_first_painted_rows_that_they_do_not_need(
    tmp_path: Path,
) -> None:
    asyncio.run(_make_data(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.start_driver", str(tmp_path)],
        cwd=ROOT,
        # What else Python may be told to load at its start is none of the program's.
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        timeout=300,
        check=False,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["mark"] for line in told] == ["main", "window", "first_paint"], done.stderr
    found = told[-1]["modules"]
    assert {name for name in found if not _is_allowed(name)} == set()


def _is_allowed(name: str) -> bool:
    top, _, rest = name.partition(".")
    if any(name == one or name.startswith(f"{one}.") for one in TOO_EARLY):
        return False
    if top in OURS:
        return any(_is_within(rest, one) for one in OURS[top]) or not rest
    return top in THIRD_PARTY | {"ui", "tests", "__main__"} or _is_standard(top)


def _is_within(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(f"{allowed}.") or allowed.startswith(f"{name}.")


def _is_standard(top: str) -> bool:
    kept_by_the_interpreter = top.startswith(("_sysconfigdata", "_distutils", "sitecustomize"))
    return top in sys.stdlib_module_names or kept_by_the_interpreter or top == "_virtualenv"


async def _make_data(root: Path) -> None:
    """Make the folder of a client that has run before."""
    data, config, key = root / "data", root / "config", MasterKey(SECRET)
    for folder in (data, config):
        folder.mkdir()
    store = await Store.open(data, data, key.derive("cache"), key.derive("outbox"), SystemClock())
    await _fill(store)
    await store.frames.keep(TALK, None, SystemClock().now_utc_ms())
    await store.close()
    WindowState(config).set_conversation(TALK)


async def _fill(store: Store) -> None:
    texts = tuple(message(f"m{n}", f"words {n}", at=n, home=TALK) for n in range(LAST))
    await fill(store, (conversation(closes_in_ms=None),), texts, (hana(),))


def _core(folder: Path) -> Core:
    paths = AppPaths(folder / "data", folder / "data", folder / "config", folder / "logs")
    return Core(Settings(load_schema(), ()), paths, SystemClock(), passphrase="correct horse")


async def _closed_client(folder: Path) -> None:
    core = _core(folder)
    await core.open()
    await _fill(core.store)
    await core.open_conversation(TALK)
    await core.close()


def _early(application: QApplication, core: Core) -> Workspace:
    """Return a window that shows the kept frame over a core that is unlocked and not open."""
    frame = core.unlock()
    assert frame is not None and frame.opened is not None
    state = WindowState(core.paths.config_dir)
    look = Look(application, "light")
    workspace = Workspace(core, SystemClock(), look, state, "0.1.0", before_loop=True)
    workspace.show_first(frame)
    workspace.spawner.release()
    return workspace


def _texts(workspace: Workspace) -> list[str]:
    items = workspace.timeline.model.rows()
    return [item.row.message.text for item in items if item.row is not None]


def test_what_is_typed_and_sent_before_the_store_is_open_goes_out_and_is_kept(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        await _closed_client(tmp_path)
        core = _core(tmp_path)
        workspace = _early(qapp, core)
        edit = workspace.window.composer.edit
        assert edit.hasFocus() or not workspace.window.isActiveWindow()
        QTest.keyClicks(edit, "sent early")
        QTest.keyClick(edit, Qt.Key.Key_Return)
        await asyncio.sleep(0)
        assert edit.toPlainText() == "sent early"
        assert not workspace.window.composer.send_button.isEnabled()
        QTest.keyClicks(edit, " and more")
        await core.open()
        await workspace.start_late()
        await until(lambda: edit.toPlainText() == " and more")
        waiting = await core.store.outbox.list_waiting()
        assert [entry.text for entry in waiting] == ["sent early"]
        await workspace.composer.flush()
        draft = await core.store.drafts.get(TALK)
        assert draft is not None and draft.text == " and more"
        await until(lambda: _texts(workspace)[-1] == "sent early")
        await workspace.close()
        await core.close()

    run_in_qt_loop(qapp, work(), timeout_s=360)


def test_the_open_store_confirms_the_frame_without_a_flicker(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        await _closed_client(tmp_path)
        core = _core(tmp_path)
        workspace = _early(qapp, core)
        shown, changes = _texts(workspace), list[str]()
        assert shown[-1] == f"words {LAST - 1}" and workspace.inbox.model.rowCount() == 1
        for model in (workspace.inbox.model, workspace.timeline.model):
            model.modelReset.connect(lambda: changes.append("reset"))
            model.rowsRemoved.connect(lambda *_: changes.append("removed"))
            model.rowsInserted.connect(lambda *_: changes.append("inserted"))
        read = list[object]()
        workspace.timeline.window_changed.connect(lambda: read.append(True))
        await core.open()
        await workspace.start_late()
        # Told once when the reading begins, and again when its rows have been taken.
        await until(lambda: len(read) > 1)
        assert (_texts(workspace), changes) == (shown, [])
        assert not workspace.window.palette_view.isVisible()
        await workspace.close()
        await core.close()

    run_in_qt_loop(qapp, work(), timeout_s=360)


def test_without_a_store_what_waits_for_it_is_told_and_the_text_stays(
    qapp: QApplication, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log("drafts could not be saved", logger="ui")
    expect_log("save draft ended with", logger="ui.bridge.spawn", required=False)

    async def work() -> None:
        await _closed_client(tmp_path)
        core = _core(tmp_path)
        workspace = _early(qapp, core)
        QTest.keyClicks(workspace.window.composer.edit, "still here")
        saving = asyncio.ensure_future(workspace.composer.flush())
        await asyncio.sleep(0)
        await core.close()
        with pytest.raises(EnvironmentFault):
            await saving
        assert workspace.window.composer.edit.toPlainText() == "still here"
        await workspace.close()

    run_in_qt_loop(qapp, work(), timeout_s=360)
