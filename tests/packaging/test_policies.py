"""Every template for administrators: a value set in it is what the app reads.

It does not test how the app judges values or which place wins; tests/app/settings does.
"""

from __future__ import annotations

import json
import plistlib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from app.settings import sources
from app.settings.schema import SOURCE_SCHEMA, Origin, Value, load_schema
from app.settings.settings import Settings
from app.settings.sources import POLICIES_KEY_WINDOWS, read_file, read_system_sources
from app.settings.values import judge
from contract.receipts.keys import VerifierKey
from installers.policies import write
from installers.policies.admx import admx
from installers.policies.apple import (
    PAYLOAD_TYPE,
    configuration_profile,
    jamf_schema,
    property_list,
)
from installers.policies.catalogue import managed_policies, plain, starter_values
from installers.policies.linux import policies_file
from installers.policies.oma_uri import setting_uri, setting_value
from installers.policies.registry_file import registry_file
from installers.policies.words import load_words
from tests.packaging.policy_readers import Registry, Template, read_registry_file

POLICIES = managed_policies()
ENGLISH = load_words(POLICIES)["en-US"]
# Paths as this system has them: Windows' own are read under Windows' own Python.
EXAMPLES = {policy.key: policy.example("linux") for policy in POLICIES}
MACHINE = f"HKEY_LOCAL_MACHINE\\{POLICIES_KEY_WINDOWS}"


def read_back(*found: sources.Source) -> dict[str, Value]:
    """Return the effective values of every setting; each has to come from a policy."""
    settings = Settings(load_schema(), found)
    assert settings.warnings == settings.unknown_keys == ()
    assert {settings.origin(policy.key) for policy in POLICIES} == {Origin.MANAGED}
    assert all(settings.is_locked(policy.key) for policy in POLICIES)
    return {policy.key: settings.value(policy.key) for policy in POLICIES}


def judged(values: dict[str, Value]) -> dict[str, Value]:
    """Return what the app makes of values: variables of paths are replaced."""
    found = {policy.key: judge(policy.setting, values[policy.key]).value for policy in POLICIES}
    assert None not in found.values()
    return {key: value for key, value in found.items() if value is not None}


def lay_registry(monkeypatch: pytest.MonkeyPatch, registry: Registry) -> None:
    """Let the app read `registry` in place of this system's."""

    def read(hive: str, key: str) -> dict[str, object] | None:
        values = registry.get(f"{hive}\\{key}")
        return None if values is None else dict(values)

    monkeypatch.setattr(sources, "read_registry_key", read)


def test_the_examples_have_every_type_and_are_good() -> None:
    assert {policy.setting.type for policy in POLICIES} == {"string", "integer", "boolean", "array"}
    values = judged(EXAMPLES)
    changed = [policy for policy in POLICIES if values[policy.key] != policy.setting.default_value]
    assert len(changed) >= len(POLICIES) - 2  # nearly none repeats its default
    for policy in POLICIES:
        if "VerifierKey" in policy.key:
            value = values[policy.key]
            for key in value if isinstance(value, tuple) else (str(value),):
                VerifierKey.parse(key)


def test_what_the_registry_file_sets_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = read_registry_file(registry_file(POLICIES, EXAMPLES))
    assert list(registry) == [MACHINE]
    lay_registry(monkeypatch, registry)
    assert read_back(*read_system_sources(platform="win32")) == judged(EXAMPLES)


def test_the_registry_sample_marks_what_has_no_effect_yet() -> None:
    text = registry_file(POLICIES, starter_values(POLICIES, "windows")).decode("utf-16")
    late = [policy for policy in POLICIES if not policy.acted_on]
    assert late
    assert text.count("(no effect yet") == len(late)
    assert all(f"; {policy.setting.title} (no effect yet" in text for policy in late)


def test_the_registry_sample_sets_the_starters_alone() -> None:
    starters = starter_values(POLICIES, "windows")
    registry = read_registry_file(registry_file(POLICIES, starters))
    assert set(registry[MACHINE]) == set(starters)
    whole = registry_file(POLICIES, starters).decode("utf-16")
    assert all(f'"{policy.key}"=' in whole for policy in POLICIES)


@pytest.mark.parametrize("hive", ["HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER"])
def test_what_an_administrator_enters_into_the_template_is_read(
    monkeypatch: pytest.MonkeyPatch, hive: str
) -> None:
    template = Template.of(admx(POLICIES))
    registry: Registry = {f"{hive}\\{POLICIES_KEY_WINDOWS}": {}}
    for key, value in EXAMPLES.items():
        for written_key, values in template.written(key, plain(value)).items():
            registry[f"{hive}\\{written_key}"] |= values
    lay_registry(monkeypatch, registry)
    assert read_back(*read_system_sources(platform="win32")) == judged(EXAMPLES)


