"""Owns what is known of how this Parley came onto the computer: packed or not, for whom.

It never looks at settings, and never changes the installation.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path


class Installed(StrEnum):
    """For whom this Parley was installed; source: it runs from a checkout or an environment."""

    MACHINE = "machine"
    USER = "user"
    SOURCE = "source"


def installed() -> Installed:
    """Tell for whom this Parley was installed: one below the user's own folder is theirs."""
    if not is_packed():
        return Installed.SOURCE
    try:
        own = Path(sys.executable).resolve().is_relative_to(Path.home().resolve())
    except (OSError, RuntimeError):
        return Installed.MACHINE
    return Installed.USER if own else Installed.MACHINE


def is_packed() -> bool:
    """Tell whether this is an installed program rather than a Python that runs Parley."""
    return bool(getattr(sys, "frozen", False))


def own_command() -> tuple[str, ...]:
    """Return the words that start this Parley, without any option."""
    if is_packed():
        return (sys.executable,)
    return (sys.executable, "-m", "ui")
