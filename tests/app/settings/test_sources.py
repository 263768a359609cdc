"""Where each system keeps settings: which places are read, and in which order.

It does not merge what was read; test_settings.py does.
"""

from __future__ import annotations

import json
import os
import plistlib
import random
from pathlib import Path

import pytest

from app.connection import configured_endpoint
from app.domain.errors import Refused
from app.settings import sources
from app.settings.account import account_of
from app.settings.keys import Key
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source, read_file, read_system_sources

MACHINE, USER = "HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER"
POLICIES, INSTALLED = sources.POLICIES_KEY_WINDOWS, sources.INSTALLER_KEY_WINDOWS
Registry = dict[tuple[str, str], dict[str, object]]


def on_windows(monkeypatch: pytest.MonkeyPatch, registry: Registry) -> list[sources.Source]:
    """Return what is read from a registry."""
    monkeypatch.setattr(sources, "read_registry_key", lambda *place: registry.get(place))
    return read_system_sources(platform="win32")


def test_the_machines_policies_come_first_then_the_users_then_the_installation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry: Registry = {
        (USER, POLICIES): {"Theme": "light", "UndoSendSeconds": 7},
        (MACHINE, INSTALLED): {"Theme": "system", "UndoSendSeconds": 2, "LogLevel": "debug"},
        (MACHINE, POLICIES): {"Theme": "dark"},
    }
    read = on_windows(monkeypatch, registry)
    assert [(source.place, source.origin) for source in read] == [
        (r"HKEY_LOCAL_MACHINE\Software\Policies\Parley", Origin.MANAGED),
        (r"HKEY_CURRENT_USER\Software\Policies\Parley", Origin.MANAGED),
        (r"HKEY_LOCAL_MACHINE\Software\Parley", Origin.INSTALLER),
    ]
    settings = Settings(load_schema(), read)
    assert settings.text(Key.THEME) == "dark"
    assert settings.number(Key.UNDO_SEND_SECONDS) == 7
    assert settings.text(Key.LOG_LEVEL) == "debug"


def test_the_users_installation_counts_where_the_computer_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own: dict[str, object] = {"BackendUrl": "https://own.example.com", "EmbeddedBackend": 1}
    alone: Registry = {(USER, INSTALLED): own}
    for registry in (alone, {**alone, (MACHINE, INSTALLED): {}}):
        settings = Settings(load_schema(), on_windows(monkeypatch, registry))
        assert settings.text(Key.BACKEND_URL) == "https://own.example.com"
        assert settings.origin(Key.BACKEND_URL) is Origin.INSTALLER
        assert settings.flag(Key.EMBEDDED_BACKEND)


def test_the_users_hive_can_not_add_to_the_computers_installation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry: Registry = {
        (MACHINE, INSTALLED): {"EmbeddedBackend": 0},
        (USER, INSTALLED): {"EmbeddedBackend": 1, "BackendCaFile": "/srv/own.pem"},
    }
    settings = Settings(load_schema(), on_windows(monkeypatch, registry))
    assert not settings.flag(Key.EMBEDDED_BACKEND)
    assert settings.path(Key.BACKEND_CA_FILE) is None


