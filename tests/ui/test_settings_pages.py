"""Settings on screen: locks with who set them, texts by hand, the list on the diagnostics page.

It opens no store and no connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit

from app.diagnostics.results import CheckResult, CheckStatus
from app.domain.settings_account import SettingsAccount
from app.settings.account import account_of
from app.settings.keys import Key
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from ui.bridge.spawn import Spawner
from ui.models.diagnostics_presenter import DiagnosticsPresenter
from ui.models.figures import Figures
from ui.models.settings_rows import service_words, setting_rows
from ui.theme.tokens import DARK, LIGHT
from ui.theme.widgets import ElidedLabel
from ui.views.pages.diagnostics import DiagnosticsPage
from ui.views.pages.settings import SettingsPage

REGISTRY = r"HKEY_LOCAL_MACHINE\Software\Policies\Parley"
INSTALLED = r"HKEY_LOCAL_MACHINE\Software\Parley"
SHOWN = (
    {"Theme": "dark", "Language": "en", "EnterSends": False, "UndoSendSeconds": 3}
    | {"Autostart": True, "LocalCacheMegabytes": 777, "AttachmentCacheMegabytes": 1}
    | {"ProxyMode": "fixed", "ProxyUrl": "http://proxy.example.com:8080", "ProxyBypass": ["a"]}
    | {"LogLevel": "warning"}
)


def settings_of(*sources: Source) -> Settings:
    """Return the settings of these sources alone."""
    return Settings(load_schema(), sources)


def page_with(settings: Settings) -> SettingsPage:
    """Return the settings page over these settings."""
    page = SettingsPage(LIGHT)
    page.show_settings(setting_rows(settings, 100), service_words(settings))
    return page


def texts_of(page: SettingsPage) -> list[str]:
    """Return every text on the page."""
    return [one.text() for one in page.findChildren(QLabel)]


def test_every_managed_setting_on_the_page_is_locked(qapp: QApplication) -> None:
    settings = settings_of(Source(Origin.MANAGED, REGISTRY, SHOWN))
    rows = {row.key: row for row in setting_rows(settings, 100)}
    for key in SHOWN:
        assert rows[key].locked == "Managed by your firm", key
    page = page_with(settings)
    controls = [*page.findChildren(QComboBox), *page.findChildren(QLineEdit)]
    assert [one.accessibleName() for one in controls if one.isEnabled()] == ["Text size"]
    assert texts_of(page).count("Managed by your firm") == len(SHOWN)
    page.deleteLater()


def test_what_the_installation_fixed_is_locked_and_what_it_suggested_is_not() -> None:
    settings = settings_of(
        Source(Origin.INSTALLER, INSTALLED, {"ProxyMode": "none", "Theme": "dark"})
    )
    rows = {row.key: row for row in setting_rows(settings, 100)}
    assert rows[Key.PROXY_MODE].locked == "Set at installation"
    assert rows[Key.THEME].locked == ""
    assert rows[Key.THEME].value == "dark"


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin.MANAGED, "managed by your firm"),
        (Origin.INSTALLER, "set at installation"),
        (Origin.USER, "set by you"),
    ],
)
def test_the_service_says_who_set_its_address(origin: Origin, words: str) -> None:
    settings = settings_of(Source(origin, "x", {"BackendUrl": "https://parley.example.com"}))
    assert service_words(settings) == f"Connected with https://parley.example.com, {words}."


def test_every_setting_that_a_user_may_set_stands_on_the_page_or_does_nothing_yet() -> None:
    fixed = settings_of(Source(Origin.USER, "settings.json", {"ProxyMode": "fixed"}))
    shown = {row.key for row in setting_rows(fixed, 100)}
    may_set = {key for key, one in load_schema().items() if Origin.USER in one.origins}
    # The address has the service's card and the sign-in; the others are not acted on yet.
    elsewhere = {Key.BACKEND_URL, Key.IDLE_LOCK_MINUTES, Key.NOTIFICATIONS_SHOW_TEXT}
    assert shown & may_set == may_set - elsewhere


def test_a_text_is_said_once_it_is_finished(qapp: QApplication) -> None:
    page = page_with(settings_of(Source(Origin.USER, "settings.json", {"ProxyMode": "fixed"})))
    page.show()
    lines = {line.accessibleName(): line for line in page.findChildren(QLineEdit)}
    chosen: list[tuple[str, object]] = []
    page.setting_chosen.connect(lambda key, value: chosen.append((key, value)))
    lines["Proxy address"].setFocus()
    QTest.keyClick(lines["Proxy address"], Qt.Key.Key_Return)
    assert chosen == []
    QTest.keyClicks(lines["Proxy address"], " http://proxy:8080")
    assert chosen == []
    QTest.keyClick(lines["Proxy address"], Qt.Key.Key_Return)
    assert chosen == [(Key.PROXY_URL, "http://proxy:8080")]
    page.close()
    page.deleteLater()


def test_a_proxy_of_ones_own_is_asked_for_only_where_one_is_used() -> None:
    keys = {row.key for row in setting_rows(settings_of(), 100)}
    assert Key.PROXY_MODE in keys
    assert not keys & {Key.PROXY_URL, Key.PROXY_BYPASS}


def test_the_diagnostics_list_every_setting_with_origin_and_place(qapp: QApplication) -> None:
    async def work() -> None:
        page = DiagnosticsPage("1.2.3", LIGHT)
        page.resize(1200, 900)
        page.show()
        settings = settings_of(
            Source(Origin.MANAGED, REGISTRY, {"LogLevel": "debug", "Theme": "pink", "Odd": 1}),
            Source(Origin.INSTALLER, INSTALLED, {"Autostart": 1}),
        )
        page.show_settings(account_of(settings))
        await until(page.settings.is_complete)
        names = [one.accessibleName() for one in page.settings.findChildren(ElidedLabel)]
        assert f"Log level, LogLevel: debug. Managed by your firm, locked. {REGISTRY}" in names
        started = "Start with the session, Autostart: yes. Set at installation. "
        assert f"{started}{INSTALLED}" in names
        for key, setting in load_schema().items():
            assert [name for name in names if name.startswith(f"{setting.title}, {key}: ")], key
        texts = [one.text() for one in page.settings.findChildren(QLabel)]
        assert f"Odd in {REGISTRY}: there is no such setting" in texts
        assert f"Theme in {REGISTRY}: it has to be one of system, light, dark" in texts
        page.set_tokens(DARK)
        await until(page.settings.is_complete)
        page.close()
        page.deleteLater()

    run_in_qt_loop(qapp, work())


def test_the_list_says_what_waits_for_a_start(qapp: QApplication) -> None:
    page = DiagnosticsPage("1.2.3", LIGHT)
    new = settings_of(Source(Origin.MANAGED, REGISTRY, {"BackendUrl": "https://new.example.com"}))
    page.show_settings(account_of(settings_of(), again=new))
    texts = [one.text() for one in page.settings.findChildren(QLabel)]
    assert "Waits for the next start: BackendUrl" in texts
    page.deleteLater()


def test_settings_are_read_before_the_checks_run(qapp: QApplication) -> None:
    async def work() -> None:
        account = account_of(settings_of())
        order: list[object] = []
        spawner = Spawner(lambda name, fault: None)

        async def read() -> SettingsAccount:
            return account

        async def checks() -> AsyncIterator[CheckResult]:
            yield CheckResult("check.store", CheckStatus.OK, "Fine")

        presenter = DiagnosticsPresenter(checks, read, Figures(), spawner)
        presenter.settings_read.connect(order.append)
        presenter.results_changed.connect(lambda results: order.append(len(results)))
        presenter.run()
        await until(lambda: len(order) == 2)
        assert order == [account, 1]
        await spawner.close()

    run_in_qt_loop(qapp, work())
