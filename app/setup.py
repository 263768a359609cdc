"""Owns whether Parley has a backend to work with here, and whether the sample may be tried.

It never starts one, and never takes a setting that could not be read for one that is absent.
"""

from __future__ import annotations

import platform
from enum import StrEnum

from app.installation import installed
from app.settings.keys import Key
from app.settings.schema import Origin
from app.settings.settings import Settings

# What each installation lays down by itself; anything else there was somebody's decision.
_LAID_DOWN = frozenset({Key.EMBEDDED_BACKEND, Key.AUTOSTART})


class Setup(StrEnum):
    """Ready: a backend is set or the sample starts by itself. Else who can change that."""

    READY = "ready"
    ASK_IT = "ask_it"
    ASK_IT_OR_TRY = "ask_it_or_try"


def setup_of(settings: Settings) -> Setup:
    """Tell whether these settings are enough to start; what could not be read is told later."""
    if settings.text(Key.BACKEND_URL) or settings.flag(Key.EMBEDDED_BACKEND):
        return Setup.READY
    if settings.doubt(Key.BACKEND_URL) or settings.doubt(Key.EMBEDDED_BACKEND):
        return Setup.READY
    return Setup.ASK_IT if is_looked_after(settings) else Setup.ASK_IT_OR_TRY


def is_looked_after(settings: Settings) -> bool:
    """Tell whether IT manages this computer's settings, or gave the installation some."""
    if settings.unknown_keys:
        return True
    origins = {key: settings.origin(key) for key in settings.schema}
    return any(
        origin is Origin.MANAGED or (origin is Origin.INSTALLER and key not in _LAID_DOWN)
        for key, origin in origins.items()
    )


def setup_report(settings: Settings, version: str) -> str:
    """Return what support asks first, in lines; no path and no name of a person is in it."""
    places = sorted({origin.value for origin in map(settings.origin, settings.schema)})
    lines = [
        f"Parley {version}, installed for: {installed().value}",
        f"System: {platform.system()} {platform.release()} {platform.machine()}",
        f"Backend address (BackendUrl): none, origin {settings.origin(Key.BACKEND_URL).value}",
        "Sample workspace (EmbeddedBackend): off, origin"
        f" {settings.origin(Key.EMBEDDED_BACKEND).value}",
        f"Settings come from: {', '.join(places)}",
        f"Managed by IT: {'yes' if is_looked_after(settings) else 'no'}",
    ]
    lines += [f"Setting not taken: {one.key or 'a whole place'}" for one in settings.warnings]
    lines += [f"Unknown setting: {one.key}" for one in settings.unknown_keys]
    return "\n".join([*lines, "Code: SETUP-1"])