def test_on_a_managed_computer_the_users_hive_adds_no_certificate_authority(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own: dict[str, object] = {"BackendUrl": "https://own.example.com", "backendcafile": "/own.pem"}
    alone: Registry = {(USER, INSTALLED): own}
    settings = Settings(load_schema(), on_windows(monkeypatch, alone))
    assert settings.text(Key.BACKEND_CA_FILE) == "/own.pem"
    managed: Registry = {**alone, (MACHINE, POLICIES): {"LogLevel": "info"}}
    settings = Settings(load_schema(), on_windows(monkeypatch, managed))
    assert settings.path(Key.BACKEND_CA_FILE) is None
    assert settings.text(Key.BACKEND_URL) == "https://own.example.com"
    (warning,) = settings.warnings
    assert "it can't be set here (managed only)" in str(warning)


@pytest.mark.parametrize("path", ["%USERPROFILE%/ca.pem", "$HOME/ca.pem", "~/ca.pem"])
def test_no_variable_of_the_user_leads_to_a_certificate_authority(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry: Registry = {(MACHINE, POLICIES): {"BackendCaFile": path}}
    settings = Settings(load_schema(), on_windows(monkeypatch, registry))
    assert settings.path(Key.BACKEND_CA_FILE) is None
    assert "full path" in str(settings.warnings[0])


def test_a_computers_installation_that_can_not_be_read_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(hive: str, key: str) -> dict[str, object] | None:
        if (hive, key) == (MACHINE, INSTALLED):
            raise PermissionError(13, "Access is denied")
        return {"BackendUrl": "https://own.example.com"} if key == INSTALLED else None

    monkeypatch.setattr(sources, "read_registry_key", read)
    (source,) = read_system_sources(platform="win32")
    assert source.fault == "it can't be read: Access is denied"
    assert Settings(load_schema(), [source]).doubt(Key.BACKEND_URL)


def test_the_registry_knows_no_capitals_and_no_unnamed_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values: dict[str, object] = {"": "", "backendURL": "https://parley.example.com", "Odd": 1}
    settings = Settings(load_schema(), on_windows(monkeypatch, {(MACHINE, POLICIES): values}))
    assert settings.text(Key.BACKEND_URL) == "https://parley.example.com"
    assert [warning.key for warning in settings.unknown_keys] == ["Odd"]


def test_macos_reads_the_macs_preferences_then_the_users_then_the_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "MANAGED_FOLDER_MACOS", tmp_path / "managed")
    monkeypatch.setattr(sources, "INSTALLER_FILE_MACOS", tmp_path / "installed.plist")
    name = "com.parley.desktop.plist"
    for path, theme in (
        (tmp_path / "managed" / name, "dark"),
        (tmp_path / "managed" / "anna" / name, "light"),
        (tmp_path / "installed.plist", "system"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(plistlib.dumps({"Theme": theme}))
    read = read_system_sources("anna", platform="darwin")
    assert [source.values["Theme"] for source in read] == ["dark", "light", "system"]
    assert [source.origin for source in read] == [Origin.MANAGED, Origin.MANAGED, Origin.INSTALLER]


def test_linux_reads_the_policies_then_the_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, place in (("INSTALLER_FILE_LINUX", "b.json"), ("MANAGED_FILE_LINUX", "a.json")):
        monkeypatch.setattr(sources, name, tmp_path / place)
        (tmp_path / place).write_text(json.dumps({"Theme": "dark"}))
    assert [source.origin for source in read_system_sources(platform="linux")] == [
        Origin.MANAGED,
        Origin.INSTALLER,
    ]
    (tmp_path / "a.json").unlink()
    assert len(read_system_sources(platform="linux")) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"BackendUrl": "https://parley.example.com",}', "trailing comma"),
        ('{"BackendUrl": "https://parley.example.com"}'.encode("utf-16"), "save it in UTF-8"),
        (b"", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'{"Theme": "\xe9"}', "not a JSON object"),
        (b'{"x":' + b"[" * 100_000, "not a JSON object"),
        (b" " * (1024 * 1024 + 1), "larger than 1 MiB"),
    ],
    ids=["comma", "utf-16", "empty", "list", "latin-1", "deep", "large"],
)
def test_a_file_that_can_not_be_read_says_why_and_connects_to_nothing(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "policies.json"
    path.write_bytes(content)
    source = read_file(path, Origin.MANAGED)
    assert source is not None
    assert reason in source.fault
    settings = Settings(load_schema(), [source])
    assert settings.doubt(Key.BACKEND_URL) and settings.doubt(Key.EMBEDDED_BACKEND)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<plist><dict><key>Theme</key><date>soon</date></dict></plist>",
        b'<?xml version="1.0" encoding="nobodys"?><plist><dict></dict></plist>',
        b"<plist></array></plist>",
        b"<plist></plist>",
        b"<plist><string>dark</string></plist>",
        b"<plist><dict><key>a</key><integer>x</integer></dict></plist>",
        b"<plist>" + b"<array>" * 50_000,
        b'<!DOCTYPE p [<!ENTITY a "b">]><plist><string>&a;</string></plist>',
        b"bplist00" + b"\xff" * 60,
    ],
    ids=range(10),
)
def test_a_property_list_that_can_not_be_read_is_a_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "com.parley.desktop.plist"
    path.write_bytes(content)
    source = read_file(path, Origin.MANAGED)
    assert source is not None and source.fault
    assert Settings(load_schema(), [source]).doubt(Key.BACKEND_URL)


