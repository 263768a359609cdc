"""Runs the storage's jobs as the window asks for them, and the limits as they begin by themselves.

It never waits for the desk's own clock.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app import upkeep_desk
from app.domain.upkeep import UpkeepEnd, UpkeepJob, UpkeepOutcome, UpkeepState
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from app.store.store import Store
from app.tasks import TaskOwner
from app.upkeep_desk import UpkeepDesk
from contract.events import Erased
from contract.ids import AttachmentId, MessageId
from contract.wire import Attachment
from tests.app.store.values import HOME, conversation, event, fill, message
from tests.support.waiting import eventually

_MESSAGES = 3_000


async def _when(look: Callable[[], bool], what: str) -> None:
    async def ask() -> bool:
        return look()

    await eventually(ask, what)


class _World:
    """A desk over a real store; `faults` holds what its tasks reported."""

    def __init__(self, store: Store) -> None:
        self.values: dict[str, object] = {}
        self.is_filling = False
        self.fill_looks = 0
        self.let_go_count = 0
        self.states: list[UpkeepState] = []
        self.faults: list[Exception] = []
        self.tasks = TaskOwner(lambda name, fault: self.faults.append(fault))
        self.desk = UpkeepDesk(
            store, self.settings, self.tasks.spawn, self._looks_for_fill, self._gone
        )
        self.desk.subscribe(self.states.append)

    def settings(self) -> Settings:
        """Return the settings as the test has them."""
        return Settings(load_schema(), [Source(Origin.USER, "test", self.values)])

    def _looks_for_fill(self) -> bool:
        self.fill_looks += 1
        return self.is_filling

    def _gone(self) -> None:
        self.let_go_count += 1

    async def outcome(self, job: UpkeepJob) -> UpkeepOutcome:
        """Run a job and return how it ended."""
        self.desk.start(job)
        await _when(lambda: self.desk.state.outcome is not None, "an end")
        assert self.desk.state.outcome is not None and self.desk.state.job is None
        return self.desk.state.outcome


@pytest.fixture
async def world(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[_World]:
    """Give a store of some megabytes with its desk."""
    monkeypatch.setattr(upkeep_desk, "_FIRST_LOOK_S", 0.0)
    texts = tuple(
        message(f"m{n}", f"word{n} common " * 40, at=n * 60_000) for n in reversed(range(_MESSAGES))
    )
    await fill(store, (conversation(),), texts)
    made = _World(store)
    yield made
    await made.tasks.close()
    assert made.faults == []


@asynccontextmanager
async def _running(world: _World) -> AsyncIterator[None]:
    world.tasks.keep_running("upkeep", world.desk.run)
    yield


async def test_a_check_says_what_it_found_and_how_far_it_is(world: _World) -> None:
    outcome = await world.outcome(UpkeepJob.CHECK)
    assert outcome == UpkeepOutcome(UpkeepJob.CHECK, UpkeepEnd.DONE, _MESSAGES)
    fractions = [state.fraction for state in world.states[:-1]]
    assert fractions == sorted(fractions)


async def test_an_index_that_lacks_rows_is_found_and_rebuilt(world: _World, store: Store) -> None:
    await _cut_a_rebuild_short(store)
    assert (await world.outcome(UpkeepJob.CHECK)).end is UpkeepEnd.INDEX_STALE
    assert (await world.outcome(UpkeepJob.REBUILD_INDEX)).end is UpkeepEnd.DONE
    assert (await world.outcome(UpkeepJob.CHECK)).end is UpkeepEnd.DONE


async def test_an_index_an_upgrade_left_behind_is_finished_by_itself(
    world: _World, store: Store
) -> None:
    await _cut_a_rebuild_short(store)
    async with _running(world):
        await _when(lambda: world.desk.state.outcome is not None, "an end")
    assert world.states[0].job is UpkeepJob.FINISH_INDEX
    assert not await store.upkeep.is_index_unfinished() and (await store.check()).ok


async def _cut_a_rebuild_short(store: Store) -> None:
    begun = asyncio.Event()
    cut = asyncio.create_task(store.upkeep.rebuild_index(lambda _: begun.set()))
    await begun.wait()
    cut.cancel()
    await asyncio.wait({cut})
    assert await store.upkeep.is_index_unfinished()


async def test_messages_over_the_limit_go_by_themselves_but_not_amid_a_first_sync(
    world: _World, store: Store
) -> None:
    before = await store.upkeep.used_bytes()
    world.values["LocalCacheMegabytes"] = before // (1 << 20) - 1
    world.is_filling = True
    async with _running(world):
        await _when(lambda: world.fill_looks > 0, "a look at the limits")
        assert world.states == []
        world.is_filling = False
        world.desk.limits_changed()
        await _when(lambda: world.let_go_count == 1, "messages let go")
    use = await world.desk.use()
    assert use.messages_bytes <= use.messages_limit_bytes < before
    assert world.desk.state.outcome is not None and world.desk.state.outcome.amount > 0


async def test_a_cancelled_letting_go_waits_until_the_limit_is_looked_at_again(
    world: _World, store: Store
) -> None:
    world.values["LocalCacheMegabytes"] = 1
    # In the midst of the work, not some looks later.
    stop = world.desk.subscribe(lambda state: world.desk.cancel() if state.fraction > 0 else None)
    async with _running(world):
        await _when(lambda: world.desk.state.outcome is not None, "an end")
        assert world.desk.state.outcome is not None
        assert world.desk.state.outcome.end is UpkeepEnd.CANCELLED
        stop()
        number = len(world.states)
        world.desk.limits_changed()
        await _when(lambda: len(world.states) > number, "another beginning")
    assert (await store.check()).ok


async def test_no_limit_lets_nothing_go(world: _World, store: Store) -> None:
    world.values["LocalCacheMegabytes"] = 0
    assert (await world.outcome(UpkeepJob.LET_GO)).amount == 0
    assert (await store.check()).message_count == _MESSAGES


async def test_a_lower_limit_for_files_holds_at_once(
    world: _World, store: Store, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"x" * 100_000)
    kept = Attachment(
        attachment_id=AttachmentId("a"),
        name="a",
        media_type="x/x",
        size_bytes=100_000,
        sha256=hashlib.sha256(plain.read_bytes()).hexdigest(),
    )
    await store.files.keep(kept, plain, HOME)
    assert await store.files.held_bytes() > 100_000
    async with _running(world):
        world.values["AttachmentCacheMegabytes"] = 0
        world.desk.limits_changed()
        await eventually(lambda: _no_files(store), "no file kept")


async def _no_files(store: Store) -> bool:
    return await store.files.held_bytes() == 0


async def test_older_copies_go_with_what_is_erased(
    world: _World, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    copies = [folder / name for name in ("cache-version-1.db", "cache-20261121T201500Z.db")]
    for copy in copies:
        copy.write_bytes(b"holds what was erased")
    store.subscribe(world.desk.changed)
    async with _running(world):
        erased = Erased(conversation_id=HOME, message_ids=(MessageId("m1"),))
        await store.cache.apply_events([event(2, erased)], 2)
        await _when(lambda: not any(copy.exists() for copy in copies), "no copy left")
    assert (folder / "cache.db").exists() and (folder / "outbox.db").exists()


async def test_compaction_tells_what_it_gained(world: _World, store: Store) -> None:
    await store.upkeep.let_go(0)
    outcome = await world.outcome(UpkeepJob.COMPACT)
    assert outcome.end is UpkeepEnd.DONE and outcome.amount > 0
