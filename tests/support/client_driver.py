"""A process that runs the client's core without a window, plays a plan of sends and may die.

It never sends a text that its store already knows, so that a kill at any moment repeats nothing.

It reads one JSON line (`Orders`) on standard input and says JSON lines on standard output:
`refused`, `opened`, `endpoint`, `progress`, `found`, `step`, `unknown`, `settled`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from app.core import Core
from app.domain.clock import SystemClock
from app.domain.drafts import Draft
from app.domain.errors import AppError
from app.domain.inbox import InboxQuery
from app.settings.paths import AppPaths
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from app.store.sync_rows import read_state
from backend_client.endpoint import BackendEndpoint
from contract.ids import ConversationId, MessageId
from contract.states import DeliveryState
from contract.wire import Direction
from tests.support.fuse import Fuse
from tests.support.fuse_points import fuse_client

PASSPHRASE = "correct horse battery staple"
UNSETTLED = {
    DeliveryState.ARCHIVED,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.UNKNOWN,
}


class Item(msgspec.Struct, frozen=True):
    """One text to send to the conversation with this title."""

    title: str
    text: str


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the parent wants.

    The process dies at step `die_at` of sending the plan's last text, or with `die_at_start`
    counted from its opening; 0 lets it live.
    """

    root: str
    passphrase: str | None = PASSPHRASE
    url: str = ""
    token: str = ""
    plan: tuple[Item, ...] = ()
    outstanding: int = 60
    die_at: int = 0
    die_at_start: bool = False
    save_drafts: bool = False
    unknown_log: str = ""
    unknown_rest_s: float = 1.0
    look_every_s: float = 0.05
    stay: bool = False
    connect: bool = True


def tell(event: str, **fields: Any) -> None:
    """Say one line at once: it must be out before the process may die."""
    os.write(1, json.dumps({"event": event, **fields}).encode() + b"\n")


class WatchedCore(Core):
    """The core, telling the parent where its backend is."""

    def _backend_moved(self, endpoint: BackendEndpoint) -> None:
        tell("endpoint", url=endpoint.url, token=endpoint.token)
        super()._backend_moved(endpoint)


def paths_below(root: Path) -> AppPaths:
    """Return the folders of one client below `root`."""
    return AppPaths(
        data_dir=root / "data",
        outbox_dir=root / "outbox",
        config_dir=root / "config",
        log_dir=root / "logs",
    )


def make_core(orders: Orders, kind: type[Core] = Core) -> Core:
    """Return a core over folders below `root`, without an undo period."""
    source = Source(Origin.USER, "the test", {"UndoSendSeconds": 0})
    settings = Settings(load_schema(), [source])
    endpoint = BackendEndpoint(url=orders.url, token=orders.token) if orders.url else None
    return kind(
        settings,
        paths_below(Path(orders.root)),
        SystemClock(),
        endpoint=endpoint,
        passphrase=orders.passphrase,
    )


