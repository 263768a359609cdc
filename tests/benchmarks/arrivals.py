"""Lets events arrive at a steady rate while a window is driven, applied as the sync room does.

It never uses a network: what a stream would hand over is decoded from JSON and put in batches.
"""

from __future__ import annotations

import asyncio
import random
import time

import msgspec

from app.sync.event_buffer import EventBuffer
from app.sync.runner import BATCH_EVENTS
from contract.events import ConversationUpserted, Event, MessageUpserted
from contract.ids import ConversationId, MessageId, uuid7
from contract.wire import Conversation, Direction, Message, MessageKind, Preview
from tests.benchmarks.dataset_texts import message_text
from ui.workspace import Workspace

_TICK_S = 0.01
_TEXTS = 1_000
_LANGUAGES = ("en",) * 8 + ("ja", "zh")


class Arrivals:
    """An async context; `applied` counts the events that are in the store."""

    def __init__(self, workspace: Workspace, per_s: float, chance: random.Random) -> None:
        self._workspace = workspace
        self._store = workspace.core.store
        self._per_s = per_s
        self._chance = chance
        self._buffer = EventBuffer()
        self._tasks: list[asyncio.Task[None]] = []
        self._known: list[Conversation] = []
        self._number_of: dict[ConversationId, int] = {}
        # Made beforehand: making words up is no part of what the window has to bear.
        self._texts = [message_text(chance, chance.choice(_LANGUAGES)) for _ in range(_TEXTS)]
        self._seq = 0
        self.arrived = 0
        self.applied = 0

    async def __aenter__(self) -> Arrivals:
        rows = self._workspace.inbox.model.rows()
        self._known = [row.conversation for row in rows]
        self._seq = await self._store.cache.cursor() or 0
        self._number_of = {one.conversation_id: n for n, one in enumerate(self._known)}
        self._tasks = [
            asyncio.create_task(self._arrive(), name="events arrive"),
            asyncio.create_task(self._apply(), name="events are applied"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _arrive(self) -> None:
        began = time.perf_counter()
        decoder = msgspec.json.Decoder(Event)
        while True:
            due = int((time.perf_counter() - began) * self._per_s)
            while self.arrived < due:
                for event in self._pair():
                    await self._buffer.add(decoder.decode(msgspec.json.encode(event)))
                    self.arrived += 1
            await asyncio.sleep(_TICK_S)

    async def _apply(self) -> None:
        while batch := await self._buffer.take(BATCH_EVENTS):
            await self._store.cache.apply_events(batch, batch[-1].seq)
            self.applied += len(batch)

    def _pair(self) -> tuple[Event, Event]:
        """Return a client's message and what it makes of its conversation's row."""
        number = self._chosen()
        talk, now = self._known[number], time.time_ns() // 1_000_000
        text = self._texts[self._seq // 2 % _TEXTS]
        message = Message(
            message_id=MessageId(uuid7(now, self._chance.randbytes(10))),
            conversation_id=talk.conversation_id,
            version=1,
            revision=0,
            direction=Direction.IN,
            kind=MessageKind.TEXT,
            text=text,
            author_id=talk.contact_ids[0] if talk.contact_ids else "",
            author_name=talk.title,
            place_at_utc_ms=now,
            place_index=10_000_000 + self._seq,
            occurred_at_utc_ms=now,
        )
        fresh = msgspec.structs.replace(
            talk,
            version=talk.version + 1,
            last_activity_utc_ms=now,
            unread_count=talk.unread_count + 1,
            preview=Preview(
                message_id=message.message_id,
                text=text[:120],
                direction=Direction.IN,
                at_utc_ms=now,
                author_name=talk.title,
            ),
        )
        self._known[number] = fresh
        self._seq += 2
        return (
            Event(seq=self._seq - 1, at_utc_ms=now, body=MessageUpserted(message=message)),
            Event(seq=self._seq, at_utc_ms=now, body=ConversationUpserted(conversation=fresh)),
        )

    def _chosen(self) -> int:
        shown: ConversationId | None = self._workspace.conversation.conversation_id
        if shown in self._number_of and self._chance.random() < 0.5:
            return self._number_of[shown]
        return self._chance.randrange(len(self._known))
