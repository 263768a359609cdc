"""Owns the inbound loop: reference data, snapshot when due, then the stream, for ever.

It never advances the cursor by itself: the store moves it in the commit that applies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from app.domain.errors import (
    AppError,
    BackendFault,
    CursorGone,
    MalformedReply,
    Offline,
    Refused,
    Timeout,
)
from app.domain.status import Link
from app.faults import to_app_error
from app.store.store import Store
from app.sync.event_buffer import EventBuffer
from app.sync.reference import ReferenceKeeper
from app.sync.snapshot import pull_snapshot
from backend_client.backoff import Backoff, wait_or
from backend_client.client import GovernedApi
from backend_client.errors import ClientError, Garbled
from backend_client.errors import CursorGone as StreamCursorGone
from backend_client.events import EventStream, Line, StreamTiming
from contract.events import (
    ApprovalsChanged,
    ClientTyping,
    ConversationUpserted,
    Erased,
    Event,
    MessageUpserted,
    PolicyChanged,
    Sealed,
)
from contract.ids import ConversationId

_LOG = logging.getLogger(__name__)

BATCH_EVENTS = 500
REFUSED_RETRY_S = 60.0


class SyncListener(Protocol):
    """Who is told what the inbound loop learns; all on the loop's thread."""

    def link_changed(self, link: Link, fault: AppError | None) -> None:
        """The line to the backend came up or went down."""

    def sync_progressed(self, syncing: bool, applied: int, total: int) -> None:
        """A snapshot is under way (`applied` of `total` messages) or has ended."""

    def client_typing(self, conversation_id: ConversationId, typing: bool) -> None:
        """A client began or stopped typing."""

    def archived_at(self, at_utc_ms: int) -> None:
        """A message was archived at this time."""

    def facts_seen(self, conversation_id: ConversationId, version: int) -> None:
        """A conversation came with this version of what policy must know of it."""

    def approvals_changed(self, pending: int) -> None:
        """The supervisor's queue changed; `pending` messages wait."""

    def sealed(self, seal: Sealed) -> None:
        """The archive sealed a submission; its receipt is not verified yet."""

    def erased(self, erased: Erased) -> None:
        """Messages were lawfully erased, here too."""


class SyncRunner:
    """Keeps the cache equal to what the employee may see on the backend."""

    def __init__(
        self,
        api: GovernedApi,
        store: Store,
        reference: ReferenceKeeper,
        listener: SyncListener,
        *,
        timing: StreamTiming | None = None,
    ) -> None:
        self._api = api
        self._store = store
        self._reference = reference
        self._listener = listener
        self._timing = timing or StreamTiming()
        self._backoff = Backoff(self._timing.first_retry_s, self._timing.most_retry_s)
        self._hurried = asyncio.Event()
        self._stream: EventStream | None = None

    def hurry(self) -> None:
        """Try at once: the backend moved or answered somebody else."""
        self._hurried.set()
        if self._stream is not None:
            self._stream.hurry()

    async def run(self) -> None:
        """Sync for ever; cancel to stop. Faults are told to the listener and waited out."""
        while True:
            try:
                await self._reference.refresh()
                await self._sync_once()
            except ClientError as fault:
                await self._recover(to_app_error(fault))
            except AppError as fault:
                await self._recover(fault)

    async def _sync_once(self) -> None:
        """Bring a snapshot in when due, then follow the stream until it can't go on."""
        cursor = await self._store.cache.cursor()
        if cursor is None:
            self._listener.sync_progressed(True, 0, 0)
            await pull_snapshot(
                self._api,
                self._store,
                lambda applied, total: self._listener.sync_progressed(True, applied, total),
            )
            cursor = await self._store.cache.cursor()
        self._listener.sync_progressed(False, 0, 0)
        if cursor is not None:
            await self._follow(cursor)

    async def _follow(self, cursor: int) -> None:
        stream = EventStream(self._api, cursor, report=self._report, timing=self._timing)
        buffer = EventBuffer()
        pump = asyncio.create_task(_pump(stream, buffer), name="sync: stream")
        self._stream = stream
        try:
            while batch := await buffer.take(BATCH_EVENTS):
                await self._apply(batch)
                self._backoff.reset()
            await pump
        except (StreamCursorGone, Garbled) as fault:
            _LOG.warning("the stream can't go on, a snapshot is due: %s", fault.detail)
            await self._store.cache.begin_resync()
            raise
        finally:
            self._stream = None
            pump.cancel()
            await asyncio.wait({pump})
            if not pump.cancelled():
                pump.exception()  # raised above, or of no interest to a caller that goes away

    async def _apply(self, batch: Sequence[Event]) -> None:
        stored = [event for event in batch if event.seq > 0]
        if stored:
            await self._store.cache.apply_events(stored, stored[-1].seq)
        for event in batch:
            await self._announce(event)

    async def _announce(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ClientTyping):
            self._listener.client_typing(body.conversation_id, body.typing)
        elif isinstance(body, ConversationUpserted):
            talk = body.conversation
            self._listener.facts_seen(talk.conversation_id, talk.facts_version)
        elif isinstance(body, ApprovalsChanged):
            self._listener.approvals_changed(body.pending)
        elif isinstance(body, PolicyChanged):
            await self._reference.refresh_bundle()
        elif isinstance(body, Sealed):
            self._listener.archived_at(body.archive.archived_at_utc_ms)
            self._listener.sealed(body)
        elif isinstance(body, Erased):
            self._listener.erased(body)
        elif isinstance(body, MessageUpserted) and body.message.archive is not None:
            self._listener.archived_at(body.message.archive.archived_at_utc_ms)

    def _report(self, line: Line, fault: ClientError | None) -> None:
        if line is not Line.DOWN:
            self._listener.link_changed(Link.ONLINE, None)
        elif fault is not None:
            self._listener.link_changed(Link.OFFLINE, to_app_error(fault))

    async def _recover(self, fault: AppError) -> None:
        """Tell of a fault and wait before the next round."""
        if isinstance(fault, Refused):
            self._listener.link_changed(Link.REFUSED, fault)
            await wait_or(self._hurried, self._backoff.next_s(REFUSED_RETRY_S))
            return
        if isinstance(fault, Offline | Timeout | BackendFault | MalformedReply):
            self._listener.link_changed(Link.OFFLINE, fault)
        elif not isinstance(fault, CursorGone):
            _LOG.error("sync: %s", fault.code)
        await wait_or(self._hurried, self._backoff.next_s(fault.retry_after_s))


async def _pump(stream: EventStream, buffer: EventBuffer) -> None:
    try:
        await stream.follow(buffer.add)
    finally:
        buffer.close()
