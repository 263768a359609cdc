"""How raw values from files, registry and installers are judged.

It does not test where they come from.
"""

from __future__ import annotations

import pytest

from app.settings.keys import Key
from app.settings.registry import numbered_list
from app.settings.schema import load_schema
from app.settings.values import judge

SCHEMA = load_schema()
VERIFIER = "log.example.com+1a2b3c4d+AbCdEf012345/+=="


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        (Key.ENTER_SENDS, 0, False),
        (Key.ENTER_SENDS, 1, True),
        (Key.AUTOSTART, "1", True),
        (Key.AUTOSTART, "False", False),
        (Key.IDLE_LOCK_MINUTES, " 30 ", 30),
        (Key.THEME, " dark ", "dark"),
        (Key.PROXY_BYPASS, "a.example; b.example\n", ("a.example", "b.example")),
        (Key.PROXY_BYPASS, [], ()),
        (Key.BACKEND_URL, "https://parley.example.com/base", "https://parley.example.com/base"),
        (Key.BACKEND_URL, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (Key.BACKEND_URL, "", ""),
        (Key.PROXY_URL, "http://proxy:8080", "http://proxy:8080"),
        (Key.LOG_VERIFIER_KEY, VERIFIER, VERIFIER),
        (Key.WITNESS_VERIFIER_KEYS, [VERIFIER], (VERIFIER,)),
    ],
)
def test_good_values(key: Key, raw: object, value: object) -> None:
    assert judge(SCHEMA[key], raw).value == value


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        (Key.ENTER_SENDS, 2),
        (Key.ENTER_SENDS, "maybe"),
        (Key.ENTER_SENDS, None),
        (Key.UNDO_SEND_SECONDS, True),
        (Key.UNDO_SEND_SECONDS, 5.5),
        (Key.UNDO_SEND_SECONDS, "５"),
        (Key.UNDO_SEND_SECONDS, -1),
        (Key.UNDO_SEND_SECONDS, 10**30),
        (Key.THEME, 1),
        (Key.BACKEND_URL, "http://parley.example.com"),
        (Key.BACKEND_URL, "https://user@parley.example.com"),
        (Key.BACKEND_URL, "https://:secret@parley.example.com"),
        (Key.BACKEND_URL, "https://parley.example\n.com"),
        (Key.BACKEND_URL, 'https://parley" --data-dir "C'),
        (Key.BACKEND_URL, "https://[::1"),
        (Key.BACKEND_URL, "https://host:port"),
        (Key.BACKEND_URL, "parley.example.com"),
        (Key.BACKEND_URL, "https://" + "a" * 3_000),
        (Key.PROXY_URL, "http://user:secret@proxy:8080"),
        (Key.PROXY_URL, "ftp://proxy"),
        (Key.PROXY_URL, "socks5://proxy:1080"),
        (Key.PROXY_URL, "http://proxy\n:8080"),
        (Key.DATA_FOLDER, "relative/folder"),
        (Key.DATA_FOLDER, "$NO_SUCH_VARIABLE_HERE/x"),
        (Key.LOG_VERIFIER_KEY, "not a key"),
        (Key.WITNESS_VERIFIER_KEYS, [VERIFIER, "x"]),
        (Key.WITNESS_VERIFIER_KEYS, [1]),
        (Key.PROXY_BYPASS, {"1": "a"}),
    ],
)
def test_bad_values_have_a_reason(key: Key, raw: object) -> None:
    judged = judge(SCHEMA[key], raw)
    assert judged.value is None
    assert judged.reason
    assert "secret" not in judged.reason


def test_folders_may_name_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARE", "/srv/people")
    monkeypatch.setenv("HOME", "/home/user")
    assert judge(SCHEMA[Key.DATA_FOLDER], "$SHARE/user").value == "/srv/people/user"
    assert judge(SCHEMA[Key.DATA_FOLDER], "~/parley").value == "/home/user/parley"


def test_a_list_of_the_registry_keeps_its_numbers_order() -> None:
    assert numbered_list({"10": "c", "2": "b", "1": "a", "x": "d"}) == ["a", "b", "c", "d"]
