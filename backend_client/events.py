"""Owns the employee's event stream: each stored event once, in order, whatever the line does.

It never applies an event and never skips one: a gap or an unreadable event that stays is raised.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from backend_client.backoff import Backoff, wait_or
from backend_client.calls import of_history, refuse_problems
from backend_client.client import GovernedApi
from backend_client.errors import (
    ClientError,
    CursorGone,
    GapPersists,
    Garbled,
    ProblemReply,
    StreamMute,
    Unreachable,
)
from contract import api as paths
from contract.events import EVENT_DECODER, Event, EventPage
from contract.problems import RETRYABLE

Deliver = Callable[[Event], Awaitable[None]]

STRIKES = 3
LONGEST_STRETCH_S = 0.004


class Line(StrEnum):
    """How events come just now."""

    LIVE = "live"
    POLLING = "polling"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """Patience in seconds: a silence of `mute_s` turns to polling for `polling_s`.

    `settled_s` is how long a connection must hold before earlier failures are forgotten.
    """

    mute_s: float = 20.0
    polling_s: float = 300.0
    poll_wait_s: float = 25.0
    first_retry_s: float = 0.2
    most_retry_s: float = 30.0
    settled_s: float = 5.0


class _Malformed(Garbled):
    """An event of the stream could not be read."""


class _Gap(GapPersists):
    """The stream skipped at least one position."""


class _Renewed(Exception):
    """The connection was given up on purpose."""


class EventStream:
    """Follows the stream from position `after`; `cursor` is the last stored event delivered.

    A backend whose history id is not `history` any more (it was restored) says CursorGone.
    """

    def __init__(
        self,
        api: GovernedApi,
        after: int,
        *,
        history: str = "",
        report: Callable[[Line, ClientError | None], None] = lambda _line, _fault: None,
        timing: StreamTiming | None = None,
    ) -> None:
        self._api = api
        self.cursor = after
        self._history = history
        self._report = report
        self._timing = timing or StreamTiming()
        self._backoff = Backoff(self._timing.first_retry_s, self._timing.most_retry_s)
        self._polling_until_s = 0.0
        self._strikes = 0
        self._hurried = asyncio.Event()
        self._connection: asyncio.Task[None] | None = None

    def hurry(self) -> None:
        """End a wait for the next try: the backend is known to be there again."""
        self._hurried.set()

    def renew(self) -> None:
        """Give the connection up and open a new one at once: the computer slept or moved."""
        self._polling_until_s = 0.0
        self._backoff.reset()
        self._hurried.set()
        if self._connection is not None:
            self._connection.cancel()

    async def follow(self, deliver: Deliver) -> None:
        """Hand each event to `deliver`, for ever; cancel to stop.

        Stored events come with seq growing by exactly one, passing ones (seq 0) as they come.
        Network faults are reported and waited out. Raises CursorGone, GapPersists and Garbled
        when only a new snapshot helps, ProblemReply when the backend refuses for good, and
        whatever `deliver` raises.
        """
        while True:
            began_s = time.monotonic()
            try:
                await self._follow_once(deliver)
            except _Renewed:
                self._hurried.clear()
            except StreamMute as fault:
                await self._bear_silence(fault, time.monotonic() - began_s)
            except CursorGone:
                raise
            except ClientError as fault:
                if time.monotonic() - began_s >= self._timing.settled_s:
                    self._backoff.reset()
                await self._wait_out(fault)

    async def _bear_silence(self, fault: StreamMute, lasted_s: float) -> None:
        """Turn to polling when a stream was silent from its beginning (something holds it back).

        One that spoke and then went silent has lost its line, maybe while the computer slept:
        it is opened again.
        """
        if lasted_s > 1.25 * self._timing.mute_s:
            await self._wait_out(fault)
        else:
            self._polling_until_s = time.monotonic() + self._timing.polling_s

    async def _follow_once(self, deliver: Deliver) -> None:
        """Follow over one connection, in a task of its own so that it alone can be given up."""
        polls = time.monotonic() < self._polling_until_s
        work = self._poll(deliver) if polls else self._listen(deliver)
        connection = asyncio.create_task(work, name="event stream: connection")
        self._connection = connection
        try:
            await asyncio.wait({connection})
        finally:
            self._connection = None
            connection.cancel()
            await asyncio.wait({connection})
        if connection.cancelled():
            raise _Renewed
        connection.result()

    async def _listen(self, deliver: Deliver) -> None:
        stream = self._api.transport.event_stream(
            paths.EVENTS,
            params=of_history(self._history),
            headers={paths.LAST_EVENT_ID: str(self.cursor)},
            mute_s=self._timing.mute_s,
        )
        async with stream as (reply, events):
            refuse_problems(reply)
            self._report(Line.LIVE, None)
            yielded_s = time.monotonic()
            async for sent in events:
                if sent.data:
                    await self._take(_decode(sent.data), deliver)
                if time.monotonic() - yielded_s > LONGEST_STRETCH_S:
                    await asyncio.sleep(0)  # a long back-log must not hold the window's loop
                    yielded_s = time.monotonic()
        raise Unreachable("The event stream ended.")

    async def _poll(self, deliver: Deliver) -> None:
        while time.monotonic() < self._polling_until_s:
            page = await self._ask_page()
            self._report(Line.POLLING, None)
            for event in page.events:
                await self._take(event, deliver)
            if page.last_seq > self.cursor and not page.events:
                raise _Gap("The stream holds events it does not give out.")

    async def _ask_page(self) -> EventPage:
        try:
            wait_s = self._timing.poll_wait_s
            return await self._api.inbox.events_poll(self.cursor, wait_s, self._history)
        except Garbled as fault:
            raise _Malformed(fault.detail, request_id=fault.request_id) from fault

    async def _take(self, event: Event, deliver: Deliver) -> None:
        if event.seq == 0:
            await deliver(event)
            return
        if event.seq <= self.cursor:
            return  # seen before: sent again around a reconnection
        if event.seq != self.cursor + 1:
            raise _Gap("The stream skipped a position.")
        await deliver(event)
        self.cursor = event.seq
        self._strikes = 0
        self._backoff.reset()

    async def _wait_out(self, fault: ClientError) -> None:
        """Report a fault and wait before the next try; raise when trying again can't help."""
        self._report(Line.DOWN, fault)
        if isinstance(fault, _Malformed | _Gap):
            self._strikes += 1
            if self._strikes >= STRIKES:
                raise fault
        retry_after_s = None
        if isinstance(fault, ProblemReply):
            if fault.status < 500 and fault.problem.code not in RETRYABLE:
                raise fault
            retry_after_s = fault.retry_after_s
        await wait_or(self._hurried, self._backoff.next_s(retry_after_s))


def _decode(data: str) -> Event:
    try:
        return EVENT_DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as fault:
        raise _Malformed("An event of the stream can't be read.") from fault
