"""The table of lanes: true after every kind of write, right in older files, cheap among thousands.

It never sends.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from app.domain.changes import ChangeSet
from app.domain.timeline import OutboxEntry
from app.store.cipher import connect
from app.store.databases import ReadView
from app.store.engine import driver_of
from app.store.outbox_tables import OUTBOX_VERSION
from app.store.store import Store
from contract.ids import ConversationId, MessageId
from contract.states import IllegalTransition, OutboxEvent, OutboxState
from tests.app.store.values import OUTBOX_KEY, conversation, entry, fill, message, open_at

_OLD_FILE = Path(__file__).parent / "data" / "outbox-version-3.db"
_OPEN = (OutboxState.UNDO, OutboxState.QUEUED, OutboxState.SENDING)


def _due_at(head: OutboxEntry) -> int | None:
    if head.state is OutboxState.SENDING:
        return None
    is_undo = head.state is OutboxState.UNDO
    return head.undo_until_utc_ms if is_undo else head.next_attempt_utc_ms


async def _check(store: Store) -> None:
    """Compare what lanes say with all entries, looked through one by one."""
    waiting = [e for e in await store.outbox.list_waiting(limit=9_999) if e.state in _OPEN]
    refused = [
        e for e in await store.outbox.list_waiting(limit=9_999) if e.state is OutboxState.REFUSED
    ]
    assert await store.outbox.counts() == (len(waiting), len(refused))
    heads: dict[ConversationId, OutboxEntry] = {}
    for each in waiting:
        heads.setdefault(each.conversation_id, each)
    due = {e.message_id: at for e in heads.values() if (at := _due_at(e)) is not None}
    for now in (0, 5, 10, 50):
        found = await store.outbox.due(now)
        assert {each.message_id for each in found.heads} == {
            k for k, at in due.items() if at <= now
        }
        assert found.next_utc_ms == (min(due.values()) if due else None)


async def test_lanes_are_true_after_any_sequence_of_writes(store: Store) -> None:
    chance = random.Random(5)
    for number in range(220):
        key = MessageId(f"m{chance.randrange(max(1, number))}")
        match chance.randrange(6):
            case 0 | 1:
                state = chance.choice(list(OutboxState)[:5])
                times = (chance.choice((0, 7)), chance.choice((0, 0, 9)))
                new = entry(f"m{number}", state=state, home=f"c{chance.randrange(4)}")
                if await store.outbox.get(new.message_id) is None:
                    await store.outbox.add(_timed(new, *times))
            case 2:
                await store.outbox.forget(key)
            case 3:
                await store.outbox.retry_now()
            case _:
                step = chance.choice([each for each in OutboxEvent if each != "cancel"])
                due = 9 if step is OutboxEvent.RETRY else 0
                try:
                    await store.outbox.transition(key, step, next_attempt_utc_ms=due)
                except IllegalTransition:
                    continue
        if number % 10 == 0:
            await _check(store)
    await store.outbox.restart()
    await _check(store)


def _timed(new: OutboxEntry, undo_until: int, next_attempt: int) -> OutboxEntry:
    if new.state is OutboxState.UNDO:
        return replace(new, undo_until_utc_ms=undo_until)
    return replace(new, next_attempt_utc_ms=next_attempt)


async def test_a_genuine_file_of_version_3_keeps_everything_and_gets_its_lanes(
    tmp_path: Path,
) -> None:
    shutil.copyfile(_OLD_FILE, tmp_path / "outbox.db")
    store = await open_at(tmp_path)
    entries = await store.outbox.list_waiting()
    assert [each.message_id for each in entries] == [f"w{n:03}" for n in range(1, 121)]
    assert entries[-1].text == "See you on Thursday. 19" and entries[27].acknowledged == ("rule-1",)
    await _check(store)
    assert await store.outbox.counts() == (117, 2)
    now = 1_760_000_008_000
    heads = (await store.outbox.due(now)).heads
    assert [each.message_id for each in heads] == ["w006", "w009", "w014", "w004"]
    assert (await store.drafts.all_ids()) == {"c0", "c9"}
    assert await store.archive.get("tree") == b"tree bytes"
    assert (await store.archive.verified(MessageId("v1"))) is not None
    await store.outbox.restart()
    await _check(store)
    assert (await store.check()).ok
    await store.close()
    driver = connect(tmp_path / "outbox.db", OUTBOX_KEY)
    assert driver.execute("PRAGMA user_version").fetchone()[0] == OUTBOX_VERSION
    driver.close()


async def test_lanes_counted_wrongly_are_right_again_at_the_next_start(tmp_path: Path) -> None:
    store = await open_at(tmp_path)
    for n in range(6):
        await store.outbox.add(entry(f"m{n}", home=f"c{n % 2}"))
    await store.close()
    driver = connect(tmp_path / "outbox.db", OUTBOX_KEY)
    driver.execute("UPDATE lanes SET head = 99, waiting_count = 7")
    driver.close()
    store = await open_at(tmp_path)
    await _check(store)
    await store.close()


class _Steps:
    """Counts the engine's own steps (tens of them), which no busy machine changes."""

    def __init__(self, store: Store) -> None:
        self._databases = store._databases
        self.tens = 0

    def _tick(self) -> int:
        self.tens += 1
        return 0

    async def count(self, on: bool) -> None:
        """Begin to count on both threads of the outbox's file, or end it."""

        def on_writer(connection: Connection) -> tuple[None, ChangeSet]:
            driver_of(connection).set_progress_handler(self._tick if on else None, 10)
            return None, ChangeSet()

        def on_reader(view: ReadView) -> None:
            for connection in (view.outbox, view.cache):
                driver_of(connection).set_progress_handler(self._tick if on else None, 10)

        await self._databases.write_outbox(on_writer)
        await self._databases.read(on_reader)


async def _cost_of_a_send(store: Store, message_id: str) -> int:
    key, home, steps = MessageId(message_id), ConversationId("c1"), _Steps(store)
    await steps.count(True)
    await store.outbox.due(1, 12)
    await store.outbox.transition(key, OutboxEvent.START)
    await store.outbox.counts()
    await store.inbox.rows((home,))
    await store.timeline.rows(home, (key,))
    await store.timeline.around(home, None, 60, 0)
    await store.archive.refused("policy_denied")
    await store.outbox.retry_now()
    await store.outbox.forget(key)
    await steps.count(False)
    return steps.tens


async def test_a_send_costs_the_same_with_thousands_waiting_behind_it(store: Store) -> None:
    await fill(store, (conversation("c1"),), (message("s1", home="c1"),))
    for n in range(100):
        await store.outbox.add(entry(f"m{n:04}", home="c1"))
    few = await _cost_of_a_send(store, "m0000")
    for n in range(100, 2_000):
        await store.outbox.add(entry(f"m{n:04}", home="c1"))
    many = await _cost_of_a_send(store, "m0001")
    assert 0 < many < few * 1.2, (few, many)
