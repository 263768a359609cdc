"""Managed settings in a real registry, imported by reg.exe and read by Windows' own Python in wine.

They never touch the machine's registry: each module has a prefix of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

from app.settings.sources import INSTALLER_KEY_WINDOWS, POLICIES_KEY_WINDOWS
from installers import inputs
from installers.places import ROOT
from installers.policies.catalogue import managed_policies, plain, starter_values
from installers.policies.registry_file import registry_file
from installers.windows import runtime, wine
from installers.windows.wine import Wine, windows_path
from tests.packaging.conftest import Built

pytestmark = [pytest.mark.needs_packages, pytest.mark.timeout(1800)]

POLICIES = managed_policies()
WHOLE = {policy.key: policy.example("windows") for policy in POLICIES}
_READ = """
import json, sys
from pathlib import Path
from app.settings.settings import Settings
settings = Settings.load(Path(sys.argv[1]))
told = {
    key: [settings.value(key), settings.origin(key), settings.place(key)]
    for key in settings.schema
}
Path(sys.argv[2]).write_text(
    json.dumps({"told": told, "faults": [str(one) for one in settings.warnings]})
)
"""

Told = dict[str, list[Any]]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """Return a computer for the whole module."""
    made = wine.prepare(tmp_path_factory.mktemp("policies") / "computer")
    yield made
    made.stop()


@pytest.fixture
def windows(prefix: Wine) -> Wine:
    """Return the computer with nothing set."""
    for hive in ("HKLM", "HKCU"):
        for key in (POLICIES_KEY_WINDOWS, INSTALLER_KEY_WINDOWS):
            prefix.run(["reg", "delete", rf"{hive}\{key}", "/f"])
    return prefix


def import_file(windows: Wine, content: bytes, folder: Path) -> None:
    """Import a .reg file as an administrator would."""
    path = folder / "policies.reg"
    path.write_bytes(content)
    ran = windows.run(["reg", "import", path])
    assert ran.status == 0, ran


def set_value(windows: Wine, key: str, name: str, data: str, kind: str = "REG_SZ") -> None:
    """Set one value of the registry."""
    ran = windows.run(["reg", "add", key, "/v", name, "/t", kind, "/d", data, "/f"])
    assert ran.status == 0, ran


def read(windows: Wine, folder: Path) -> tuple[Told, list[str]]:
    """Return what the app reads on that computer: value, origin and place of each key."""
    found = folder / "found.json"
    found.unlink(missing_ok=True)
    modules = ";".join(windows_path(path) for path in (ROOT, inputs.site_packages("windows")))
    ran = windows.run(
        [runtime.python(), "-B", "-c", _READ, folder / "config", found],
        variables={"PYTHONPATH": modules},
        timeout_s=600,
    )
    assert ran.status == 0, ran
    answer = json.loads(found.read_text(encoding="utf-8"))
    return answer["told"], answer["faults"]


def test_every_value_of_the_registry_file_is_what_the_app_reads(
    windows: Wine, tmp_path: Path
) -> None:
    import_file(windows, registry_file(POLICIES, WHOLE), tmp_path)
    told, faults = read(windows, tmp_path)
    assert faults == []
    machine = rf"HKEY_LOCAL_MACHINE\{POLICIES_KEY_WINDOWS}"
    for policy in POLICIES:
        value, origin, place = told[policy.key]
        assert (origin, place) == ("managed", machine), policy.key
        if policy.setting.format == "absolute-path":
            assert "%" not in value
            assert PureWindowsPath(value).is_absolute()
            assert value.endswith(str(WHOLE[policy.key]).rpartition("%")[2])
        else:
            assert value == plain(WHOLE[policy.key]), policy.key


def test_the_sample_sets_what_it_shows_and_nothing_else(windows: Wine, tmp_path: Path) -> None:
    starters = starter_values(POLICIES, "windows")
    import_file(windows, registry_file(POLICIES, starters), tmp_path)
    told, faults = read(windows, tmp_path)
    assert faults == []
    managed = {key: value for key, (value, origin, _) in told.items() if origin == "managed"}
    assert managed == {key: plain(value) for key, value in starters.items()}


def test_the_places_stand_in_their_order(windows: Wine, tmp_path: Path) -> None:
    user_policy, machine_policy = rf"HKCU\{POLICIES_KEY_WINDOWS}", rf"HKLM\{POLICIES_KEY_WINDOWS}"
    set_value(windows, rf"HKCU\{INSTALLER_KEY_WINDOWS}", "backendurl", "https://user.example.com")
    told, _ = read(windows, tmp_path)
    assert told["BackendUrl"][:2] == ["https://user.example.com", "installer"]
    set_value(windows, rf"HKLM\{INSTALLER_KEY_WINDOWS}", "EmbeddedBackend", "0", "REG_DWORD")
    set_value(windows, user_policy, "Theme", "dark")
    set_value(windows, user_policy, "LogLevel", "debug")
    set_value(windows, machine_policy, "Theme", "light")
    set_value(windows, rf"{machine_policy}\ProxyBypass", "1", "one.example.com")
    set_value(windows, rf"{machine_policy}\ProxyBypass", "2", "two.example.com")
    told, _ = read(windows, tmp_path)
    assert told["BackendUrl"][:2] == ["", "default"]
    assert told["EmbeddedBackend"][:2] == [False, "installer"]
    assert told["Theme"][:2] == ["light", "managed"]
    assert told["LogLevel"][:2] == ["debug", "managed"]
    assert told["ProxyBypass"][:2] == [["one.example.com", "two.example.com"], "managed"]


def test_the_packed_program_names_origin_and_place(
    windows: Wine, bundle: Built, tmp_path: Path
) -> None:
    set_value(windows, rf"HKLM\{POLICIES_KEY_WINDOWS}", "EmbeddedBackend", "0", "REG_DWORD")
    set_value(windows, rf"HKLM\{POLICIES_KEY_WINDOWS}", "Theme", "pink")
    found = tmp_path / "found.json"
    program = bundle("windows") / "parley.exe"
    ran = windows.run(
        [program, "--selftest", "--json", "--output", found, "--data-dir", tmp_path], timeout_s=600
    )
    told = json.loads(found.read_text(encoding="utf-8"))
    assert (ran.status, told["exit_code"]) == (20, 20), ran
    embedded = next(one for one in told["settings"] if one["key"] == "EmbeddedBackend")
    machine = rf"HKEY_LOCAL_MACHINE\{POLICIES_KEY_WINDOWS}"
    assert embedded == {
        "key": "EmbeddedBackend",
        "value": "no",
        "origin": "managed",
        "place": machine,
        "locked": True,
        "acted_on": True,
    }
    assert told["settings_warnings"] == [
        f"Theme in {machine}: it has to be one of system, light, dark"
    ]
