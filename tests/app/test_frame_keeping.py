"""Shows when memory is given back: once all is quiet, also after work that changed nothing.

It does not look at what stands in a kept frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from app import frame_keeping
from app.bundle_desk import BundleDesk
from app.domain.clock import SystemClock
from app.frame_keeping import FrameKeeping
from app.store.store import Store
from contract.ids import ConversationId
from contract.wire import CapabilitiesDocument
from tests.app.core_world import holds, running_core

_QUIET_S = 0.05


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the moments at which memory is given back, after a twentieth of a second of quiet."""
    moments: list[float] = []
    clock = SystemClock()
    monkeypatch.setattr(frame_keeping, "QUIET_S", _QUIET_S)
    monkeypatch.setattr(frame_keeping, "give_back", lambda: moments.append(clock.monotonic_s()))
    return moments


@asynccontextmanager
async def _keeping(store: Store) -> AsyncIterator[FrameKeeping]:
    keeping = FrameKeeping(store, SystemClock(), lambda: None)
    running = asyncio.create_task(keeping.run())
    try:
        yield keeping
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_work_that_changed_nothing_gives_its_memory_back_each_time(
    store: Store, given: list[float]
) -> None:
    async with _keeping(store) as keeping:
        keeping.stir()
        await holds(lambda: len(given) == 1)
        keeping.stir()
        await holds(lambda: len(given) == 2)


async def test_memory_is_given_back_only_after_the_last_of_the_work(
    store: Store, given: list[float]
) -> None:
    clock = SystemClock()
    async with _keeping(store) as keeping:
        for _ in range(10):
            keeping.stir()
            last_s = clock.monotonic_s()
            await asyncio.sleep(_QUIET_S / 5)
        await holds(lambda: bool(given) and given[-1] - last_s >= _QUIET_S * 0.9)


async def test_only_a_change_keeps_a_frame(
    store: Store, given: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[ConversationId | None] = []

    async def keep(conversation_id: ConversationId | None, *_: object) -> bool:
        kept.append(conversation_id)
        return True

    monkeypatch.setattr(store.frames, "keep", keep)
    async with _keeping(store) as keeping:
        keeping.stir()
        await holds(lambda: len(given) == 1)
        assert not kept
        keeping.show(ConversationId("chat"))
        await holds(lambda: len(given) == 2)
        assert kept == ["chat"]
        await keeping.keep()
    assert kept == ["chat"]


async def test_what_compiling_the_policy_took_is_given_back_at_a_start_without_news(
    tmp_path: Path, given: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second start over a folder: nothing changes, and the policy is compiled all the same."""
    async with running_core(tmp_path):
        pass
    clock, compile_first, compiled = SystemClock(), BundleDesk.take, list[float]()

    async def take(desk: BundleDesk, bundle: bytes, told: CapabilitiesDocument | None) -> str:
        faults = await compile_first(desk, bundle, told)
        compiled.append(clock.monotonic_s())
        return faults

    monkeypatch.setattr(BundleDesk, "take", take)
    async with running_core(tmp_path):
        await holds(lambda: bool(compiled and given) and given[-1] > compiled[-1])
