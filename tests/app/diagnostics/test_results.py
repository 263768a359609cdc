"""Tests of the self-test's outcome and output. They never run a check."""

from __future__ import annotations

import json

import pytest

from app.diagnostics.results import CheckResult, CheckStatus, Owner, exit_code, to_json, to_text
from app.domain.settings_account import SettingFault, SettingLine, SettingsAccount

_OK = CheckResult("check.store", CheckStatus.OK, "Fine", Owner.NOBODY, 3.21)
_WARN = CheckResult("check.outbox", CheckStatus.WARN, "1 refused", Owner.USER, 1.0)


def _fail(owner: Owner) -> CheckResult:
    return CheckResult("check.backend", CheckStatus.FAIL, "Not reached", owner)


@pytest.mark.parametrize(
    ("owner", "code"), [(Owner.USER, 10), (Owner.IT, 20), (Owner.VENDOR, 30), (Owner.NOBODY, 30)]
)
def test_the_exit_code_names_the_owner(owner: Owner, code: int) -> None:
    assert exit_code([_OK, _fail(owner)]) == code


def test_a_warning_is_no_failure() -> None:
    assert exit_code([_OK, _WARN]) == 0


def test_the_first_failure_decides() -> None:
    assert exit_code([_fail(Owner.IT), _fail(Owner.VENDOR)]) == 20


def test_json_and_text_say_the_same() -> None:
    document = json.loads(to_json([_OK, _fail(Owner.IT)], "1.2.3"))
    assert (document["ok"], document["exit_code"], document["version"]) == (False, 20, "1.2.3")
    assert document["checks"][0] == {
        "name": "store",
        "status": "ok",
        "sentence": "Fine",
        "owner": "",
        "elapsed_ms": 3.2,
    }
    text = to_text([_OK, _fail(Owner.IT)])
    assert "FAIL  Service" in text and "[IT]" in text


def test_both_tell_settings_with_their_origin_and_what_is_wrong() -> None:
    lines = (
        SettingLine("Theme", "Theme", "dark", "managed", "policies.json", locked=True),
        SettingLine("LogLevel", "Log level", "info", "default"),
    )
    account = SettingsAccount(lines, (SettingFault("Odd in policies.json: no"),), ("Theme",))
    document = json.loads(to_json([_OK], "1.2.3", account))
    assert document["settings"][0] == {
        "key": "Theme",
        "value": "dark",
        "origin": "managed",
        "place": "policies.json",
        "locked": True,
        "acted_on": True,
    }
    assert document["settings_warnings"] == ["Odd in policies.json: no"]
    assert document["settings_waiting_for_a_start"] == ["Theme"]
    text = to_text([_OK], account)
    assert "set   Theme = dark (managed, policies.json)" in text
    assert "LogLevel" not in text
    assert "Odd in policies.json" in text
