"""Owns reading the settings' schema: type, default, limits and permitted origins of each.

It never judges a value; values.py does.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

SHIPPED_SCHEMA = Path(__file__).with_name("schema.json")
SOURCE_SCHEMA = Path(__file__).parents[2] / "packaging" / "policy" / "schema.json"

Value = bool | int | str | tuple[str, ...]


class Origin(StrEnum):
    """Where a value comes from."""

    DEFAULT = "default"
    USER = "user"
    INSTALLER = "installer"
    MANAGED = "managed"


class Items(msgspec.Struct, frozen=True):
    """What the entries of a list have to be."""

    format: str = ""
    min_length: int = msgspec.field(default=0, name="minLength")
    max_length: int = msgspec.field(default=2_048, name="maxLength")


class Setting(msgspec.Struct, frozen=True):
    """One setting as the schema describes it; limits hold for values of its type only."""

    type: str
    title: str
    description: str
    default: bool | int | str | list[str]
    origins: tuple[Origin, ...] = msgspec.field(name="x-origins")
    category: str = msgspec.field(name="x-category")
    installer: str = msgspec.field(default="fixed", name="x-installer")
    stands_at: bool | int | None = msgspec.field(default=None, name="x-stands-at")
    enum: tuple[str, ...] = ()
    format: str = ""
    minimum: int = 0
    maximum: int = 2**31 - 1
    max_length: int = msgspec.field(default=2_048, name="maxLength")
    max_items: int = msgspec.field(default=500, name="maxItems")
    items: Items = Items()

    @property
    def acted_on(self) -> bool:
        """Tell whether this version goes by the setting: where not, by `stands_at` alone."""
        return self.stands_at is None

    @property
    def default_value(self) -> Value:
        """Return the value that holds when nobody set a good one."""
        return tuple(self.default) if isinstance(self.default, list) else self.default

    def order(self) -> tuple[Origin, ...]:
        """Return the origins that may set it, the strongest first.

        An installer's `fixed` value stands over the user's, a `suggested` one below it.
        """
        strong = (Origin.MANAGED, Origin.INSTALLER, Origin.USER)
        weak = (Origin.MANAGED, Origin.USER, Origin.INSTALLER)
        chosen = weak if self.installer == "suggested" else strong
        return tuple(origin for origin in chosen if origin in self.origins)


class _Document(msgspec.Struct, frozen=True):
    properties: dict[str, Setting]


def load_schema(path: Path | None = None) -> dict[str, Setting]:
    """Read the schema: the copy shipped beside this module, else the source tree's.

    Raises OSError or msgspec.DecodeError when the installation is damaged.
    """
    chosen = path or (SHIPPED_SCHEMA if SHIPPED_SCHEMA.exists() else SOURCE_SCHEMA)
    return msgspec.json.decode(chosen.read_bytes(), type=_Document).properties
