"""Owns the inbound loop: reference data, then the stream with a snapshot filling in beside it.

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
    ClientTooOld,
    CursorGone,
    MalformedReply,
    Offline,
    Refused,
    Timeout,
)
from app.domain.status import Link
from app.faults import to_app_error
from app.store.store import Store
from app.sync.catch_up import FEATURE, catch_up
from app.sync.event_buffer import EventBuffer
from app.sync.history_fill import HistoryFill, SnapshotGone, StreamPutBack
from app.sync.open_history import OpenHistory
from app.sync.reference import ReferenceKeeper
from backend_client.backoff import Backoff, wait_or
from backend_client.client import GovernedApi
from backend_client.errors import ClientError, Garbled
from backend_client.errors import CursorGone as StreamCursorGone
from backend_client.events import EventStream, Line, StreamTiming
from contract.events import (
    AccessRevoked,
    AccountsChanged,
    ApprovalsChanged,
    ChannelsChanged,
    ClientTyping,
    ConversationUpserted,
    Erased,
    Event,
    MessageUpserted,
    PolicyChanged,
    Sealed,
    TriageChanged,
)
from contract.ids import ConversationId
from contract.wire import MAX_PAGE

_LOG = logging.getLogger(__name__)

BATCH_EVENTS = 1_200
REFUSED_RETRY_S = 60.0


class SyncListener(Protocol):
    """Who is told what the inbound loop learns; all on the loop's thread."""

    def link_changed(self, link: Link, fault: AppError | None) -> None:
        """The line to the backend came up or went down."""

    def sync_progressed(
        self, syncing: bool, applied: int, total: int, paused: bool = False
    ) -> None:
        """A snapshot is under way (`applied` of `total` messages), maybe paused, or has ended."""

    def client_typing(self, conversation_id: ConversationId, typing: bool) -> None:
        """A client began or stopped typing."""

    def archived_at(self, at_utc_ms: int) -> None:
        """A message was archived at this time."""

    def facts_seen(self, conversation_id: ConversationId, version: int) -> None:
        """A conversation came with this version of what policy must know of it."""

    def approvals_changed(self, pending: int) -> None:
        """The supervisor's queue changed; `pending` messages wait."""

    def triage_changed(self, pending: int) -> None:
        """The queue of unknown senders changed; `pending` wait."""

    def sealed(self, seal: Sealed) -> None:
        """The archive sealed a submission; its receipt is not verified yet."""

    def erased(self, erased: Erased) -> None:
        """Messages were lawfully erased, here too."""


