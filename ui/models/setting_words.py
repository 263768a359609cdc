"""Says in words who set a setting, as the settings page and the diagnostics do.

It never reads a setting.
"""

from __future__ import annotations

from app.settings.schema import Origin

_WORDS = {
    Origin.DEFAULT: "As Parley has it",
    Origin.USER: "Set by you",
    Origin.INSTALLER: "Set at installation",
    Origin.MANAGED: "Managed by your firm",
}


def origin_words(origin: Origin) -> str:
    """Return who set a value, to stand alone."""
    return _WORDS[origin]


def origin_clause(origin: Origin) -> str:
    """Return the same for the middle of a sentence."""
    words = _WORDS[origin]
    return words[0].lower() + words[1:]
