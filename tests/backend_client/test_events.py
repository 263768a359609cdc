"""Shows that each stored event comes once and in order, whatever the line does.

It does not apply events.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.errors import ClientError, CursorGone, GapPersists, Garbled, ProblemReply
from backend_client.events import EventStream, Line, StreamTiming
from backend_client.transport import Transport
from contract.events import Event
from contract.problems import ProblemCode
from tests.backend_client.loopback_server import LoopbackServer
from tests.backend_client.stream_app import StreamApp, stored, typing
from tests.support.tcp_proxy import TcpProxy

# Only what tests silence itself is impatient with it: elsewhere a busy machine may take its time.
QUICK = StreamTiming(
    mute_s=60.0, polling_s=0.6, poll_wait_s=1.0, first_retry_s=0.01, most_retry_s=0.05
)


@dataclass
class Follower:
    """An event stream that is being followed, with all it brought and told."""

    stream: EventStream
    events: list[Event] = field(default_factory=list)
    lines: list[tuple[Line, ClientError | None]] = field(default_factory=list)

    async def deliver(self, event: Event) -> None:
        """Take an event."""
        self.events.append(event)

    def seqs(self) -> list[int]:
        """Return the positions delivered."""
        return [event.seq for event in self.events]

    async def until(self, seq: int) -> None:
        """Follow until the stored event at `seq` came."""
        task = asyncio.create_task(self.stream.follow(self.deliver))
        try:
            async with asyncio.timeout(60):
                while seq not in self.seqs() and not task.done():
                    await asyncio.sleep(0.005)
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def until_it_raises(self) -> None:
        """Follow until the stream gives up."""
        async with asyncio.timeout(60):
            await self.stream.follow(self.deliver)


@pytest.fixture
def app() -> Iterator[StreamApp]:
    """Make the source of events."""
    source = StreamApp()
    yield source


@pytest.fixture
def server(app: StreamApp) -> Iterator[LoopbackServer]:
    """Serve it on loopback."""
    with LoopbackServer(app.app) as running:
        yield running
        app.closing = True


@pytest.fixture
async def follower(server: LoopbackServer) -> AsyncIterator[Follower]:
    """Follow it from the beginning."""
    transport = Transport(BackendEndpoint(url=server.url, token="secret"))
    yield _follower(transport, 0)
    await transport.close()


@pytest.fixture
async def impatient(server: LoopbackServer) -> AsyncIterator[Follower]:
    """Follow it with little patience for silence."""
    transport = Transport(BackendEndpoint(url=server.url, token="secret"))
    yield _follower(transport, 0, mute_s=0.5)
    await transport.close()


def _follower(
    transport: Transport, after: int, mute_s: float = QUICK.mute_s, history: str = ""
) -> Follower:
    lines: list[tuple[Line, ClientError | None]] = []

    def report(line: Line, fault: ClientError | None) -> None:
        lines.append((line, fault))

    timing = replace(QUICK, mute_s=mute_s)
    stream = EventStream(
        GovernedApi(transport), after, history=history, report=report, timing=timing
    )
    return Follower(stream, lines=lines)


async def test_events_come_in_order_with_passing_ones_between(
    app: StreamApp, follower: Follower
) -> None:
    """A passing event has no position and moves none."""
    app.put(stored(1), typing(), stored(2), stored(3))
    await follower.until(3)
    assert follower.seqs() == [1, 0, 2, 3]
    assert follower.stream.cursor == 3
    assert app.asked == ["0"]
    assert follower.lines == [(Line.LIVE, None)]


async def test_an_ended_stream_is_resumed_from_the_last_event(
    app: StreamApp, follower: Follower
) -> None:
    """Last-Event-ID is the cursor; nothing comes twice."""
    app.end_after = 2
    app.put(*(stored(seq) for seq in range(1, 6)))
    await follower.until(5)
    assert follower.seqs() == [1, 2, 3, 4, 5]
    assert app.asked[:3] == ["0", "2", "4"]
    assert Line.DOWN in [line for line, _ in follower.lines]


async def test_duplicates_are_dropped(app: StreamApp, follower: Follower) -> None:
    """The same position again says nothing new."""
    app.put(stored(1), stored(2), stored(1), stored(2), stored(3))
    await follower.until(3)
    assert follower.seqs() == [1, 2, 3]


async def test_a_gap_that_heals_is_read_again_from_the_cursor(
    app: StreamApp, follower: Follower
) -> None:
    """Nothing is delivered beyond a hole."""
    app.put(stored(1), stored(3))

    async def heal() -> None:
        while len(app.asked) < 2:
            await asyncio.sleep(0.002)
        app.put_instead(stored(1), stored(2), stored(3))

    await asyncio.gather(follower.until(3), heal())
    assert follower.seqs() == [1, 2, 3]


async def test_a_gap_that_stays_asks_for_a_new_snapshot(app: StreamApp, follower: Follower) -> None:
    """Three tries at one place, then only a snapshot helps."""
    app.put(stored(1), stored(3))
    with pytest.raises(GapPersists):
        await follower.until_it_raises()
    assert follower.seqs() == [1]
    assert app.asked == ["0", "1", "1"]


async def test_an_unreadable_event_never_loops_for_ever(app: StreamApp, follower: Follower) -> None:
    """It is reported, tried again with a pause, and then a snapshot is asked for."""
    app.put(stored(1))
    app.put_raw(2, b'{"seq": 2, "at_utc_ms": 1, "body": {"type": "from the future"}}')
    with pytest.raises(Garbled):
        await follower.until_it_raises()
    assert follower.seqs() == [1]
    assert sum(isinstance(fault, Garbled) for _, fault in follower.lines) == 3


async def test_a_cursor_too_old_is_raised_at_once(app: StreamApp, follower: Follower) -> None:
    """410 leads to a re-sync."""
    app.refuse_with = ProblemCode.CURSOR_GONE
    with pytest.raises(CursorGone):
        await follower.until_it_raises()


async def test_an_expired_sign_in_is_raised(app: StreamApp, follower: Follower) -> None:
    """Waiting does not help against a refusal."""
    app.refuse_with = ProblemCode.UNAUTHENTICATED
    with pytest.raises(ProblemReply):
        await follower.until_it_raises()


async def test_an_unavailable_backend_is_waited_out(app: StreamApp, follower: Follower) -> None:
    """503 is told as a line that is down, then the stream goes on."""
    app.refuse_with = ProblemCode.UNAVAILABLE
    app.put(stored(1))

    async def recover() -> None:
        while len(app.asked) < 3:
            await asyncio.sleep(0.002)
        app.refuse_with = None

    await asyncio.gather(follower.until(1), recover())
    assert follower.lines[0][0] is Line.DOWN
    assert follower.lines[-1] == (Line.LIVE, None)


async def test_a_mute_stream_falls_back_to_polling_and_comes_back(
    app: StreamApp, impatient: Follower
) -> None:
    """A buffering proxy holds the stream: long polling brings the events from the same cursor."""
    follower = impatient
    app.mute = True
    app.put(stored(1), stored(2))
    await follower.until(2)
    assert follower.seqs() == [1, 2]
    assert app.polled[0] == 0
    assert (Line.POLLING, None) in follower.lines
    app.mute = False
    app.put(stored(3))
    await follower.until(3)
    app.put(stored(4))
    async with asyncio.timeout(60):
        while len(app.asked) < 2:
            await follower.until(4)
            app.put(stored(follower.stream.cursor + 1))
            await follower.until(follower.stream.cursor + 1)
    assert follower.seqs() == sorted(set(follower.seqs()))


@pytest.mark.parametrize("polls", [False, True])
async def test_a_position_of_another_history_is_gone(
    app: StreamApp, server: LoopbackServer, *, polls: bool
) -> None:
    """A restored backend holds the position, and means something else by it."""
    app.history = "h2"
    transport = Transport(BackendEndpoint(url=server.url, token="secret"))
    app.put(stored(1))
    follower = _follower(transport, 0, mute_s=0.5, history="h2")
    app.mute = polls
    await follower.until(1)
    app.history, app.mute = "h1", False
    app.end_after = 0
    app.put(stored(2))
    with pytest.raises(CursorGone):
        await follower.until_it_raises()
    assert follower.seqs()[:1] == [1]
    await transport.close()


async def test_cuts_lose_and_double_nothing(app: StreamApp, server: LoopbackServer) -> None:
    """A hundred events through a line that is cut every few hundred bytes."""
    app.put(*(stored(seq) for seq in range(1, 101)))
    with TcpProxy(server.port) as proxy:
        transport = Transport(BackendEndpoint(url=f"http://127.0.0.1:{proxy.port}", token="s"))
        follower = _follower(transport, 0)

        async def disturb() -> None:
            while follower.stream.cursor < 100:
                proxy.cut_after(down_bytes=900)
                await asyncio.sleep(0.01)

        await asyncio.gather(follower.until(100), disturb())
        assert follower.seqs() == list(range(1, 101))
        await transport.close()


async def test_hurry_ends_the_pause_before_the_next_try(app: StreamApp) -> None:
    """When the backend is known to be back, nobody waits for half a minute."""
    transport = Transport(None)
    patient = StreamTiming(first_retry_s=3600.0, most_retry_s=3600.0)
    down = asyncio.Event()
    stream = EventStream(
        GovernedApi(transport), 0, report=lambda line, fault: down.set(), timing=patient
    )
    got: list[Event] = []

    async def deliver(event: Event) -> None:
        got.append(event)

    task = asyncio.create_task(stream.follow(deliver))
    async with asyncio.timeout(60):
        await down.wait()
        app.put(stored(1))
        with LoopbackServer(app.app) as server:
            transport.swap_endpoint(BackendEndpoint(url=server.url, token="secret"))
            stream.hurry()
            while not got:
                await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.wait({task})
            app.closing = True
    await transport.close()


async def test_a_stream_that_spoke_and_went_silent_is_opened_again(
    app: StreamApp, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A computer that slept lost its line; that is no reason to poll."""
    # By this clock each stream spoke for long before its silence was noticed.
    clock = SimpleNamespace(monotonic=lambda: 4 * time.monotonic())
    monkeypatch.setattr("backend_client.events.time", clock)
    transport = Transport(BackendEndpoint(url=server.url, token="secret"))
    follower = _follower(transport, 0, mute_s=1.0)
    app.put(stored(1))

    async def fall_silent() -> None:
        async with asyncio.timeout(60):
            while not follower.events:
                await asyncio.sleep(0.005)
            app.mute = True
            while len(app.asked) < 2:
                app.mute = Line.DOWN not in [line for line, _ in follower.lines]
                await asyncio.sleep(0.005)
            app.put(stored(2))

    await asyncio.gather(follower.until(2), fall_silent())
    assert app.polled == []
    assert list(dict.fromkeys(app.asked)) == ["0", "1"]
    await transport.close()
