"""Owns the effective settings: one frozen value per key with its origin, and what was wrong.

It never fails on a bad value: the next origin's good one, else the default, takes its place.

Precedence: managed, then installer and user in the order their setting's schema says, then
the default (docs/decisions/0007-precedence-of-settings.md).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app.settings.keys import Key
from app.settings.schema import Origin, Setting, Value, load_schema
from app.settings.sources import Source, read_system_sources
from app.settings.user_file import UserSettings
from app.settings.values import judge

_UNKNOWN_KEYS_AT_MOST = 50
_SHOWN_OF_A_KEY = 80
_KEYS_IN_SMALL = {key.lower(): key.value for key in Key}


class SettingWarning(NamedTuple):
    """Something about one place of settings that IT or the user should mend."""

    key: str
    place: str
    reason: str
    origin: Origin = Origin.MANAGED

    def __str__(self) -> str:
        subject = f"{self.key} in {self.place}" if self.key else self.place
        return f"{subject}: {self.reason}"


class _Effective(NamedTuple):
    value: Value
    origin: Origin
    place: str
    doubt: str = ""


class Settings:
    """The settings as they hold now; to see changes load them again."""

    __slots__ = ("_effective", "_reread", "schema", "unknown_keys", "warnings")

    def __init__(self, schema: Mapping[str, Setting], sources: Iterable[Source]) -> None:
        """Merge `sources`; of two with one origin the first is the stronger.

        `warnings` and `unknown_keys` then tell what IT or the user should mend; of the keys of an
        installation only misspelt ones are told, the package remembers things of its own there.
        """
        ordered = tuple(sources)
        warnings = [
            SettingWarning("", one.place, one.fault, one.origin) for one in ordered if one.fault
        ]
        self._reread: Callable[[], Settings] = lambda: self
        self.schema = schema
        self._effective = {
            key: _resolve(key, setting, ordered, warnings) for key, setting in schema.items()
        }
        self.warnings = tuple(warnings)
        unknown = [
            SettingWarning(key[:_SHOWN_OF_A_KEY], one.place, _no_such(key), one.origin)
            for one in ordered
            if one.origin is not Origin.USER
            for key in one.values
            if key not in schema and (one.origin is Origin.MANAGED or _meant_by(key))
        ]
        unknown.sort(key=lambda one: not _meant_by(one.key))
        self.unknown_keys = tuple(unknown[:_UNKNOWN_KEYS_AT_MOST])

    @classmethod
    def load(cls, config_dir: Path, *, sources: Iterable[Source] | None = None) -> Settings:
        """Read everything: this system's managed and installer places and the user's file.

        `sources` replaces the system's places. Reads a few small files (under 2 ms).
        """
        given = None if sources is None else tuple(sources)
        system = read_system_sources(_user_name()) if given is None else given
        loaded = cls(load_schema(), [*system, UserSettings(config_dir).read()])
        loaded._reread = lambda: cls.load(config_dir, sources=given)
        return loaded

    def reread(self) -> Settings:
        """Return what the same places say now; values made without places stay as they are."""
        return self._reread()

    def text(self, key: Key) -> str:
        """Return a text setting, perhaps empty."""
        value = self._effective[key].value
        assert isinstance(value, str)
        return value

    def flag(self, key: Key) -> bool:
        """Return a setting that is true or false."""
        value = self._effective[key].value
        assert isinstance(value, bool)
        return value

    def number(self, key: Key) -> int:
        """Return a whole number; its unit is part of the key's name."""
        value = self._effective[key].value
        assert isinstance(value, int)
        return value

    def texts(self, key: Key) -> tuple[str, ...]:
        """Return a list setting, perhaps empty."""
        value = self._effective[key].value
        assert isinstance(value, tuple)
        return value

    def path(self, key: Key) -> Path | None:
        """Return a file or folder setting, None when it is empty."""
        text = self.text(key)
        return Path(text) if text else None

    def value(self, key: str) -> Value:
        """Return any setting's value, for lists of settings; raises KeyError."""
        return self._effective[key].value

    def origin(self, key: str) -> Origin:
        """Return where a setting's value comes from; raises KeyError."""
        return self._effective[key].origin

    def place(self, key: str) -> str:
        """Return the file or registry key a value comes from, empty for the default."""
        return self._effective[key].place

    def doubt(self, key: str) -> str:
        """Return why a stronger place's word on a setting could not be read, "" when none was.

        What must fail closed asks for it: the value that holds is not what was meant then.
        """
        return self._effective[key].doubt

    def is_locked(self, key: str) -> bool:
        """Tell whether the user can't change a setting; raises KeyError."""
        order = self.schema[key].order()
        if Origin.USER not in order:
            return True
        origin = self._effective[key].origin
        return origin in order and order.index(origin) < order.index(Origin.USER)


def _resolve(
    key: str, setting: Setting, sources: tuple[Source, ...], warnings: list[SettingWarning]
) -> _Effective:
    """Return the strongest good value; notes bad values and values from where none may come."""
    found: dict[Origin, _Effective] = {}
    doubts: dict[Origin, str] = {}
    for source in sources:
        if source.fault and source.origin is not Origin.USER:
            doubts.setdefault(source.origin, f"{source.place}: {source.fault}")
        if key not in source.values:
            if source.origin is not Origin.USER and (odd := _misspelt(key, source.values)):
                words = str(SettingWarning(odd, source.place, _no_such(odd)))
                doubts.setdefault(source.origin, words)
            continue
        if source.origin not in setting.origins or key in source.barred:
            allowed = "managed" if key in source.barred else ", ".join(setting.origins)
            reason = f"it can't be set here ({allowed} only)"
            warnings.append(SettingWarning(key, source.place, reason, source.origin))
            continue
        judged = judge(setting, source.values[key])
        if judged.value is None:
            warnings.append(SettingWarning(key, source.place, judged.reason, source.origin))
            if source.origin not in found:
                doubts.setdefault(source.origin, str(warnings[-1]))
        else:
            effective = _Effective(judged.value, source.origin, source.place)
            found.setdefault(source.origin, effective)
    doubt = ""
    for origin in setting.order():
        doubt = doubt or doubts.get(origin, "")
        if origin in found:
            return found[origin]._replace(doubt=doubt)
    return _Effective(setting.default_value, Origin.DEFAULT, "", doubt)


def _misspelt(key: str, values: Mapping[str, object]) -> str:
    """Return how a key stands there that differs in capitals alone, "" when none does."""
    return next(
        (name for name in values if len(name) == len(key) and name.lower() == key.lower()), ""
    )


def _meant_by(name: str) -> str:
    """Return the key that a name differs from in capitals alone, "" when there is none."""
    return _KEYS_IN_SMALL.get(name.lower(), "")


def _no_such(key: str) -> str:
    meant = _meant_by(key)
    return f"there is no such setting{f'; write it {meant}' if meant else ''}"


def _user_name() -> str:
    """Return the user's name, where the system keeps managed settings by it."""
    if sys.platform == "darwin":
        import pwd

        with suppress(KeyError):
            return pwd.getpwuid(os.getuid()).pw_name
    return ""
