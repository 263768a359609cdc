"""Tests of the checks on a real core. They never use a network beyond loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core import Core
from app.diagnostics import checks
from app.diagnostics.checks import Subject, run_checks
from app.diagnostics.results import CheckResult, CheckStatus, Owner, exit_code
from app.domain.clock import SystemClock
from app.domain.errors import EnvironmentFault, KeyringMissing, StoreBusy
from app.settings.paths import AppPaths
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from tests.support.log_guard import LogGuard

PASSPHRASE = "correct horse battery"


def _core(folder: Path, passphrase: str | None = PASSPHRASE) -> Core:
    paths = AppPaths(folder / "data", folder / "data", folder / "config", folder / "logs")
    return Core(Settings(load_schema(), ()), paths, SystemClock(), passphrase=passphrase)


async def _checked(core: Core) -> dict[str, CheckResult]:
    return {result.name_key: result async for result in run_checks(core.diagnostics_subject())}


async def test_without_a_service_the_local_checks_are_fine_and_the_rest_fails(
    tmp_path: Path,
) -> None:
    core = _core(tmp_path)
    await core.open()
    try:
        found = await _checked(core)
    finally:
        await core.close()
    fine = [key for key, result in found.items() if result.status is CheckStatus.OK]
    assert fine == [
        "check.settings",
        "check.store",
        "check.keyring",
        "check.version",
        "check.outbox",
    ]
    assert found["check.backend"].owner is Owner.VENDOR
    assert exit_code(list(found.values())) == 30
    assert all(result.elapsed_ms > 0 for result in found.values())


async def test_a_folder_in_use_is_the_users_to_mend(tmp_path: Path) -> None:
    first, second = _core(tmp_path), _core(tmp_path)
    await first.open()
    try:
        with pytest.raises(StoreBusy):
            await second.open()
        found = await _checked(second)
    finally:
        await first.close()
    assert found["check.store"].status is CheckStatus.FAIL
    assert exit_code(list(found.values())) == 10


async def test_a_check_that_breaks_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: LogGuard
) -> None:
    async def broken(_subject: Subject) -> CheckResult:
        raise RuntimeError("canary")

    expect_log("check.keyring failed")
    monkeypatch.setitem(checks.CHECKS, "check.keyring", broken)
    core = _core(tmp_path)
    await core.open()
    try:
        found = await _checked(core)
    finally:
        await core.close()
    assert found["check.outbox"].status is CheckStatus.OK
    assert found["check.keyring"].owner is Owner.VENDOR
    assert "canary" not in found["check.keyring"].sentence


async def test_a_folder_that_can_not_be_made_is_its_to_mend(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the folder's place")
    core = _core(tmp_path)
    with pytest.raises(EnvironmentFault):
        await core.open()
    found = await _checked(core)
    assert "permissions" in found["check.store"].sentence
    assert exit_code(list(found.values())) == 20


async def test_a_missing_keyring_is_named(tmp_path: Path) -> None:
    import keyring
    from keyring.backends.fail import Keyring as NoKeyring

    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]  # keyring's own
    try:
        core = _core(tmp_path, passphrase=None)
        with pytest.raises(KeyringMissing):
            await core.open()
        found = await _checked(core)
    finally:
        keyring.set_keyring(before)
    assert found["check.keyring"].status is CheckStatus.FAIL
    assert exit_code(list(found.values())) == 20


def _with_settings(folder: Path, *sources: Source) -> Core:
    paths = AppPaths(folder / "data", folder / "data", folder / "config", folder / "logs")
    settings = Settings.load(folder / "config", sources=sources)
    return Core(settings, paths, SystemClock(), passphrase=PASSPHRASE)


async def test_what_it_set_wrongly_is_named_for_it(tmp_path: Path) -> None:
    wrong = Source(Origin.MANAGED, "policies.json", {"Theme": "pink", "Odd": 1})
    found = (await _checked(_with_settings(tmp_path, wrong)))["check.settings"]
    assert (found.status, found.owner) == (CheckStatus.WARN, Owner.IT)
    assert found.sentence.startswith("Theme in policies.json: it has to be one of")
    assert found.sentence.endswith("; and 1 more, see the list")


async def test_a_setting_that_stops_parley_is_its_first_failure(tmp_path: Path) -> None:
    wrong = Source(Origin.MANAGED, "policies.json", {"Theme": "pink", "BackendUrl": "parley"})
    results = list((await _checked(_with_settings(tmp_path, wrong))).values())
    assert results[0].name_key == "check.settings"
    assert results[0].sentence.startswith("BackendUrl in policies.json")
    assert exit_code(results) == 20


async def test_the_users_own_mistake_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.json").write_text('{"UndoSendSeconds": 99}')
    found = (await _checked(_with_settings(tmp_path)))["check.settings"]
    assert (found.status, found.owner) == (CheckStatus.WARN, Owner.USER)


async def test_a_setting_changed_meanwhile_waits_for_a_start(tmp_path: Path) -> None:
    core = _with_settings(tmp_path)
    assert (await _checked(core))["check.settings"].status is CheckStatus.OK
    (tmp_path / "config").mkdir(exist_ok=True)
    (tmp_path / "config" / "settings.json").write_text('{"LogLevel": "debug"}')
    found = (await _checked(core))["check.settings"]
    assert found.sentence == "Changed since Parley started: LogLevel; start Parley again"
