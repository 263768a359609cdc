"""The account of all settings for support: values, origins, faults, what waits; nobody's name.

It does not test the check that shows it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.settings.account import account_of
from app.settings.keys import Key
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source

HOME = Path("/home/anna.berg")
REGISTRY = r"HKEY_LOCAL_MACHINE\Software\Policies\Parley"
VERIFIER = "log.example.com+1a2b3c4d+AVwIEVspoVDAR5LQQHgPZcPPxZ+2uCgGgPi2/jYglnoT"


def settings_of(*sources: Source) -> Settings:
    """Return the settings of these sources alone."""
    return Settings(load_schema(), sources)


def managed(**values: object) -> Source:
    """Return values of the machine's policies."""
    return Source(Origin.MANAGED, REGISTRY, values)


def test_every_setting_stands_there_with_its_origin_and_place() -> None:
    own = Source(Origin.USER, "settings.json", {"Theme": "dark", "EnterSends": False})
    account = account_of(settings_of(managed(UndoSendSeconds=3), own), home=HOME)
    lines = {line.key: line for line in account.lines}
    assert set(lines) == {key.value for key in Key}
    undo = lines["UndoSendSeconds"]
    assert (undo.value, undo.origin, undo.place, undo.locked) == ("3", "managed", REGISTRY, True)
    assert (lines["EnterSends"].value, lines["EnterSends"].origin) == ("no", "user")
    assert (lines["LogLevel"].origin, lines["LogLevel"].place) == ("default", "")
    assert lines["EmbeddedBackend"].locked
    assert (account.faults, account.changed) == ((), ())


def test_nobodys_name_home_or_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "aberg")
    managed_values = managed(
        DataFolder="/home/anna.berg/parley",
        OutboxFolder="/srv/persistent/ABERG/outbox",
        ProxyUrl="http://aberg@proxy.example.com:8080",
        LogVerifierKey=VERIFIER,
        ProxyBypass=["one.example.com", "two.example.com"],
    )
    users = Source(Origin.MANAGED, "/Library/Managed Preferences/aberg/x.plist", {"Theme": "pink"})
    own = Source(Origin.USER, "/home/anna.berg/.config/Parley/settings.json", {"Theme": "dark"})
    account = account_of(settings_of(managed_values, users, own), home=HOME)
    values = {line.key: line.value for line in account.lines}
    assert values["DataFolder"] == "~/parley"
    assert values["OutboxFolder"] == "/srv/persistent/<user>/outbox"
    assert values["ProxyUrl"] == "http://…@proxy.example.com:8080"
    assert values["LogVerifierKey"] == "log.example.com+1a2b3c4d+…"
    assert values["ProxyBypass"] == "one.example.com, two.example.com"
    places = {line.key: line.place for line in account.lines}
    assert places["Theme"] == "~/.config/Parley/settings.json"
    (fault,) = account.faults
    assert fault.words.startswith("Theme in /Library/Managed Preferences/<user>/x.plist: ")
    whole = repr(account).lower()
    assert "aberg" not in whole
    assert "anna" not in whole


def test_faults_name_who_mends_them_and_what_stops_parley() -> None:
    settings = settings_of(
        managed(BackendUrl="http://parley.example.com", Theme="pink", Odd=1),
        Source(Origin.USER, "settings.json", {"UndoSendSeconds": 99, "LogVerifierKey": VERIFIER}),
    )
    faults = {fault.words: fault for fault in account_of(settings, home=HOME).faults}
    assert len(faults) == 5
    assert [words for words, fault in faults.items() if fault.stops] == [
        f"BackendUrl in {REGISTRY}: it has to start with https://"
    ]
    by_user = [words for words, fault in faults.items() if fault.by_user]
    assert [words.split()[0] for words in by_user] == ["LogVerifierKey", "UndoSendSeconds"]
    assert f"Odd in {REGISTRY}: there is no such setting" in faults


