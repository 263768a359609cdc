"""Finds the published test vectors that lie beside the work tree.

It never makes a vector up: where they are absent a test is skipped, and in CI it fails.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.surroundings import ROOT, in_ci


def vectors_dir() -> Path:
    """Return the folder of the vectors, ../shared/vectors or PARLEY_VECTORS; it may be absent."""
    return Path(os.environ.get("PARLEY_VECTORS") or ROOT.parent / "shared" / "vectors")


def require_vectors(sub: str) -> Path:
    """Return the vectors' folder or file `sub`, or skip the test; in CI fail it instead."""
    path = vectors_dir() / sub
    if path.exists():
        return path
    reason = f"test vectors `{sub}` are not here (expected in shared/vectors beside the clone)"
    if in_ci():
        pytest.fail(reason)
    pytest.skip(reason)
