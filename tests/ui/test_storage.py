"""Tests of the storage card: what it says, what it asks for, and that a bar runs while work does.

They touch no store.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox

from app.domain.upkeep import StorageUse, UpkeepEnd, UpkeepJob, UpkeepOutcome, UpkeepState
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from ui.bridge.spawn import Spawner
from ui.models.settings_rows import service_words, setting_rows
from ui.models.storage_presenter import StoragePresenter
from ui.models.storage_words import outcome_words, use_words
from ui.theme.tokens import DARK, LIGHT
from ui.views.pages.settings import SettingsPage
from ui.views.pages.storage_card import StorageCard

_GB = 1 << 30


class _Desk:
    """A desk whose jobs end when the test says so."""

    def __init__(self) -> None:
        self.state = UpkeepState()
        self.asked: list[object] = []
        self._heard: list[Callable[[UpkeepState], None]] = []

    def start(self, job: UpkeepJob) -> None:
        """Begin."""
        self.asked.append(job)
        self.show(UpkeepState(job))

    def cancel(self) -> None:
        """Stop."""
        self.asked.append("cancel")
        assert self.state.job is not None
        self.show(UpkeepState(outcome=UpkeepOutcome(self.state.job, UpkeepEnd.CANCELLED)))

    async def use(self) -> StorageUse:
        """Return sizes."""
        return StorageUse(1_076_400_000, 4 * _GB, 12_000_000, 512 << 20)

    def subscribe(self, callback: Callable[[UpkeepState], None]) -> Callable[[], None]:
        """Hear of states."""
        self._heard.append(callback)
        return lambda: self._heard.remove(callback)

    def show(self, state: UpkeepState) -> None:
        """Tell of a state."""
        self.state = state
        for callback in tuple(self._heard):
            callback(state)


def _click(card: StorageCard, name: str) -> None:
    button = getattr(card, name)
    assert button.isVisibleTo(card)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_job_is_begun_followed_and_cancelled(qapp: QApplication) -> None:
    async def work() -> None:
        desk = _Desk()
        presenter = StoragePresenter(desk, spawner := Spawner(lambda name, fault: None))
        card = StorageCard(LIGHT)
        presenter.state_changed.connect(card.show_state)
        presenter.use_changed.connect(card.show_use)
        card.job_requested.connect(presenter.start)
        card.cancel_requested.connect(presenter.cancel)
        card.show()
        presenter.set_shown(True)
        await until(lambda: card.use.text() != "")
        assert card.use.text() == "Messages 1 GB of 4 GB · files 11 MB of 512 MB · encrypted"
        assert not card.bar.isVisibleTo(card) and not card.cancel.isVisibleTo(card)
        _click(card, "compact")
        desk.show(UpkeepState(UpkeepJob.COMPACT, 0.42))
        assert card.bar.isVisibleTo(card) and card.bar.value() == 420
        assert card.words.text() == "Giving unused space back · 42 %"
        assert not card.check.isVisibleTo(card)
        _click(card, "cancel")
        assert card.words.text() == "Stopped. What was given back until then stays free."
        assert card.check.isVisibleTo(card)
        assert desk.asked == [UpkeepJob.COMPACT, "cancel"]
        presenter.close()
        await spawner.close()
        card.deleteLater()

    run_in_qt_loop(qapp, work())


def test_a_rebuild_is_offered_only_where_search_lacks_messages(qapp: QApplication) -> None:
    card = StorageCard(DARK)
    asked: list[object] = []
    card.job_requested.connect(asked.append)
    card.show()
    assert not card.rebuild.isVisibleTo(card)
    stale = UpkeepOutcome(UpkeepJob.CHECK, UpkeepEnd.INDEX_STALE, 314)
    card.show_state(UpkeepState(outcome=stale))
    _click(card, "rebuild")
    assert asked == [UpkeepJob.REBUILD_INDEX]
    card.deleteLater()


def test_the_keyboard_stays_on_the_card_while_buttons_change(qapp: QApplication) -> None:
    card = StorageCard(LIGHT)
    card.show()
    card.activateWindow()
    card.check.setFocus()
    QTest.qWaitForWindowActive(card, 60_000)
    card.show_state(UpkeepState(UpkeepJob.CHECK))
    assert card.cancel.hasFocus()
    done = UpkeepOutcome(UpkeepJob.CHECK, UpkeepEnd.DONE, 3)
    card.show_state(UpkeepState(outcome=done))
    assert card.check.hasFocus()
    card.deleteLater()


@pytest.mark.parametrize("job", list(UpkeepJob))
@pytest.mark.parametrize("end", list(UpkeepEnd))
def test_every_end_of_every_job_has_whole_sentences(job: UpkeepJob, end: UpkeepEnd) -> None:
    for amount in (0, 98_416):
        words = outcome_words(UpkeepOutcome(job, end, amount))
        assert words[0].isupper() or words[0].isdigit()
        assert words.endswith(".")


def test_sizes_without_limits_are_said_so() -> None:
    assert use_words(StorageUse(5_000, 0, 0, 0)) == (
        "Messages 5 KB · no files are kept · encrypted"
    )


def test_limits_are_chosen_by_the_user_or_locked_by_it(qapp: QApplication) -> None:
    managed = Source(Origin.MANAGED, "policies.json", {"LocalCacheMegabytes": 3000})
    settings = Settings(load_schema(), [managed])
    page = SettingsPage(LIGHT)
    page.show_settings(setting_rows(settings, 100), service_words(settings))
    boxes = {box.accessibleName(): box for box in page.findChildren(QComboBox)}
    messages, files = boxes["Messages kept on this computer"], boxes["Files kept on this computer"]
    assert messages.currentText() == "3000 MB" and not messages.isEnabled()
    chosen: list[tuple[str, object]] = []
    page.setting_chosen.connect(lambda key, value: chosen.append((key, value)))
    QTest.keyClick(files, Qt.Key.Key_Down)
    assert chosen == [("AttachmentCacheMegabytes", 1024)]
    page.deleteLater()