def test_what_intune_sends_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    template = Template.of(admx(POLICIES))
    registry: Registry = {MACHINE: {}}
    for policy in POLICIES:
        payload = setting_value(policy, EXAMPLES[policy.key])
        for key, values in template.sent_by_intune(setting_uri(policy), payload).items():
            registry[f"HKEY_LOCAL_MACHINE\\{key}"] |= values
    lay_registry(monkeypatch, registry)
    assert read_back(*read_system_sources(platform="win32")) == judged(EXAMPLES)


def test_what_the_property_list_sets_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "MANAGED_FOLDER_MACOS", tmp_path)
    monkeypatch.setattr(sources, "INSTALLER_FILE_MACOS", tmp_path / "none.plist")
    (tmp_path / "com.parley.desktop.plist").write_bytes(property_list(EXAMPLES))
    assert read_back(*read_system_sources("anna", platform="darwin")) == judged(EXAMPLES)


def test_what_the_configuration_profile_forces_is_read(tmp_path: Path) -> None:
    profile = plistlib.loads(configuration_profile(EXAMPLES, ENGLISH))
    (payload,) = profile["PayloadContent"]
    assert (payload["PayloadType"], profile["PayloadScope"]) == (PAYLOAD_TYPE, "System")
    assert payload["PayloadUUID"] != profile["PayloadUUID"]
    (forced,) = payload["PayloadContent"]["com.parley.desktop"]["Forced"]
    # What macOS lays down in the domain's file of managed preferences, in its binary form.
    path = tmp_path / "com.parley.desktop.plist"
    path.write_bytes(plistlib.dumps(forced["mcx_preference_settings"], fmt=plistlib.FMT_BINARY))
    found = read_file(path, Origin.MANAGED)
    assert found is not None
    assert read_back(found) == judged(EXAMPLES)


def test_what_jamf_s_form_accepts_is_read(tmp_path: Path) -> None:
    schema = json.loads(jamf_schema(POLICIES, ENGLISH))
    Draft202012Validator.check_schema(schema)
    entered = {key: plain(value) for key, value in EXAMPLES.items()}
    strict = Draft202012Validator({**schema, "additionalProperties": False})
    strict.validate(entered)
    path = tmp_path / "com.parley.desktop.plist"
    path.write_bytes(plistlib.dumps(entered))
    found = read_file(path, Origin.MANAGED)
    assert found is not None
    assert read_back(found) == judged(EXAMPLES)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("BackendUrl", "parley"),
        ("ProxyUrl", "socks5://proxy:1080"),
        ("UndoSendSeconds", 11),
        ("Theme", "pink"),
        ("EnterSends", "yes"),
    ],
)
def test_jamf_s_form_refuses_what_the_app_would(key: str, value: object) -> None:
    schema = json.loads(jamf_schema(POLICIES, ENGLISH))
    assert not Draft202012Validator(schema).is_valid({key: value})


def test_what_the_linux_file_sets_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources, "MANAGED_FILE_LINUX", tmp_path / "policies.json")
    monkeypatch.setattr(sources, "INSTALLER_FILE_LINUX", tmp_path / "defaults.json")
    (tmp_path / "policies.json").write_bytes(policies_file(EXAMPLES))
    assert read_back(*read_system_sources(platform="linux")) == judged(EXAMPLES)


def test_the_samples_fit_the_schema_the_app_ships() -> None:
    schema = json.loads(SOURCE_SCHEMA.read_bytes())
    for starters in (starter_values(POLICIES, "macos"), EXAMPLES):
        Draft202012Validator(schema).validate(
            {key: plain(value) for key, value in starters.items()}
        )


def test_every_file_is_written_twice_with_the_same_bytes(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in write.build(tmp_path / "a")}
    second = {path.name: path.read_bytes() for path in write.build(tmp_path / "b")}
    assert first == second
    names = {path.relative_to(tmp_path / "a").as_posix() for path in (tmp_path / "a").rglob("*.*")}
    assert {
        "windows/Parley.admx",
        "windows/en-US/Parley.adml",
        "windows/de-DE/Parley.adml",
        "windows/ja-JP/Parley.adml",
        "windows/Parley-example.reg",
        "windows/OMA-URI.md",
        "macos/com.parley.desktop.mobileconfig",
        "macos/com.parley.desktop.plist",
        "macos/jamf-schema.json",
        "linux/policies.json",
        "managed-settings.md",
    } <= names
