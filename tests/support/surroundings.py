"""What tests may count on where they run: CI, the private session bus, the repository's root.

It never changes the surroundings.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def in_ci() -> bool:
    """Tell whether continuous integration runs the tests; there nothing may be skipped quietly."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def python_path(*folders: str | Path) -> str:
    """Return PYTHONPATH for a child of ours: the root, these folders, what the test was given.

    The last one is how the race finder (.ci/jitter) reaches the children, too.
    """
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(ROOT), *map(str, folders), *([given] if given else [])])


def has_private_keyring() -> bool:
    """Tell whether the tests run under .ci/with-session-bus with a keyring of their own."""
    return os.environ.get("PARLEY_SESSION_BUS") == "private"


def require_private_keyring() -> None:
    """Skip the test where there is no keyring of its own; in CI fail it instead."""
    if has_private_keyring():
        return
    reason = "needs a private keyring: run under .ci/with-session-bus (make test does)"
    if in_ci():
        pytest.fail(reason)
    pytest.skip(reason)
