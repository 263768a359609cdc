"""The app without a window, told by its parent to queue, mend and cancel messages while it sends.

It takes JSON lines from its input and answers each with one; it never acts by itself.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import msgspec

from app.core import Core
from app.domain.drafts import Draft
from app.domain.errors import Conflict
from app.domain.inbox import InboxQuery
from app.domain.queue import QueueRow
from app.domain.status import Link
from contract.ids import ConversationId
from contract.states import DeliveryState
from contract.wire import Direction
from tests.support.client_driver import Item, Orders, make_core, tell

MENDED = " (mended)"
_LOOK_S = 0.2


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the parent: queue a plan, mend some messages, cancel a conversation's, end."""

    do: str
    plan: tuple[Item, ...] = ()
    count: int = 0
    title: str = ""


class QueueDriver:
    """Carries out wishes on an open core whose conversations are told apart by their titles."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ids: dict[str, ConversationId] = {}

    async def carry_out(self, wish: Wish) -> None:
        """Do what the parent wants and answer."""
        match wish.do:
            case "meet":
                await self._meet(wish.count)
            case "queue":
                await self._queue(wish.plan)
            case "mend":
                await self._mend(wish.count)
            case "cancel":
                await self._cancel(wish.title)
            case "report":
                await self._report()
            case other:
                raise ValueError(other)

    async def watch(self) -> None:
        """Tell how much waits, for ever."""
        while True:
            waiting, refused = await self._core.store.outbox.counts()
            tell("progress", waiting=waiting, refused=refused, link=self._core.status.link)
            await asyncio.sleep(_LOOK_S)

    async def _meet(self, count: int) -> None:
        """Wait for the first sync's end and for as many conversations with clients of the test."""
        while len(self._ids) < count or self._core.status.syncing:
            page = await self._core.store.inbox.page(InboxQuery(), 500, None)
            self._ids = {
                row.conversation.title: row.conversation.conversation_id
                for row in page.rows
                if row.conversation.title.startswith("Queue Client")
            }
            await asyncio.sleep(_LOOK_S)
        while (
            self._core.status.link is Link.ONLINE and not self._core.status.archive_verified_utc_ms
        ):
            await asyncio.sleep(_LOOK_S)
        tell("met", count=len(self._ids))

    async def _queue(self, plan: tuple[Item, ...]) -> None:
        began_s = time.monotonic()
        for item in plan:
            await self._core.messaging.send(self._ids[item.title], item.text)
        tell("queued", count=len(plan), took_s=time.monotonic() - began_s)

    async def _mend(self, count: int) -> None:
        """Edit every other, cancel the others of `count` messages near the queue's end."""
        rows: list[QueueRow] = []
        position = 1 << 60
        while len(rows) < count:
            page = await self._core.messaging.queue.earlier(position, 500)
            rows.extend(row for row in page.rows[::7] if row.can_cancel)
            if not page.has_earlier:
                break
            position = page.rows[0].position
        done = []
        for number, row in enumerate(rows[:count]):
            home = row.entry.conversation_id
            try:
                draft = await self._core.messaging.cancel(row.entry.message_id)
            except Conflict:
                continue  # it left meanwhile: nothing was changed
            assert draft.text == row.entry.text
            if number % 2:
                await self._core.messaging.send(home, draft.text + MENDED)
            else:
                await self._core.messaging.save_draft(Draft(home, ""))
            done.append([row.title, draft.text, number % 2 == 1])
        tell("mended", done=done)

    async def _cancel(self, title: str) -> None:
        home = self._ids[title]
        done = await self._core.messaging.queue.cancel(home, keep_texts=True)
        draft = await self._core.store.drafts.get(home)
        tell("cancelled", count=done.count, draft="" if draft is None else draft.text)

    async def _report(self) -> None:
        """Tell each own message of each conversation, whether verified, and what is left."""
        shown: dict[str, list[list[Any]]] = {}
        for title, home in self._ids.items():
            window = await self._core.store.timeline.around(home, None, 499, 0)
            shown[title] = [
                [row.message.text, row.verified, (row.message.state or DeliveryState.FAILED).value]
                for row in window.rows
                if row.message.direction is Direction.OUT
            ]
        left = await self._core.store.outbox.list_waiting()
        alarm = self._core.status.archive_alarm is not None
        tell("report", shown=shown, left=len(left), alarm=alarm)


async def run(orders: Orders) -> int:
    """Open, connect, and carry out wishes until the input ends."""
    core = make_core(orders)
    await core.open()
    await core.connect()
    driver = QueueDriver(core)
    watching = asyncio.create_task(driver.watch())
    loop = asyncio.get_running_loop()
    try:
        while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
            await driver.carry_out(msgspec.json.decode(line, type=Wish))
    finally:
        watching.cancel()
        await asyncio.wait({watching})
        await core.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run(msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders))))
