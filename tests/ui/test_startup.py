"""Tests of opening Parley where there is no keyring. They never use a network."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app.core import Core
from app.domain.clock import SystemClock
from app.settings.paths import AppPaths
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from ui.startup import open_core
from ui.views.dialogs.key_dialogs import FaultDialog, KeyLostDialog, PassphraseDialog

GOOD, WRONG = "correct horse battery", "wrong horse battery"
D = TypeVar("D", bound=QWidget)


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> None:
    """Let this session have no keyring, and the loop outlive a closed dialog as in the program."""
    qapp.setQuitOnLastWindowClosed(False)
    missing = NoKeyring()  # type: ignore[no-untyped-call]  # keyring's own signature
    monkeypatch.setattr(keyring, "get_keyring", lambda: missing)


class Maker:
    """Makes cores over one folder, as the program does for each try."""

    def __init__(self, folder: Path, **managed: object) -> None:
        self.paths = AppPaths(folder / "d", folder / "d", folder / "c", folder / "l")
        sources = [Source(Origin.MANAGED, "test", managed)]
        self._settings = Settings(load_schema(), sources)

    def __call__(self, passphrase: str | None) -> Core:
        return Core(self._settings, self.paths, SystemClock(), passphrase=passphrase)


def _shown(kind: type[D]) -> D | None:
    for one in QApplication.topLevelWidgets():
        if isinstance(one, kind) and one.isVisible():
            return one
    return None


async def _dialog(kind: type[D]) -> D:
    await until(lambda: _shown(kind) is not None)
    found = _shown(kind)
    assert found is not None
    return found


def _press(dialog: QWidget, text: str) -> None:
    buttons = dialog.findChildren(QAbstractButton)
    button = next(one for one in buttons if one.text() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


async def _gone(dialog: QWidget) -> None:
    await until(lambda: not dialog.isVisible())


async def _choose(passphrase: str) -> None:
    dialog = await _dialog(PassphraseDialog)
    assert dialog.second is not None
    QTest.keyClicks(dialog.first, passphrase)
    QTest.keyClicks(dialog.second, passphrase)
    _press(dialog, "Open Parley")
    await _gone(dialog)


async def _opened(maker: Maker) -> None:
    """Make the folder's data under GOOD, then close it."""
    opening = asyncio.create_task(open_core(maker))
    await _choose(GOOD)
    core = await opening
    assert core is not None
    await core.close()


def test_a_passphrase_takes_the_keyrings_place(qapp: QApplication, tmp_path: Path) -> None:
    async def work() -> None:
        maker = Maker(tmp_path)
        await _opened(maker)
        opening = asyncio.create_task(open_core(maker))
        dialog = await _dialog(PassphraseDialog)
        assert dialog.second is None
        QTest.keyClicks(dialog.first, WRONG)
        QTest.keyClick(dialog.first, Qt.Key.Key_Return)
        await _gone(dialog)
        again = await _dialog(PassphraseDialog)
        assert "does not open" in again.error.text()
        QTest.keyClicks(again.first, GOOD)
        _press(again, "Open Parley")
        core = await opening
        assert core is not None
        await core.close()

    run_in_qt_loop(qapp, work())


def test_two_different_or_short_passphrases_are_not_taken(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        opening = asyncio.create_task(open_core(Maker(tmp_path)))
        dialog = await _dialog(PassphraseDialog)
        assert dialog.second is not None
        QTest.keyClicks(dialog.first, "short")
        _press(dialog, "Open Parley")
        assert "10 characters" in dialog.error.text()
        dialog.first.setText(GOOD)
        dialog.second.setText(WRONG)
        _press(dialog, "Open Parley")
        assert "not the same" in dialog.error.text()
        _press(dialog, "Quit")
        assert await opening is None

    run_in_qt_loop(qapp, work())


def test_a_lost_key_keeps_the_data_aside(qapp: QApplication, tmp_path: Path) -> None:
    async def work() -> None:
        maker = Maker(tmp_path)
        await _opened(maker)
        before = {path.name for path in maker.paths.data_dir.rglob("*.db")}
        (maker.paths.data_dir / "key.wrapped").unlink()
        opening = asyncio.create_task(open_core(maker, GOOD))
        lost = await _dialog(KeyLostDialog)
        _press(lost, "Start anew, keep old files")
        await _gone(lost)
        await _choose(GOOD)
        core = await opening
        assert core is not None
        kept = [path for path in tmp_path.rglob("*.db") if path.parent != maker.paths.data_dir]
        assert before <= {path.name for path in kept}
        await core.close()

    run_in_qt_loop(qapp, work())


def test_a_forbidden_passphrase_is_not_offered(qapp: QApplication, tmp_path: Path) -> None:
    async def work() -> None:
        opening = asyncio.create_task(open_core(Maker(tmp_path, PassphraseAllowed=False)))
        told = await _dialog(FaultDialog)
        assert "keyring" in told.text.text()
        _press(told, "Quit")
        assert await opening is None

    run_in_qt_loop(qapp, work())
