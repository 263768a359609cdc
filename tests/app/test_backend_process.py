"""Shows that one backend process is started, read and ended whatever it does.

It does not need a working backend: small programs play the unwilling ones.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

import psutil
import pytest

from app.backend_process import BackendProcess, EmbeddedPlan
from app.domain.errors import EnvironmentFault, NotAllowed
from app.embedded import EmbeddedBackend, EmbeddedState
from backend_client.endpoint import BackendEndpoint
from tests.support.log_guard import LogGuard

HELLO = "import json,sys;h=json.loads(sys.stdin.readline());print('{\"port\": 4711}',flush=True);"
OBEDIENT = HELLO + "sys.stdin.read()"
STUBBORN = HELLO + "import signal,time;signal.signal(signal.SIGTERM,lambda *a:0);time.sleep(600)"
LOUD = (
    HELLO + "sys.stderr.write('x' * 3_000_000);sys.stderr.flush();"
    "sys.stdout.write('y' * 300_000);sys.stdout.flush();sys.stdin.read()"
)


@pytest.fixture
def plan(tmp_path: Path) -> EmbeddedPlan:
    """Keep data and log in the test's folder."""
    return EmbeddedPlan(tmp_path / "backend", tmp_path / "logs", b"k" * 32)


def _play(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr("app.backend_process.CLOSE_GRACE_S", 0.3)
    monkeypatch.setattr("app.backend_process.TERMINATE_GRACE_S", 0.3)
    command = [sys.executable, "-c", program]
    monkeypatch.setattr("app.backend_process.backend_command", lambda: command)


async def test_it_tells_its_port_and_ends_when_its_input_closes(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan
) -> None:
    """No signal is needed, so the system's way of ending pipes ends it, too."""
    _play(monkeypatch, OBEDIENT)
    monkeypatch.setattr("app.backend_process.CLOSE_GRACE_S", 60.0)
    process = BackendProcess(plan, "secret")
    assert await process.port() == 4711
    assert process.pid is not None
    await process.stop()
    assert process.status == 0
    assert process.pid is None


async def test_stubborn_process_is_forced_to_end(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan
) -> None:
    """Neither a closed input nor a request to end helps; nothing stays behind."""
    _play(monkeypatch, STUBBORN)
    process = BackendProcess(plan, "secret")
    await process.port()
    pid = process.pid
    assert pid is not None
    await process.stop()
    assert not psutil.pid_exists(pid)


async def test_stop_before_the_process_said_anything(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan
) -> None:
    """Closing Parley at once leaves no process behind."""
    _play(monkeypatch, OBEDIENT)
    process = BackendProcess(plan, "secret")
    await process.stop()
    assert process.ended.is_set()


@pytest.mark.parametrize("program", ["", "print('hello')", "print('{\"port\": 0}')", "1/0"])
async def test_process_that_tells_no_port_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan, program: str
) -> None:
    """The caller tries again later."""
    _play(monkeypatch, program)
    process = BackendProcess(plan, "secret")
    with pytest.raises(EnvironmentFault):
        await process.port()
    await process.stop()


async def test_program_that_is_not_there_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan, expect_log: LogGuard
) -> None:
    """A damaged installation is told, not thrown."""
    expect_log("can't be started")
    monkeypatch.setattr("app.backend_process.backend_command", lambda: ["/nowhere/parley-backend"])
    process = BackendProcess(plan, "secret")
    with pytest.raises(EnvironmentFault):
        await process.port()
    await process.stop()


async def test_its_words_go_to_a_bounded_log_and_never_block_it(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan
) -> None:
    """Three million characters: the files rotate, the process ends in order."""
    _play(monkeypatch, LOUD)
    monkeypatch.setattr("app.backend_process.CLOSE_GRACE_S", 60.0)
    process = BackendProcess(plan, "secret")
    await process.port()
    await process.stop()
    assert process.status == 0
    async with asyncio.timeout(60):  # what it said last may still be on its way to the files
        while any("_keep_log" in thread.name for thread in threading.enumerate()):
            await asyncio.sleep(0.01)
    sizes = [path.stat().st_size for path in plan.log_dir.iterdir()]
    assert 2 <= len(sizes) <= 4
    assert max(sizes) <= 1_000_000


