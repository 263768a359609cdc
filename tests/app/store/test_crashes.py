"""Kills a writing process at many moments: what it was told to be kept is there afterwards.

It never kills a process it did not start.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.store.store import Store
from tests.app.store.values import HOME, open_at
from tests.support.child import Child
from tests.support.waiting import until

_KILLS = 5


def _await_lines(writer: Child, enough: int) -> None:
    until(lambda: len(writer.lines) > enough or not writer.alive, "more commits")


async def _kept_numbers(store: Store) -> list[int]:
    kept = await store.outbox.list_waiting(limit=100_000)
    for each in kept:
        assert each.text == f"text {int(each.message_id[1:])}"
    return [int(each.message_id[1:]) for each in kept]


@pytest.mark.slow
async def test_a_killed_writer_loses_no_commit_it_was_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    start = 0
    for kill in range(_KILLS):
        with Child("tests.app.store.writer", {}, str(folder), str(start)) as writer:
            writer.expect("sent")
            writer.expect("applied")
            enough = len(writer.lines) + 7 * kill
            _await_lines(writer, enough)
            # The kill falls anywhere between two steps of the commits under way.
            time.sleep(0.0013 * kill)
            writer.kill()
            last_sent = writer.told("sent")[-1]["number"]
            last_applied = writer.told("applied")[-1]["number"]
        store = await open_at(folder)
        assert store.notices == ()
        numbers = await _kept_numbers(store)
        assert numbers == list(range(len(numbers))) and len(numbers) >= last_sent + 1
        draft = await store.drafts.get(HOME)
        # The draft is either sent or still a draft, never both and never gone between.
        assert draft is None or draft.text == f"text {len(numbers)}"
        cursor = await store.cache.cursor()
        assert cursor is not None and cursor >= last_applied
        checked = await store.check()
        assert checked.ok and checked.message_count == cursor - 1
        start = len(numbers)
        await store.close()