class SyncRunner:
    """Keeps the cache equal to what the employee may see on the backend.

    `fill` can be paused and gives way, `open_history` is told what is on screen.
    """

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
        self._fill_hurried = asyncio.Event()
        self._stream: EventStream | None = None
        self.fill = HistoryFill(api, store, self._filled, self._page_size)
        self.open_history = OpenHistory(api, store, self.fill.give_way)

    def hurry(self) -> None:
        """Try at once: the backend moved or answered somebody else."""
        self._hurried.set()
        self._fill_hurried.set()
        if self._stream is not None:
            self._stream.hurry()

    def renew(self) -> None:
        """Connect anew at once: the computer slept, or its network changed."""
        self._api.transport.renew()
        self.hurry()
        if self._stream is not None:
            self._stream.renew()

    async def run(self) -> None:
        """Sync for ever; cancel to stop. Faults are told to the listener and waited out."""
        await self.fill.load()
        while True:
            try:
                await self._reference.refresh()
                await self._sync_once()
            except _StreamBroken as broken:
                await self._mend_or_wait(broken.fault)
            except SnapshotGone:
                _LOG.warning("the snapshot's cursor is gone: beginning anew")
                await self._store.cache.begin_resync()
                await wait_or(self._hurried, self._backoff.next_s())
            except StreamPutBack:
                _LOG.warning("the backend was put back to an earlier day: the cache was emptied")
            except ClientError as fault:
                await self._recover(to_app_error(fault))
            except AppError as fault:
                await self._recover(fault)

    async def _sync_once(self) -> None:
        """Begin a snapshot when due, then fill it in beside the stream until that can't go on."""
        cursor = await self._store.cache.cursor()
        if cursor is None:
            self._listener.sync_progressed(True, 0, 0)
            await self.fill.begin()
            cursor = await self._store.cache.cursor()
        if cursor is None:
            return
        running = {
            asyncio.create_task(self._follow(cursor), name="sync: following"),
            asyncio.create_task(self._fill_in(), name="sync: filling in"),
        }
        try:
            while running:  # following ends by a fault alone
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)

    async def _fill_in(self) -> None:
        """Bring the rest of the snapshot in; what the line does is waited out here."""
        patience = Backoff(self._timing.first_retry_s, self._timing.most_retry_s)
        while True:
            try:
                await self.fill.run()
            except ClientError as fault:
                if isinstance(to_app_error(fault), Refused):
                    raise
                await wait_or(self._fill_hurried, patience.next_s())
                continue
            self._listener.sync_progressed(False, 0, 0)
            return

    async def _follow(self, cursor: int) -> None:
        history, report = await self._reference.history(), self._report
        stream = EventStream(self._api, cursor, history=history, report=report, timing=self._timing)
        buffer = EventBuffer()
        pump = asyncio.create_task(_pump(stream, buffer), name="sync: stream")
        self._stream = stream
        try:
            while batch := await buffer.take(BATCH_EVENTS):
                await self._apply(batch)
                self._backoff.reset()
            await pump
        except (StreamCursorGone, Garbled) as fault:
            raise _StreamBroken(fault) from fault
        finally:
            self._stream = None
            pump.cancel()
            await asyncio.wait({pump})
            if not pump.cancelled():
                pump.exception()  # raised above, or of no interest to a caller that goes away

    async def _mend_or_wait(self, fault: ClientError) -> None:
        try:
            await self._mend(fault)
        except ClientError as away:
            await self._recover(to_app_error(away))
        except AppError as away:
            await self._recover(away)
        else:
            await self._recover(to_app_error(fault))

    async def _mend(self, fault: ClientError) -> None:
        """Close the gap in the stream, or have a whole snapshot made."""
        cursor = await self._store.cache.cursor()
        capabilities = self._reference.current.capabilities
        can_tell = capabilities is not None and FEATURE in capabilities.features
        if cursor is not None and can_tell:
            history = await self._reference.history()
            if await catch_up(self._api, self._store, cursor, history):
                return
        _LOG.warning("the stream can't go on, a snapshot is due: %s", fault.detail)
        await self._store.cache.begin_resync()

    async def _apply(self, batch: Sequence[Event]) -> None:
        stored = [event for event in batch if event.seq > 0]
        if stored:
            await self._store.cache.apply_events(stored, stored[-1].seq)
        archived = max(map(_archived_utc_ms, batch), default=0)
        if archived:
            self._listener.archived_at(archived)
        for event in batch:
            if not isinstance(event.body, MessageUpserted):
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
        elif isinstance(body, TriageChanged):
            self._listener.triage_changed(body.pending)
        elif isinstance(body, AccountsChanged):
            await self._reference.refresh_me()
        elif isinstance(body, ChannelsChanged):
            self._reference.take_troubles(body.troubles)
        elif isinstance(body, PolicyChanged):
            await self._reference.refresh_bundle()
        elif isinstance(body, Sealed):
            self._listener.sealed(body)
        elif isinstance(body, AccessRevoked):
            self.open_history.forget(body.conversation_id)
        elif isinstance(body, Erased):
            self._listener.erased(body)

    def _filled(self, applied: int, total: int, paused: bool) -> None:
        self._listener.sync_progressed(True, applied, total, paused)

    def _page_size(self) -> int:
        capabilities = self._reference.current.capabilities
        if capabilities is None:
            return MAX_PAGE
        return max(capabilities.limits.sync_page_max, min(capabilities.limits.page_max, MAX_PAGE))

    def _report(self, line: Line, fault: ClientError | None) -> None:
        if line is not Line.DOWN:
            self._listener.link_changed(Link.ONLINE, None)
        elif fault is not None:
            self._listener.link_changed(Link.OFFLINE, to_app_error(fault))

    async def _recover(self, fault: AppError) -> None:
        """Tell of a fault and wait before the next round."""
        if isinstance(fault, Refused):
            self._listener.link_changed(Link.REFUSED, fault)
            if isinstance(fault, ClientTooOld):
                await self._reference.learn_minimum()
            await wait_or(self._hurried, self._backoff.next_s(REFUSED_RETRY_S))
            return
        if isinstance(fault, Offline | Timeout | BackendFault | MalformedReply):
            self._listener.link_changed(Link.OFFLINE, fault)
        elif not isinstance(fault, CursorGone):
            _LOG.error("sync: %s", fault.code)
        await wait_or(self._hurried, self._backoff.next_s(fault.retry_after_s))


class _StreamBroken(Exception):
    """The stream can't go on from where it is."""

    def __init__(self, fault: ClientError) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def _archived_utc_ms(event: Event) -> int:
    body = event.body
    if isinstance(body, MessageUpserted):
        archive = body.message.archive
        return 0 if archive is None else archive.archived_at_utc_ms
    return body.archive.archived_at_utc_ms if isinstance(body, Sealed) else 0


async def _pump(stream: EventStream, buffer: EventBuffer) -> None:
    try:
        await stream.follow(buffer.add)
    finally:
        buffer.close()
