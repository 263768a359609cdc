"""What support reads of the settings: each one's value, who set it and where, and what is wrong.

It never holds a password, a user's name or the path of a home.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting as it holds; `origin` is managed, installer, user or default.

    Where it is not `acted_on` this version reads it and does nothing with it yet.
    """

    key: str
    title: str
    value: str
    origin: str
    place: str = ""
    locked: bool = False
    acted_on: bool = True


@dataclass(frozen=True, slots=True)
class SettingFault:
    """Something that was set and can't be used; `by_user`: in the user's own file.

    `stops` says that Parley connects to nothing because of it.
    """

    words: str
    by_user: bool = False
    stops: bool = False


@dataclass(frozen=True, slots=True)
class SettingsAccount:
    """All settings; `changed` are the keys whose new value waits for the next start."""

    lines: tuple[SettingLine, ...]
    faults: tuple[SettingFault, ...] = ()
    changed: tuple[str, ...] = ()
