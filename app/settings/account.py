"""Owns the account of all settings for support: value, origin, place, faults, what waits.

It never tells who the user is: homes, names of users and proxies' users are left out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from app.domain.settings_account import SettingFault, SettingLine, SettingsAccount
from app.settings.keys import Key
from app.settings.schema import Origin, Setting, Value
from app.settings.settings import Settings, SettingWarning

# Taken up at once when the user changes them; everything else is taken at the start.
TAKEN_AT_ONCE = frozenset(
    {
        Key.THEME,
        Key.LANGUAGE,
        Key.ENTER_SENDS,
        Key.UNDO_SEND_SECONDS,
        Key.LOCAL_CACHE_MEGABYTES,
        Key.ATTACHMENT_CACHE_MEGABYTES,
        Key.AUTOSTART,
    }
)
_FAIL_CLOSED = (Key.BACKEND_URL, Key.EMBEDDED_BACKEND)


def account_of(
    settings: Settings,
    *,
    at_start: Settings | None = None,
    again: Settings | None = None,
    home: Path | None = None,
) -> SettingsAccount:
    """Return the account of the settings that hold.

    `at_start` are those Parley started with and `again` the places' content now: from these
    follows what waits for the next start. `home` replaces the user's own.
    """
    private = _Private(home or Path.home())
    lines = tuple(
        SettingLine(
            key=key,
            title=setting.title,
            value=private.without(_shown(setting, settings.value(key))),
            origin=settings.origin(key).value,
            place=private.without(settings.place(key)),
            locked=settings.is_locked(key),
            acted_on=setting.acted_on,
        )
        for key, setting in settings.schema.items()
    )
    stops = {doubt for key in _FAIL_CLOSED if (doubt := settings.doubt(key))}
    odd = (
        *settings.warnings,
        *settings.unknown_keys,
        *_without_effect(settings),
        *_without_proxy(settings),
        *_open_to_the_user(settings),
    )
    faults = [_fault(one, private, stops) for one in odd]
    changed = waiting_changes(settings, at_start or settings, again or settings)
    return SettingsAccount(lines, tuple(faults), changed)


def waiting_changes(settings: Settings, at_start: Settings, again: Settings) -> tuple[str, ...]:
    """Return the keys whose places say something else than what Parley works with."""
    return tuple(
        key
        for key in settings.schema
        if again.value(key) != (settings if key in TAKEN_AT_ONCE else at_start).value(key)
    )


def _without_effect(settings: Settings) -> list[SettingWarning]:
    """Return what somebody set, and may rely on, though this version does otherwise."""
    found = []
    for key, setting in settings.schema.items():
        always, origin = setting.stands_at, settings.origin(key)
        if always is None or always == settings.value(key) or origin is Origin.DEFAULT:
            continue
        words = f"it has no effect yet: this version does as with {_shown(setting, always)}"
        found.append(SettingWarning(key, settings.place(key), words, origin))
    return found


def _without_proxy(settings: Settings) -> list[SettingWarning]:
    """Return a proxy that is meant and not named: the way there is the direct one then."""
    mode = Key.PROXY_MODE
    if settings.text(mode) != "fixed" or settings.text(Key.PROXY_URL):
        return []
    words = "it is fixed and ProxyUrl names no proxy, so Parley connects directly"
    return [SettingWarning(mode, settings.place(mode), words, settings.origin(mode))]


def _open_to_the_user(settings: Settings) -> list[SettingWarning]:
    """Return the firm's files that whoever runs Parley may write: they guard nothing."""
    firms = {
        settings.place(key): settings.origin(key)
        for key in settings.schema
        if settings.origin(key) in (Origin.MANAGED, Origin.INSTALLER)
    }
    return [
        SettingWarning("", place, "whoever uses Parley may write it; leave that to root", origin)
        for place, origin in firms.items()
        if _may_write(place)
    ]


def _may_write(place: str) -> bool:
    is_file = os.name == "posix" and place.startswith("/")
    return is_file and os.geteuid() != 0 and os.access(place, os.W_OK)


def _fault(warning: SettingWarning, private: _Private, stops: set[str]) -> SettingFault:
    words = str(warning)
    return SettingFault(
        words=private.without(words),
        by_user=warning.origin is Origin.USER,
        stops=words in stops,
    )


def _shown(setting: Setting, value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(_text(setting.items.format, text) for text in value)
    return _text(setting.format, str(value))


def _text(kind: str, text: str) -> str:
    if kind == "verifier-key":
        return "+".join([*text.split("+", 2)[:2], "…"]) if text else ""
    if kind == "proxy-url" and "@" in text:
        parts = urlsplit(text)
        return parts._replace(netloc=f"…@{parts.netloc.rpartition('@')[2]}").geturl()
    return text


class _Private:
    """Takes the user's home and name out of texts."""

    def __init__(self, home: Path) -> None:
        names = {home.name, os.environ.get("USERNAME", ""), os.environ.get("USER", "")} - {""}
        self._home = re.compile(rf"{re.escape(str(home))}(?![\w.-])", re.IGNORECASE)
        self._names = [
            re.compile(rf"(?<=[\\/]){re.escape(name)}(?![\w.-])", re.IGNORECASE)
            for name in sorted(names)
        ]

    def without(self, text: str) -> str:
        """Return the text with ~ for the home and <user> for the name as part of a path."""
        text = self._home.sub("~", text)
        for name in self._names:
            text = name.sub("<user>", text)
        return text
