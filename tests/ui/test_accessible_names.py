"""Tests that every control of window and dialogs has a name. They never use a network."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QWidget,
)

from app.diagnostics.results import TITLES, CheckResult, CheckStatus, Owner
from app.domain.status import CoreStatus, Link
from app.settings.schema import load_schema
from app.settings.settings import Settings
from contract.ids import MessageId
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import CARD, conversation, hana, until_filled, window_over_values
from tests.ui.receipts import verified_view
from tests.ui.sample_rows import NOW_UTC_MS, message
from ui.bridge.spawn import Spawner
from ui.models.composer_state import QuotedMessage
from ui.models.conversation_facts import ConversationFacts
from ui.models.figures import Figures
from ui.models.receipt_words import receipt_words
from ui.models.settings_rows import service_words, setting_rows
from ui.models.status_words import banners
from ui.theme.tokens import DARK, LIGHT
from ui.views.dialogs.key_dialogs import FaultDialog, KeyLostDialog, PassphraseDialog
from ui.views.dialogs.receipt_dialog import ReceiptDialog
from ui.views.main_window import MainWindow

_CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
)


def unnamed(root: QWidget) -> list[str]:
    """Return every control and everything the keyboard reaches that has no accessible name."""
    found = []
    for one in (root, *root.findChildren(QWidget)):
        # Parts Qt makes for itself: viewports, scroll bars, the clear button of a field.
        if one.objectName().startswith("qt_") or isinstance(one.parent(), QLineEdit | QComboBox):
            continue
        reachable = one.focusPolicy() is not Qt.FocusPolicy.NoFocus
        # A label that can be selected by the keyboard is named by its own text.
        if isinstance(one, QLabel) and one.text():
            continue
        if (isinstance(one, _CONTROLS) or reachable) and not one.accessibleName():
            found.append(f"{type(one).__name__} {one.objectName()}".strip())
    return found


def _fill(window: MainWindow) -> None:
    status = CoreStatus(
        link=Link.OFFLINE, workspace="sample", notices=(("notice.cache_set_aside", "x.db"),)
    )
    window.banners.show_banners(banners(status))
    facts = ConversationFacts(conversation(), (hana(),))
    window.show_conversation(facts)
    window.details.show_facts(facts, NOW_UTC_MS, NOW_UTC_MS)
    window.composer.edit.setPlainText(f"{CARD} is guaranteed")
    window.composer._presenter.set_quote(QuotedMessage(MessageId("m"), "Hana", "Hello"))
    window.diagnostics.show_figures(Figures().cards())
    window.diagnostics.show_results(
        [CheckResult(key, CheckStatus.FAIL, "No", Owner.IT) for key in TITLES]
    )
    settings = Settings(load_schema(), ())
    window.settings.show_settings(setting_rows(settings, 100), service_words(settings))
    window.find_bar.open_bar()
    window.palette_view.open()


def test_every_control_of_the_window_has_a_name_in_both_looks(qapp: QApplication) -> None:
    async def work() -> None:
        spawner = Spawner(lambda name, fault: None)
        window = window_over_values(qapp, spawner)
        window.resize(1440, 900)
        window.show()
        await until_filled(window)
        _fill(window)
        assert unnamed(window) == []
        window.set_tokens(DARK)
        await asyncio.sleep(0)
        assert unnamed(window) == []
        await spawner.close()
        window.deleteLater()

    run_in_qt_loop(qapp, work())


def test_every_control_of_the_dialogs_has_a_name(qapp: QApplication) -> None:
    receipt = ReceiptDialog(LIGHT)
    receipt.show_words(receipt_words(message(1, "Hello", archive=7), verified_view(), NOW_UTC_MS))
    receipt.unfold(True)
    dialogs: list[QDialog] = [
        PassphraseDialog(choosing=True, error="Type the passphrase first."),
        PassphraseDialog(choosing=False),
        KeyLostDialog(),
        FaultDialog("The disk is full."),
        receipt,
    ]
    for dialog in dialogs:
        assert unnamed(dialog) == []
        dialog.deleteLater()


def test_tab_reaches_the_main_controls_in_reading_order(qapp: QApplication) -> None:
    async def work() -> None:
        spawner = Spawner(lambda name, fault: None)
        window = window_over_values(qapp, spawner)
        window.show_conversation(ConversationFacts(conversation(), (hana(),)))
        window.show()
        await until_filled(window)
        order: list[QWidget] = []
        at: QWidget = window.rail.button_of(next(iter(window.rail._buttons)))
        for _ in range(300):
            order.append(at)
            following = at.nextInFocusChain()
            if following is None or following is order[0]:
                break
            at = following
        wanted = [window.inbox.list, window.timeline, window.composer.edit]
        places = [order.index(one) for one in wanted]
        assert places == sorted(places)
        await spawner.close()
        window.deleteLater()

    run_in_qt_loop(qapp, work())
