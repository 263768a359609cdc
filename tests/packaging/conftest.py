"""Fixtures of the packages' tests: what `make test-packaging` has built before.

They never build anything themselves, and skip with a reason where nothing was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from installers.places import BUNDLES, PACKAGES, version

WANTED = bool(os.environ.get("PARLEY_PACKAGING"))
REASON = "needs the built packages: make test-packaging"

Built = Callable[[str], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a built package where none was asked for."""
    if WANTED:
        return
    for item in items:
        if item.get_closest_marker("needs_packages"):
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture
def package() -> Built:
    """Return the package of a name, in which `{v}` stands for the version."""

    def find(name: str) -> Path:
        return _standing(PACKAGES / name.format(v=version()))

    return find


@pytest.fixture
def bundle() -> Built:
    """Return the folder of a system's bundle: `linux`, `windows` or `macos`."""

    def find(system: str) -> Path:
        return _standing(BUNDLES / system)

    return find


def _standing(path: Path) -> Path:
    if not path.exists():
        pytest.fail(f"{path.name} was not built: run make packages, or make test-packaging")
    return path
