"""Tells which modules some code has loaded, in a fresh interpreter of its own.

It never imports anything of ours itself.
"""

from __future__ import annotations

import subprocess
import sys

from tests.support.surroundings import ROOT

_WITHIN_S = 50
_TOLD = "\nimport sys\nprint(*sys.modules)"


def loaded_by(code: str) -> frozenset[str]:
    """Return the names of all modules that are there once `code` has run; it prints nothing."""
    done = subprocess.run(
        [sys.executable, "-c", code + _TOLD],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=_WITHIN_S,
    )
    return frozenset(done.stdout.split())
