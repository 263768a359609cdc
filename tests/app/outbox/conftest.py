"""Runs the outbox over a real store and a small wire.

It does not start the backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest

from app.domain.archive import VerifiedEntry
from app.domain.clock import Clock, SystemClock
from app.inspection import FileInspections
from app.outbox.files import FileTransfers
from app.outbox.lanes import LaneRunner
from app.outbox.messaging import Messaging
from app.outbox.read_marks import ReadMarks
from app.outbox.sent_changes import SentChanges
from app.outbox.submission import Submitter
from app.store.store import Store
from backend_client.client import GovernedApi
from contract.wire import Message, SubmitMessage
from tests.app.small_backend import SmallBackend


@dataclass
class UndoPeriod:
    """How long a send can be taken back."""

    seconds: int = 0


class NoProofs:
    """Verifies nothing: no key is pinned here."""

    async def confirm_edit(
        self, command: SubmitMessage, before: Message, receipt: str, decision_hash: str
    ) -> VerifiedEntry | None:
        return None


@dataclass
class Sending:
    """The parts of a running outbox."""

    messaging: Messaging
    files: FileTransfers
    lanes: LaneRunner
    marks: ReadMarks
    undo: UndoPeriod


def build(api: GovernedApi, store: Store, clock: Clock | None = None) -> Sending:
    """Wire the outbox as the core does."""
    clock, undo_s = clock or SystemClock(), UndoPeriod()
    lanes = LaneRunner(
        store, Submitter(api, store, clock, lambda: 0.0, lambda message: None), clock
    )
    marks = ReadMarks(api, store)
    files = FileTransfers(api, lambda: 1_000_000, FileInspections(store), store.files)
    messaging = Messaging(
        api,
        store,
        clock,
        lanes,
        marks,
        files,
        SentChanges(api, store, clock, NoProofs(), lambda: True),
        undo_s=lambda: undo_s.seconds,
        hint=lambda draft: b"",
    )
    return Sending(messaging, files, lanes, marks, undo_s)


@asynccontextmanager
async def running(sending: Sending) -> AsyncIterator[Sending]:
    """Run lanes and read marks for the length of a block."""
    await sending.lanes.recover()
    tasks = {
        asyncio.create_task(sending.lanes.run()),
        asyncio.create_task(sending.marks.run()),
    }
    try:
        yield sending
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let failed attempts come again within milliseconds, and a file as late as it likes."""
    monkeypatch.setattr("app.outbox.files.PATIENCE_S", 60.0)
    monkeypatch.setattr("app.inspection.LONGEST_S", 120.0)
    monkeypatch.setattr("app.outbox.submission.FIRST_RETRY_S", 0.02)
    monkeypatch.setattr("app.outbox.submission.MOST_RETRY_S", 0.1)
    monkeypatch.setattr("app.outbox.lanes.REST_AFTER_FAULT_S", 0.05)


@pytest.fixture
async def synced(world: SmallBackend, store: Store) -> Store:
    """Put the small world's conversations into the store, as a first sync does."""
    await fill(world, store)
    return store


async def fill(world: SmallBackend, store: Store) -> None:
    """Apply the world's first page."""
    from contract.wire import SnapshotPage

    page = SnapshotPage(
        seq=0,
        next_cursor="",
        total_messages=0,
        total_conversations=len(world.conversations),
        contacts=tuple(world.contacts),
        conversations=tuple(world.conversations),
    )
    await store.cache.apply_snapshot_page(page, first=True)


@pytest.fixture
async def sending(
    governed_api: GovernedApi, synced: Store
) -> AsyncIterator[AbstractAsyncContextManager[Sending]]:
    """Hand out an outbox that runs while its block does."""
    yield running(build(governed_api, synced))