def test_key_is_not_shown(plan: EmbeddedPlan) -> None:
    """Neither in a log nor in a traceback."""
    assert "kkk" not in repr(plan)


async def test_it_is_started_again_with_another_secret(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan, expect_log: LogGuard
) -> None:
    """Each start has its own; the app is told of each move and each end."""
    expect_log("the embedded backend ended")
    _play(monkeypatch, OBEDIENT)
    moved: list[BackendEndpoint] = []
    states: list[EmbeddedState] = []

    async def healthy(endpoint: BackendEndpoint) -> bool:
        return True

    backend = EmbeddedBackend(plan, healthy=healthy, moved=moved.append, changed=states.append)
    task = asyncio.create_task(backend.run())
    async with asyncio.timeout(60):
        while not states:
            await asyncio.sleep(0.01)
        assert backend.pid is not None
        os.kill(backend.pid, 9)
        while len(moved) < 2:
            await asyncio.sleep(0.01)
        pid = backend.pid
    task.cancel()
    await asyncio.wait({task})
    assert moved[0].token != moved[1].token
    assert states[:3] == [EmbeddedState.RUNNING, EmbeddedState.RESTARTING, EmbeddedState.RUNNING]
    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_backend_that_hangs_is_ended_and_started_again(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan, expect_log: LogGuard
) -> None:
    """It lives but answers nobody: the same as dead for whoever waits for it."""
    expect_log("the backend no longer answers")
    _play(monkeypatch, STUBBORN)
    monkeypatch.setattr("app.embedded.LOOK_EVERY_S", 0.02)
    moved: list[BackendEndpoint] = []
    hung = asyncio.Event()

    async def healthy(endpoint: BackendEndpoint) -> bool:
        return not hung.is_set() or endpoint != moved[0]

    backend = EmbeddedBackend(plan, healthy=healthy, moved=moved.append, changed=lambda _: None)
    task = asyncio.create_task(backend.run())
    async with asyncio.timeout(60):
        while not moved:
            await asyncio.sleep(0.01)
        first = backend.pid
        hung.set()
        while len(moved) < 2:
            await asyncio.sleep(0.01)
    assert first is not None
    assert backend.pid != first
    assert not psutil.pid_exists(first)
    task.cancel()
    await asyncio.wait({task})


async def test_it_refuses_to_run_beside_a_configured_backend(plan: EmbeddedPlan) -> None:
    """There is no fallback from a firm's backend to the sample."""

    async def healthy(endpoint: BackendEndpoint) -> bool:
        return True

    with pytest.raises(NotAllowed):
        EmbeddedBackend(
            plan,
            healthy=healthy,
            moved=lambda endpoint: None,
            changed=lambda state: None,
            configured_url="https://parley.example.com",
        )


async def test_backend_that_never_comes_up_is_told(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan, expect_log: LogGuard
) -> None:
    """After a few starts in vain the person is to hear of it; it is tried on."""
    expect_log("did not tell its port")
    _play(monkeypatch, "")
    states: list[EmbeddedState] = []

    async def healthy(endpoint: BackendEndpoint) -> bool:
        return True

    backend = EmbeddedBackend(
        plan, healthy=healthy, moved=lambda endpoint: None, changed=states.append
    )
    task = asyncio.create_task(backend.run())
    async with asyncio.timeout(60):
        while EmbeddedState.FAILING not in states:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})
    assert states[:3] == [EmbeddedState.RESTARTING] * 3
    assert EmbeddedState.RUNNING not in states


async def test_backend_that_hangs_while_it_starts_is_told(
    monkeypatch: pytest.MonkeyPatch, plan: EmbeddedPlan, expect_log: LogGuard
) -> None:
    """However long each start in vain took: only one that ran was steady."""
    expect_log("did not start in time")
    _play(monkeypatch, OBEDIENT)
    for name in ("START_TIMEOUT_S", "STEADY_S"):
        monkeypatch.setattr(f"app.embedded.{name}", 0.2)
    states: list[EmbeddedState] = []

    async def healthy(endpoint: BackendEndpoint) -> bool:
        return False

    backend = EmbeddedBackend(
        plan, healthy=healthy, moved=lambda endpoint: None, changed=states.append
    )
    task = asyncio.create_task(backend.run())
    async with asyncio.timeout(60):
        while EmbeddedState.FAILING not in states:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})
    assert EmbeddedState.RUNNING not in states
