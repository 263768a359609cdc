"""Precedence, bad values, locks and unknown keys of the effective settings.

It does not test how single values are judged.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from app.settings.keys import Key
from app.settings.schema import SOURCE_SCHEMA, Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source, read_file
from app.settings.user_file import UserSettings
from app.settings.values import judge

MANAGED, INSTALLER, USER = Origin.MANAGED, Origin.INSTALLER, Origin.USER


def merged(*sources: Source) -> Settings:
    """Return the settings that hold with these sources alone."""
    return Settings(load_schema(), sources)


def source(origin: Origin, place: str = "", **values: object) -> Source:
    """Return raw values from one origin."""
    return Source(origin, place or origin.value, values)


def test_keys_and_schema_name_the_same_settings() -> None:
    assert {key.value for key in Key} == set(load_schema())


def test_every_default_is_a_good_value() -> None:
    for key, setting in load_schema().items():
        assert judge(setting, setting.default_value).value == setting.default_value, key
        assert setting.title
        assert setting.description


def test_where_a_setting_has_no_effect_yet_parley_stands_at_a_good_value() -> None:
    late = {key: one for key, one in load_schema().items() if not one.acted_on}
    assert late
    for setting in late.values():
        assert judge(setting, setting.stands_at).value == setting.stands_at


def test_every_key_has_a_typed_getter() -> None:
    settings = merged()
    getters = {
        "string": settings.text,
        "boolean": settings.flag,
        "integer": settings.number,
        "array": settings.texts,
    }
    for key in Key:
        assert getters[settings.schema[key].type](key) == settings.value(key)


def test_verifier_keys_come_from_policies_alone() -> None:
    schema = load_schema()
    keys = [key for key in Key if "VERIFIER" in key.name]
    assert len(keys) == 4
    assert all(schema[key].origins == (MANAGED,) for key in keys)


def test_nothing_set_gives_defaults_and_no_warning() -> None:
    settings = merged()
    assert settings.number(Key.UNDO_SEND_SECONDS) == 5
    assert settings.origin(Key.UNDO_SEND_SECONDS) is Origin.DEFAULT
    assert settings.warnings == settings.unknown_keys == ()
    assert settings.path(Key.DATA_FOLDER) is None


@pytest.mark.parametrize(
    ("key", "managed", "installer", "user", "winner", "locked"),
    [
        (Key.THEME, "dark", "light", "system", MANAGED, True),
        (Key.THEME, None, "light", "dark", USER, False),
        (Key.THEME, None, "light", None, INSTALLER, False),
        (Key.PROXY_MODE, None, "none", "system", INSTALLER, True),
        (Key.PROXY_MODE, None, None, "none", USER, False),
        (Key.PROXY_MODE, "fixed", "none", "none", MANAGED, True),
    ],
)
def test_precedence(
    key: Key,
    managed: str | None,
    installer: str | None,
    user: str | None,
    winner: Origin,
    locked: bool,
) -> None:
    given = [(USER, user), (INSTALLER, installer), (MANAGED, managed)]
    sources = [source(origin, **{key: value}) for origin, value in given if value is not None]
    settings = merged(*sources)
    assert settings.origin(key) is winner
    assert settings.text(key) == dict(given)[winner]
    assert settings.is_locked(key) is locked


def test_the_machines_policy_stands_over_the_users() -> None:
    machine = source(MANAGED, r"HKEY_LOCAL_MACHINE\Software\Policies\Parley", UndoSendSeconds=3)
    user = source(MANAGED, r"HKEY_CURRENT_USER\Software\Policies\Parley", UndoSendSeconds=9)
    settings = merged(machine, user)
    assert settings.number(Key.UNDO_SEND_SECONDS) == 3
    assert settings.place(Key.UNDO_SEND_SECONDS).startswith("HKEY_LOCAL_MACHINE")


def test_a_bad_value_is_named_and_the_next_good_one_holds() -> None:
    settings = merged(
        source(MANAGED, "policies.json", UndoSendSeconds=11, Theme="pink"),
        source(USER, "settings.json", UndoSendSeconds=7),
    )
    assert settings.number(Key.UNDO_SEND_SECONDS) == 7
    assert settings.text(Key.THEME) == "system"
    assert [str(warning) for warning in settings.warnings] == [
        "UndoSendSeconds in policies.json: it has to be a whole number from 0 to 10",
        "Theme in policies.json: it has to be one of system, light, dark",
    ]


@pytest.mark.parametrize(
    "sources",
    [
        (source(MANAGED, BackendUrl="http://parley.example.com"),),
        (source(MANAGED, BackendUrl=7), source(USER, BackendUrl="https://old.example.com")),
        (source(INSTALLER, BackendUrl="parley.example.com"),),
        (source(USER, BackendUrl="https://"),),
        (Source(MANAGED, "policies.json", {}, "it is not a JSON object"),),
    ],
)
def test_what_was_meant_but_can_not_be_read_leaves_a_doubt(sources: tuple[Source, ...]) -> None:
    assert merged(*sources).doubt(Key.BACKEND_URL)


@pytest.mark.parametrize(
    "sources",
    [
        (),
        (source(MANAGED, BackendUrl=""),),
        (
            source(MANAGED, BackendUrl="https://parley.example.com"),
            source(MANAGED, BackendUrl="nonsense"),
            source(USER, BackendUrl="nonsense"),
        ),
        (Source(USER, "settings.json", {}, "it is not a JSON object"),),
        (source(USER, PolicyVerifierKey="not here"),),
    ],
)
def test_the_strongest_good_word_leaves_none(sources: tuple[Source, ...]) -> None:
    settings = merged(*sources)
    assert [key for key in Key if settings.doubt(key)] == []


def test_a_value_from_where_none_may_come_is_ignored_and_named() -> None:
    settings = merged(source(USER, "settings.json", PolicyVerifierKey="a+12345678+AAAA"))
    assert settings.text(Key.POLICY_VERIFIER_KEY) == ""
    (warning,) = settings.warnings
    assert warning.key == "PolicyVerifierKey"
    assert "managed only" in warning.reason


def test_unknown_managed_keys_are_listed() -> None:
    settings = merged(source(MANAGED, "policies.json", Themes="dark"), source(USER, Old=1))
    assert [(one.key, one.place) for one in settings.unknown_keys] == [("Themes", "policies.json")]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("policies.json", b"{", "not a JSON object"),
        ("policies.json", b"[1]", "not a JSON object"),
        ("policies.json", b"\xff\xfe", "save it in UTF-8"),
        ("policies.json", b"[" * 100_000, "not a JSON object"),
        ("x.plist", b"<plist><dict>", "not a property list"),
        ("x.plist", b"", "not a property list"),
    ],
)
def test_a_broken_file_is_named_and_costs_nothing_else(
    tmp_path: Path, name: str, content: bytes, fault: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    read = read_file(path, MANAGED)
    assert read is not None
    settings = merged(read, source(USER, Theme="dark"))
    assert settings.text(Key.THEME) == "dark"
    (warning,) = settings.warnings
    assert str(path) in str(warning)
    assert fault in warning.reason


def test_a_policy_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policies.json"
    path.write_bytes(b'\xef\xbb\xbf{"BackendUrl": "https://parley.example.com"}')
    read = read_file(path, MANAGED)
    assert read is not None
    settings = merged(read)
    assert settings.text(Key.BACKEND_URL) == "https://parley.example.com"
    assert settings.place(Key.BACKEND_URL) == str(path)


def test_managed_preferences_are_read(tmp_path: Path) -> None:
    import plistlib

    path = tmp_path / "com.parley.desktop.plist"
    path.write_bytes(plistlib.dumps({"EnterSends": False, "ProxyBypass": [".example.com"]}))
    read = read_file(path, MANAGED)
    assert read is not None
    settings = merged(read)
    assert not settings.flag(Key.ENTER_SENDS)
    assert settings.texts(Key.PROXY_BYPASS) == (".example.com",)


def test_settings_load_from_the_users_folder(tmp_path: Path) -> None:
    assert UserSettings(tmp_path).save(load_schema(), {"Theme": "dark"}) == ()
    settings = Settings.load(tmp_path, sources=[source(MANAGED, Language="de")])
    assert settings.text(Key.THEME) == "dark"
    assert settings.origin(Key.THEME) is USER
    assert settings.is_locked(Key.LANGUAGE)


def test_the_schema_is_a_json_schema_that_its_defaults_meet() -> None:
    document = json.loads(SOURCE_SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(document)
    defaults = {key: one["default"] for key, one in document["properties"].items()}
    Draft202012Validator(document).validate(defaults)
