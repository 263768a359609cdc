"""Which language the firm's rules speak to the user in, from the settings and the firm's book.

It never translates anything.
"""

from __future__ import annotations

from app.settings.keys import Key
from app.settings.settings import Settings

_AS_KNOWN = "system"


def language_of_rules(settings: Settings, known: str | None) -> str:
    """Return the language chosen here, else the one the firm knows the user by.

    `known` is None until the backend has told who the user is: English then.
    """
    chosen = settings.text(Key.LANGUAGE)
    return (known or "en") if chosen == _AS_KNOWN else chosen
