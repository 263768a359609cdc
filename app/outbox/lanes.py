"""Owns when which submission is tried: one at a time per conversation, a few lanes at once.

It never changes a state by itself but the end of an undo period: attempts do, by the table.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.domain.clock import Clock
from app.domain.errors import AppError, Bug, EnvironmentFault
from app.domain.timeline import OutboxEntry
from app.outbox.submission import Submitter
from app.store.store import Store
from backend_client.backoff import Backoff, wait_or
from contract.ids import ConversationId
from contract.states import IllegalTransition, OutboxEvent, OutboxState

_LOG = logging.getLogger(__name__)

MOST_LANES = 6
LONGEST_SLEEP_S = 30.0
REST_AFTER_FAULT_S = 2.0
# No undo period is longer: what seems to have more time left was composed by another clock.
LONGEST_UNDO_S = 10


class LaneRunner:
    """Works through the outbox; `wake` after anything that may have made an entry due."""

    def __init__(
        self,
        store: Store,
        submitter: Submitter,
        clock: Clock,
        *,
        most_lanes: int = MOST_LANES,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        """While `may_send` says no, no lane is opened; `wake` when it may say yes again."""
        self._store = store
        self._submitter = submitter
        self._clock = clock
        self._most_lanes = most_lanes
        self._may_send = may_send
        self._ahead_ms = self._offset_ms()
        self._woken = asyncio.Event()
        self._all_due = False
        self._recovered = False
        self._busy: dict[ConversationId, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look for due entries now."""
        self._woken.set()

    def retry_all(self) -> None:
        """Make every waiting entry due and look: the line is up, or the person asks."""
        self._all_due = True
        self._woken.set()

    async def recover(self) -> None:
        """Put entries that a former run left behind back in their lanes, with the same keys.

        Belongs before the first send: it also ends undo periods that a crash cut short. Entries
        that were accepted when the run ended stay until their receipts are verified; without
        anybody to verify them they are forgotten, since the cache has their messages.
        """
        await self._store.outbox.restart()
        if not self._submitter.verifies:
            for entry in await self._store.archive.accepted():
                await self._store.outbox.forget(entry.message_id)
        self._recovered = True

    async def run(self) -> None:
        """Send for ever; cancel to stop. A run after a failed one recovers first."""
        patience = Backoff(0.5, LONGEST_SLEEP_S)
        try:
            if not self._recovered:
                await self.recover()
            while True:
                try:
                    sleep_s = await self._start_due()
                    patience.reset()
                except EnvironmentFault as fault:
                    _LOG.error("outbox can't be read: %s", fault.code)
                    sleep_s = patience.next_s()
                await wait_or(self._woken, sleep_s)
        finally:
            self._recovered = False
            await self._stop_lanes()

    async def _start_due(self) -> float:
        """Start every due lane there is room for; return how long nothing else is due."""
        if not self._may_send():
            return LONGEST_SLEEP_S
        if self._all_due:
            self._all_due = False
            await self._store.outbox.retry_now()
        now_utc_ms = self._now_utc_ms()
        # A lane just opened may still look due, so those at work are asked for on top.
        asked = self._most_lanes + len(self._busy)
        due = await self._store.outbox.due(now_utc_ms, asked)
        sleep_s = LONGEST_SLEEP_S  # what is due runs; its end wakes us
        for head in due.heads:
            if head.conversation_id in self._busy:
                continue
            if len(self._busy) >= self._most_lanes:
                return LONGEST_SLEEP_S  # the next lane to end wakes us
            if undo_s := self._undo_left_s(head):
                sleep_s = min(sleep_s, undo_s)
            else:
                self._open_lane(head)
        if due.next_utc_ms is None or due.next_utc_ms <= now_utc_ms:
            return sleep_s
        return min(sleep_s, (due.next_utc_ms - now_utc_ms) / 1000 + 0.001)

    def _now_utc_ms(self) -> int:
        """Return the time of the clock that was ahead of all others since the start.

        Somebody may set the computer's clock back; a message must not wait for that hour.
        """
        self._ahead_ms = max(self._ahead_ms, self._offset_ms())
        return int(1000 * self._clock.monotonic_s()) + self._ahead_ms

    def _offset_ms(self) -> int:
        return self._clock.now_utc_ms() - int(1000 * self._clock.monotonic_s())

    def _undo_left_s(self, head: OutboxEntry) -> float:
        """Return how long an entry can still be undone by the clock as it stands now.

        A clock that was set back, as at the start of many a day, must not cut later periods short.
        """
        left_s = (head.undo_until_utc_ms - self._clock.now_utc_ms()) / 1000
        is_running = head.state is OutboxState.UNDO and 0 < left_s <= LONGEST_UNDO_S
        return left_s + 0.001 if is_running else 0.0

    def _open_lane(self, head: OutboxEntry) -> None:
        task = asyncio.create_task(self._work(head), name=f"outbox: {head.message_id}")
        self._busy[head.conversation_id] = task
        task.add_done_callback(lambda done: self._lane_ended(head, done))

    async def _work(self, head: OutboxEntry) -> None:
        entry = head
        if entry.state is OutboxState.UNDO:
            entry = await self._store.outbox.transition(entry.message_id, OutboxEvent.UNDO_ELAPSED)
        await self._submitter.attempt(entry)

    def _lane_ended(self, head: OutboxEntry, task: asyncio.Task[None]) -> None:
        conversation_id = head.conversation_id
        fault = None if task.cancelled() else task.exception()
        if fault is None:
            self._release(conversation_id)
            return
        if isinstance(fault, IllegalTransition):
            _LOG.info("a submission was taken back before it was sent")
        elif isinstance(fault, AppError):
            _LOG.error("outbox lane: %s", fault.code)
        else:
            _LOG.error("outbox lane: %s", type(fault).__name__)
        # A lane that failed rests, so that a fault that stays can't spin.
        mending = asyncio.create_task(self._put_back(head), name=f"outbox: {head.message_id}")
        self._busy[conversation_id] = mending
        mending.add_done_callback(lambda done: self._mended(conversation_id, done))

    async def _put_back(self, head: OutboxEntry) -> None:
        """Let an entry wait again whose attempt ended unforeseen: "sending", none could cancel it.

        The backend may have it: it is tried again with the same key.
        """
        await asyncio.sleep(REST_AFTER_FAULT_S)
        due_utc_ms = self._clock.now_utc_ms() + int(1000 * LONGEST_SLEEP_S)
        await self._store.outbox.transition(
            head.message_id,
            OutboxEvent.RETRY,
            next_attempt_utc_ms=due_utc_ms,
            problem_code=Bug.code,
        )

    def _mended(self, conversation_id: ConversationId, task: asyncio.Task[None]) -> None:
        fault = None if task.cancelled() else task.exception()
        if fault is not None and not isinstance(fault, IllegalTransition):
            _LOG.error("outbox lane: not put back: %s", type(fault).__name__)
        self._release(conversation_id)

    def _release(self, conversation_id: ConversationId) -> None:
        self._busy.pop(conversation_id, None)
        self._woken.set()

    async def _stop_lanes(self) -> None:
        while tasks := set(self._busy.values()):  # one that failed just now leaves another
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