def test_what_has_no_effect_yet_is_said_to_whoever_sets_it() -> None:
    account = account_of(settings_of(managed(IdleLockMinutes=5)), home=HOME)
    (fault,) = account.faults
    assert fault.words.startswith(f"IdleLockMinutes in {REGISTRY}: ")
    assert "no effect yet" in fault.words
    assert fault.words.endswith("as with 0")
    assert not fault.stops
    without = {line.key for line in account.lines if not line.acted_on}
    assert without == {"IdleLockMinutes", "NotificationsShowText", "DiagnosticsUploadAllowed"}
    assert account_of(settings_of(), home=HOME).faults == ()


def test_whoever_asks_for_what_parley_does_anyway_is_not_warned() -> None:
    """A firm's baseline forbids text in notifications and uploads: there are none of either."""
    strict = managed(NotificationsShowText=False, DiagnosticsUploadAllowed=0, IdleLockMinutes=0)
    assert account_of(settings_of(strict), home=HOME).faults == ()
    lax = managed(NotificationsShowText=True, DiagnosticsUploadAllowed=1)
    faults = account_of(settings_of(lax), home=HOME).faults
    assert len(faults) == 2
    assert all(fault.words.endswith("as with no") for fault in faults)


def test_a_fixed_proxy_that_nothing_names_is_said_to_be_none() -> None:
    """Where the firewall lets only the proxy through, nothing else would tell why."""
    for values in ({"ProxyMode": "fixed"}, {"ProxyMode": "fixed", "ProxyUrl": "socks5://p:1"}):
        *_, fault = account_of(settings_of(managed(**values)), home=HOME).faults
        assert fault.words == (
            f"ProxyMode in {REGISTRY}: it is fixed and ProxyUrl names no proxy, "
            "so Parley connects directly"
        )
        assert not fault.stops and not fault.by_user
    whole = managed(ProxyMode="fixed", ProxyUrl="http://proxy.example.com:8080")
    assert account_of(settings_of(whole), home=HOME).faults == ()


def test_a_place_that_can_not_be_read_stops_parley() -> None:
    broken = Source(Origin.MANAGED, "/etc/parley/policies.json", {}, "it is not a JSON object")
    (fault,) = account_of(settings_of(broken), home=HOME).faults
    assert fault.stops
    assert not fault.by_user


def test_what_changed_since_the_start_waits_unless_it_holds_at_once() -> None:
    start = settings_of(managed(BackendUrl="https://old.example.com", LogLevel="info"))
    again = settings_of(
        managed(BackendUrl="https://new.example.com", LogLevel="info", Theme="dark")
    )
    assert account_of(start, at_start=start, again=again).changed == ("BackendUrl", "Theme")
    # The user changed another setting meanwhile, with which the places were read again.
    assert account_of(again, at_start=start, again=again).changed == ("BackendUrl",)
    assert account_of(start, at_start=start, again=start).changed == ()


def test_settings_can_be_read_again_from_where_they_came(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"Theme": "dark"}')
    settings = Settings.load(tmp_path, sources=())
    (tmp_path / "settings.json").write_text('{"Theme": "light"}')
    assert settings.text(Key.THEME) == "dark"
    assert settings.reread().text(Key.THEME) == "light"
    assert settings.reread().reread().text(Key.THEME) == "light"


@pytest.mark.skipif(os.name != "posix", reason="files of settings are for macOS and Linux")
def test_a_file_of_the_firm_that_the_user_may_write_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "policies.json"
    path.write_text("{}", encoding="utf-8")
    settings = settings_of(Source(Origin.MANAGED, str(path), {"Theme": "dark", "LogLevel": "info"}))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (fault,) = account_of(settings, home=HOME).faults
    assert fault.words == f"{path}: whoever uses Parley may write it; leave that to root"
    assert not fault.stops
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert account_of(settings, home=HOME).faults == ()