@pytest.mark.parametrize("kind", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_no_damage_to_a_property_list_stops_the_program(kind: plistlib.PlistFormat) -> None:
    whole = plistlib.dumps({"Theme": "dark", "Count": 5, "List": ["a"], "Data": b"x"}, fmt=kind)
    chance = random.Random(7)
    for _ in range(1_500):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 5)):
            damaged[chance.randrange(len(damaged))] = chance.choice((*whole, chance.randrange(256)))
        values, fault = sources._plist(bytes(damaged))
        assert not (values and fault)


def test_what_is_there_and_no_file_is_not_taken_for_absent(tmp_path: Path) -> None:
    nowhere, itself, pipe, folder = (tmp_path / name for name in ("a", "b", "c", "d"))
    nowhere.symlink_to(tmp_path / "nothing")
    itself.symlink_to(itself)
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (nowhere, itself, pipe, folder):
        source = read_file(path, Origin.MANAGED)
        assert source is not None and source.fault, path
    assert read_file(tmp_path / "e", Origin.MANAGED) is None
    (tmp_path / "f").write_text("no folder")
    below_a_file = read_file(tmp_path / "f" / "policies.json", Origin.MANAGED)
    assert below_a_file is not None and below_a_file.fault


def test_unknown_keys_are_named_with_their_right_spelling_and_not_without_end() -> None:
    values: dict[str, object] = {"backendurl": "x", "k" * 900: 1}
    values |= {f"odd{number}": 1 for number in range(1_000)}
    unknown = Settings(load_schema(), [Source(Origin.MANAGED, "here", values)]).unknown_keys
    assert str(unknown[0]).endswith("there is no such setting; write it BackendUrl")
    assert len(str(unknown[1])) < 150
    assert len(unknown) == 50


@pytest.mark.parametrize("origin", [Origin.MANAGED, Origin.INSTALLER])
@pytest.mark.parametrize("key", ["BackendURL", "embeddedbackend"])
def test_where_the_address_is_misspelt_in_capitals_alone_nothing_is_connected(
    origin: Origin, key: str
) -> None:
    """Else what was to name the firm's backend would open the sample workspace."""
    odd = {f"odd{number}": 1 for number in range(100)}
    values = {**odd, key: False if "embedded" in key else "https://parley.example.com"}
    settings = Settings(load_schema(), [Source(origin, "here", values)])
    with pytest.raises(Refused, match="write it"):
        configured_endpoint(settings)
    assert [fault.words for fault in account_of(settings).faults if fault.stops] == [
        str(settings.unknown_keys[0])
    ]


def test_a_key_that_stands_there_as_it_should_outweighs_its_misspelling() -> None:
    values = {"backendurl": "x", "BackendUrl": "https://parley.example.com"}
    settings = Settings(load_schema(), [Source(Origin.MANAGED, "here", values)])
    endpoint = configured_endpoint(settings)
    assert endpoint is not None and endpoint.url == "https://parley.example.com"