class Player:
    """Plays the plan on an open core until every message has settled."""

    def __init__(self, core: Core, orders: Orders, fuse: Fuse) -> None:
        self._core = core
        self._orders = orders
        self._fuse = fuse
        self._ids: dict[str, ConversationId] = {}
        self._changed = asyncio.Event()
        self._unknown_since: dict[MessageId, float] = {}
        self._resolved = 0

    async def play(self) -> None:
        """Send what is missing, act on what is unknown, and return once all is settled."""
        unsubscribe = self._core.subscribe_changes(lambda _: self._changed.set())
        try:
            await self._meet_everyone()
            settling = asyncio.create_task(self._settle())
            try:
                await self._send_missing()
                await settling
            finally:
                settling.cancel()
                await asyncio.wait({settling})
        finally:
            unsubscribe()

    async def report(self) -> dict[str, Any]:
        """Return, per title, the employee's messages as the timeline shows them."""
        waiting = await self._core.store.outbox.list_waiting()
        return {
            "shown": {title: await self._shown(title) for title in self._ids},
            "waiting": [[entry.text, entry.state, entry.problem_code] for entry in waiting],
            "notices": self._core.status.notices,
        }

    async def _shown(self, title: str) -> list[list[str]]:
        window = await self._core.store.timeline.around(self._ids[title], None, 400, 0)
        return [
            [row.message.text, row.message.state or "", row.message.message_id]
            for row in window.rows
            if row.message.direction is Direction.OUT
        ]

    async def _meet_everyone(self) -> None:
        """Wait for the first sync's end, and for the conversations of the plan."""
        while not await self._synced():
            await self._next_change()
        wanted = {item.title for item in self._orders.plan}
        while wanted - self._ids.keys():
            page = await self._core.store.inbox.page(InboxQuery(), 500, None)
            self._ids = {
                row.conversation.title: row.conversation.conversation_id
                for row in page.rows
                if row.conversation.title in wanted
            }
            if wanted - self._ids.keys():
                await self._next_change()

    async def _synced(self) -> bool:
        """Tell whether the cache is whole, of one look at it.

        A snapshot given up between a look at the cursor and one at the snapshot would pass for
        one that has ended.
        """
        databases = self._core.store._databases
        state = await databases.read(lambda view: read_state(view.cache))
        return state.cursor is not None and state.snapshot_seq is None

    async def _send_missing(self) -> None:
        known = {title: await self._known_texts(title) for title in self._ids}
        for item in self._orders.plan:
            place = known[item.title].get(item.text, "absent")
            tell("found", text=item.text, place=place)
            if place in {"outbox", "timeline"}:
                continue
            while (await self._core.store.outbox.counts())[0] >= self._orders.outstanding:
                await self._next_change()
            lit = self._orders.die_at and not self._orders.die_at_start
            if lit and item is self._orders.plan[-1]:
                await self._arm()
            await self._send(item)

    async def _arm(self) -> None:
        """Light the fuse once no earlier send is under way."""
        while (await self._core.store.outbox.counts())[0]:
            await self._next_change()
        self._fuse.arm(self._orders.die_at)

    async def _send(self, item: Item) -> None:
        conversation_id = self._ids[item.title]
        if self._orders.save_drafts:
            draft = Draft(conversation_id=conversation_id, text=item.text)
            await self._core.messaging.save_draft(draft)
        await self._core.messaging.send(conversation_id, item.text)

    async def _known_texts(self, title: str) -> dict[str, str]:
        conversation_id = self._ids[title]
        draft = await self._core.store.drafts.get(conversation_id)
        known = {} if draft is None else {draft.text: "draft"}
        # The outbox first: a submission leaves it only after its message stands in the cache.
        for entry in await self._core.store.outbox.list_waiting(conversation_id):
            known[entry.text] = "outbox"
        for text, _, _ in await self._shown(title):
            known.setdefault(text, "timeline")
        return known

    async def _settle(self) -> None:
        """Act as the employee until nothing is under way: what stays unknown is decided."""
        planned = {item.text for item in self._orders.plan}
        while True:
            rows = [row for rows in (await self.report())["shown"].values() for row in rows]
            settled = {text for text, state, _ in rows if state and state not in UNSETTLED}
            waiting, _ = await self._core.store.outbox.counts()
            tell("progress", settled=len(settled), waiting=waiting)
            if waiting == 0 and planned <= settled:
                return
            for _, state, message_id in rows:
                await self._look_at_unknown(MessageId(message_id), state)
            await self._next_change()

    async def _look_at_unknown(self, message_id: MessageId, state: str) -> None:
        """Give the channel's word a moment, then decide by turns."""
        if state != DeliveryState.UNKNOWN:
            self._unknown_since.pop(message_id, None)
            return
        now_s = asyncio.get_running_loop().time()
        if now_s - self._unknown_since.setdefault(message_id, now_s) < self._orders.unknown_rest_s:
            return
        self._note_unknown(message_id)
        action = ("treat_as_delivered", "give_up")[self._resolved % 2]
        self._resolved += 1
        try:
            await self._core.messaging.resolve_unknown(message_id, action)
        except AppError as fault:
            tell("unknown", message_id=message_id, action=action, fault=fault.code)
        else:
            tell("unknown", message_id=message_id, action=action, fault="")

    def _note_unknown(self, message_id: MessageId) -> None:
        """Keep for the parent, beyond this process's death, what the app showed as unknown."""
        if self._orders.unknown_log:
            with Path(self._orders.unknown_log).open("a") as log:
                log.write(f"{message_id}\n")

    async def _next_change(self) -> None:
        """Wait for a commit, then a moment for its companions; half a second at most."""
        self._changed.clear()
        try:
            async with asyncio.timeout(0.5):
                await self._changed.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self._orders.look_every_s)


async def run(orders: Orders) -> int:
    """Open, connect, play, tell and close."""
    fuse = Fuse(lambda n, name: tell("step", n=n, name=name))
    core = make_core(orders, WatchedCore)
    try:
        await core.open()
    except AppError as fault:
        tell("refused", code=fault.code, key=fault.user_message_key, detail=fault.detail)
        return 3
    fuse_client(core, fuse)
    if orders.die_at and orders.die_at_start:
        fuse.arm(orders.die_at)
    tell("opened", notices=core.status.notices)
    if not orders.connect:
        await core.close()
        return 0
    await core.connect()
    player = Player(core, orders, fuse)
    await player.play()
    fuse.disarm()
    tell("settled", **await player.report())
    if orders.stay:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.readline)
    await core.close()
    return 0


def main() -> int:
    """Read the orders and run them."""
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    return asyncio.run(run(orders))


if __name__ == "__main__":
    sys.exit(main())
