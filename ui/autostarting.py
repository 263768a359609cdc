"""Keeps this user's autostart entry true to the setting Autostart.

It never writes one for a Parley that keeps its data in a folder given for this run.
"""

from __future__ import annotations

import logging
import os

from app.installation import own_command
from app.session.autostart import keep_autostart
from app.settings.keys import Key
from app.settings.paths import DATA_DIR_VARIABLE
from app.settings.settings import Settings

_log = logging.getLogger(__name__)


def follow_autostart(settings: Settings) -> str:
    """Write or remove the entry as the setting says; return what went wrong in a sentence, or "".

    Writes one small file or registry value when it differs.
    """
    if os.environ.get(DATA_DIR_VARIABLE):
        return ""
    try:
        keep_autostart(settings.flag(Key.AUTOSTART), own_command())
    except OSError as error:
        _log.warning("the autostart entry was not written: %s", type(error).__name__)
        return f"The session's autostart entry could not be written: {error.strerror or error}."
    return ""
