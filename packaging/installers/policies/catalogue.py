"""The settings that policies may set, as the schema describes them to administrators.

It does not word them in other languages; words.py does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from app.settings.schema import SOURCE_SCHEMA, Origin, Setting, Value, load_schema

System = Literal["windows", "macos", "linux"]
_SYSTEMS: tuple[System, ...] = ("windows", "macos", "linux")


class RegistryKind(StrEnum):
    """How the Windows registry holds a setting."""

    DWORD = "REG_DWORD"
    TEXT = "REG_SZ"
    EXPANDABLE = "REG_EXPAND_SZ"
    TEXTS = "REG_MULTI_SZ"


class Policy(msgspec.Struct, frozen=True):
    """One setting that may be managed; `setting` is exactly what the app reads of it."""

    key: str
    setting: Setting
    examples: tuple[Value, ...]
    starter: bool

    @property
    def acted_on(self) -> bool:
        """Tell whether the app does what the setting says, rather than only read it."""
        return self.setting.acted_on

    @property
    def registry_kind(self) -> RegistryKind:
        """Return the registry's type for it."""
        if self.setting.type in {"boolean", "integer"}:
            return RegistryKind.DWORD
        if self.setting.type == "array":
            return RegistryKind.TEXTS
        is_path = self.setting.format == "absolute-path"
        return RegistryKind.EXPANDABLE if is_path else RegistryKind.TEXT

    def example(self, system: System) -> Value:
        """Return a value that a firm could set on a system."""
        return self.examples[min(_SYSTEMS.index(system), len(self.examples) - 1)]


class _Notes(msgspec.Struct, frozen=True):
    examples: list[bool | int | str | list[str]]
    starter: bool = msgspec.field(default=False, name="x-starter")


class _Document(msgspec.Struct, frozen=True):
    properties: dict[str, _Notes]


def managed_policies() -> tuple[Policy, ...]:
    """Return every setting that policies may set, in the schema's order.

    Raises OSError or msgspec.DecodeError for a schema that can't be read.
    """
    notes = msgspec.json.decode(SOURCE_SCHEMA.read_bytes(), type=_Document).properties
    return tuple(
        Policy(
            key=key,
            setting=setting,
            examples=tuple(_frozen(value) for value in notes[key].examples),
            starter=notes[key].starter,
        )
        for key, setting in load_schema(SOURCE_SCHEMA).items()
        if Origin.MANAGED in setting.origins
    )


def starter_values(policies: tuple[Policy, ...], system: System) -> dict[str, Value]:
    """Return the values of the example files: few, and what most firms set."""
    return {policy.key: policy.example(system) for policy in policies if policy.starter}


def plain(value: Value) -> bool | int | str | list[str]:
    """Return a value as JSON and property lists hold it."""
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: bool | int | str | list[str]) -> Value:
    return tuple(value) if isinstance(value, list) else value
