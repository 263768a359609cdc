"""How long a send can be taken back, from the settings and the firm's limit.

It never counts the time down.
"""

from __future__ import annotations

from app.settings.keys import Key
from app.settings.schema import Origin
from app.settings.settings import Settings


def undo_period_s(settings: Settings, firm_limit_s: int | None) -> int:
    """Return the seconds, 0 for none; `firm_limit_s` is None until the backend has told it.

    What IT manages on this computer stands as it is. Without anybody's choice the firm's figure
    holds, and a choice may only shorten it.
    """
    chosen_s = settings.number(Key.UNDO_SEND_SECONDS)
    origin = settings.origin(Key.UNDO_SEND_SECONDS)
    if firm_limit_s is None or origin is Origin.MANAGED:
        return chosen_s
    return firm_limit_s if origin is Origin.DEFAULT else min(chosen_s, firm_limit_s)
