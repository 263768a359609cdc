"""What holds for every test: no network beyond loopback, no unannounced warning, no real user.

It does not start any part of Parley; fixtures that do stand beside the tests that use them.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path

# Before anything imports Qt or keyring.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if os.environ.get("PARLEY_SESSION_BUS") != "private":
    # Outside .ci/with-session-bus the only keyring is the user's own: keep away from it.
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

import pytest
from hypothesis import HealthCheck, settings

from tests.support.log_guard import LogGuard
from tests.support.network_guard import loopback_only
from tests.support.surroundings import require_private_keyring

settings.register_profile(
    "parley",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("explore", settings.get_profile("parley"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "parley"))


@pytest.fixture(autouse=True)
def no_network_beyond_loopback() -> Iterator[None]:
    """Refuse what is not loopback, and fail the test even if its code swallowed the refusal."""
    with loopback_only() as refused:
        yield
    if refused:
        pytest.fail(f"The test tried to reach {', '.join(sorted(set(refused)))}.")


@pytest.fixture(autouse=True)
def expect_log() -> Iterator[LogGuard]:
    """Fail on warnings in the log; `expect_log(regex, logger=…, required=…)` announces one."""
    guard = LogGuard()
    root = logging.getLogger()
    root.addHandler(guard)
    yield guard
    root.removeHandler(guard)
    if problems := guard.problems():
        pytest.fail("\n".join(problems))


@pytest.fixture(autouse=True)
def private_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the user's data, settings, cache and state folders into the test's own folder."""
    root = tmp_path / "xdg"
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(root / name.lower()))
    return root


@pytest.fixture(autouse=True)
def qt_garbage_dies_here(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect garbage on this thread only in tests with Qt.

    The collector runs on whichever thread allocates, and a QObject with a timer that dies on
    another thread than its own makes Qt warn, or worse.
    """
    if "qapp" not in request.fixturenames:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.enable()


@pytest.fixture
def private_keyring() -> None:
    """Let the test use the system keyring of the private session bus, or skip it (CI: fail)."""
    require_private_keyring()
