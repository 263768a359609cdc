"""Shows that the cache becomes and stays what the backend holds, whatever happens between.

It does not test the store's own rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.domain.errors import AppError, AuthExpired, ClientTooOld
from app.domain.inbox import InboxQuery
from app.domain.status import Link
from app.store.store import Store
from app.sync.reference import META_BUNDLE, META_HISTORY, Reference, ReferenceKeeper
from app.sync.runner import SyncRunner
from backend_client.client import GovernedApi
from backend_client.events import StreamTiming
from contract.events import (
    AccessRevoked,
    ChannelsChanged,
    ConversationUpserted,
    Erased,
    MessageUpserted,
    PolicyChanged,
    Sealed,
)
from contract.ids import AccountId, ConversationId, MessageId
from contract.problems import ProblemCode
from contract.wire import Channel, ChannelTrouble
from tests.app.conftest import open_store
from tests.app.small_backend import SmallBackend, conversation, message, problem, until
from tests.backend_client.stream_app import typing
from tests.support.log_guard import LogGuard
from tests.support.tcp_proxy import TcpProxy

QUICK = StreamTiming(
    mute_s=60.0, polling_s=0.5, poll_wait_s=1.0, first_retry_s=0.02, most_retry_s=0.1
)


class Listener:
    """Keeps what sync tells."""

    def __init__(self) -> None:
        self.link = Link.STARTING
        self.faults: list[AppError] = []
        self.progress: list[tuple[bool, int, int]] = []
        self.paused = False
        self.typing: list[tuple[ConversationId, bool]] = []
        self.archived_utc_ms = 0
        self.seals: list[Sealed] = []
        self.erasures: list[Erased] = []
        self.facts: dict[ConversationId, int] = {}
        self.pending = -1
        self.references: list[Reference] = []

    @property
    def done(self) -> bool:
        """Tell whether the line is up and nothing more is filled in."""
        return self.link is Link.ONLINE and self.progress[-1:] == [(False, 0, 0)]

    def link_changed(self, link: Link, fault: AppError | None) -> None:
        """Note the line's state."""
        self.link = link
        if fault is not None:
            self.faults.append(fault)

    def sync_progressed(
        self, syncing: bool, applied: int, total: int, paused: bool = False
    ) -> None:
        """Note the progress."""
        self.paused = paused
        self.progress.append((syncing, applied, total))

    def client_typing(self, conversation_id: ConversationId, is_typing: bool) -> None:
        """Note who types."""
        self.typing.append((conversation_id, is_typing))

    def archived_at(self, at_utc_ms: int) -> None:
        """Note the archive's time."""
        self.archived_utc_ms = at_utc_ms

    def facts_seen(self, conversation_id: ConversationId, version: int) -> None:
        """Note which facts a conversation came with."""
        self.facts[conversation_id] = version

    def triage_changed(self, pending: int) -> None:
        """No owner here."""

    def approvals_changed(self, pending: int) -> None:
        """Note how many held messages wait."""
        self.pending = pending

    def sealed(self, seal: Sealed) -> None:
        """Note a seal."""
        self.seals.append(seal)

    def erased(self, erased: Erased) -> None:
        """Note an erasure."""
        self.erasures.append(erased)


@asynccontextmanager
async def syncing(
    api: GovernedApi, store: Store, version: str = "0.1.0"
) -> AsyncIterator[Listener]:
    """Run sync for the length of a block."""
    listener = Listener()
    reference = ReferenceKeeper(api, store, version, listener.references.append)
    await reference.load()
    runner = SyncRunner(api, store, reference, listener, timing=QUICK)
    task = asyncio.create_task(runner.run())
    try:
        yield listener
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (fault := task.exception()) is not None:
            raise fault


async def _titles(store: Store) -> set[str]:
    page = await store.inbox.page(InboxQuery(), 100)
    return {row.conversation.title for row in page.rows}


async def _texts(store: Store, number: int) -> list[str]:
    window = await store.timeline.around(ConversationId(f"c{number}"))
    return [row.message.text for row in window.rows]


async def test_first_sync_brings_everything_then_follows(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    """Snapshot pages, then events from the snapshot's position on."""
    world.emit(PolicyChanged(bundle_version="1"))
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.done)
        assert await _titles(store) == {"Client 0", "Client 1", "Client 2"}
        assert await _texts(store, 0) == ["message 0", "message 3", "message 6"]
        world.emit(MessageUpserted(message=message(50, 0)))
        await _until_text(store, 0, "message 50")
        assert await store.cache.cursor() == 2
    assert (True, 9, 9) in listener.progress
    assert listener.progress[-1] == (False, 0, 0)
    assert world.snapshot_cursors == ["", "4", "8"]
    assert world.asked == ["1"]


async def test_troubles_of_channels_are_told_at_once_and_kept_for_now_only(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    def told(listener: Listener) -> tuple[ChannelTrouble, ...] | None:
        me = listener.references[-1].me
        return None if me is None else me.troubles

    slow = ChannelTrouble(
        account_id=AccountId("a1"), channel=Channel.WHATSAPP, kind="slow", since_utc_ms=5
    )
    world.me = msgspec.structs.replace(world.me, troubles=(slow,))
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.done)
        assert told(listener) == (slow,)
        world.emit(ChannelsChanged())
        await until(lambda: told(listener) == ())
        world.emit(ChannelsChanged(troubles=(slow,)))
        await until(lambda: told(listener) == (slow,))
    found: list[Reference] = []
    reference = ReferenceKeeper(governed_api, store, "0.1.0", found.append)
    await reference.load()
    assert found[0].me is not None
    assert found[0].me.troubles == ()


async def test_killed_first_sync_goes_on_where_it_stopped(
    world: SmallBackend, governed_api: GovernedApi, tmp_path: Path
) -> None:
    """Pages that were committed are not asked for again."""

    def only_first_page(request: Request) -> Response | None:
        late = request.query_params.get("cursor") == "4"
        return problem(ProblemCode.UNAVAILABLE) if late else None

    world.fault = only_first_page
    store = await open_store(tmp_path)
    async with syncing(governed_api, store):
        await until(lambda: "4" in world.snapshot_cursors)
    await store.close()
    world.fault = None
    world.snapshot_cursors.clear()
    store = await open_store(tmp_path)
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.done)
        assert len(await _texts(store, 0)) == 3
    await store.close()
    # A question of the first run that nobody waits for any more may still arrive.
    assert list(dict.fromkeys(world.snapshot_cursors)) == ["4", "8"]


async def test_useless_snapshot_cursor_begins_anew(
    world: SmallBackend,
    governed_api: GovernedApi,
    store: Store,
    expect_log: LogGuard,
) -> None:
    """A cursor of another backend version is no dead end."""
    expect_log("beginning anew")

    def until_asked_anew(request: Request) -> Response | None:
        gone = request.query_params.get("cursor") == "4" and world.snapshot_cursors.count("") < 2
        return problem(ProblemCode.CURSOR_GONE) if gone else None

    world.fault = until_asked_anew
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.done)
        assert len(await _texts(store, 0)) == 3
    assert world.snapshot_cursors == ["", "4", "", "4", "8"]


async def test_duplicate_and_reordered_versions_do_no_harm(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    """The highest version stays, however events come."""
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.link is Link.ONLINE)
        newer = msgspec.structs.replace(message(60, 1, version=3), text="mended")
        world.emit(MessageUpserted(message=newer), MessageUpserted(message=message(60, 1)))
        world.emit(MessageUpserted(message=newer), MessageUpserted(message=message(61, 1)))
        await _until_text(store, 1, "message 61")
        texts = await _texts(store, 1)
    assert texts.count("mended") == 1
    assert "message 60" not in texts


async def test_lost_access_purges_the_conversation(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    """What the employee may not see any more leaves this computer."""
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.done)
        world.emit(AccessRevoked(conversation_id=ConversationId("c1")))
        async with asyncio.timeout(60):
            while "Client 1" in await _titles(store):
                await asyncio.sleep(0.01)
        assert await _texts(store, 1) == []


async def test_stream_that_can_not_go_on_leads_to_a_new_snapshot(
    world: SmallBackend, governed_api: GovernedApi, store: Store, expect_log: LogGuard
) -> None:
    """410, a hole that stays and an unreadable event all end in a re-sync, never in a loop."""
    expect_log("a snapshot is due")
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.done)
        world.snapshot_cursors.clear()
        world.put_raw(1, b'{"seq":1,"at_utc_ms":1,"body":{"type":"from the future"}}')
        world.messages.append(message(70, 2))
        await until(lambda: len(world.snapshot_cursors) >= 3)
        await _until_text(store, 2, "message 70")
        world.emit(MessageUpserted(message=message(71, 2)))
        await _until_text(store, 2, "message 71")


async def test_a_cut_line_is_told_and_heals_without_a_snapshot(
    world: SmallBackend, governed_api: GovernedApi, store: Store, line: TcpProxy
) -> None:
    """Events that happened meanwhile come afterwards."""
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.done)
        world.snapshot_cursors.clear()
        line.refuse()
        await until(lambda: listener.link is Link.OFFLINE)
        world.emit(MessageUpserted(message=message(80, 0)))
        line.restore()
        await until(lambda: listener.link is Link.ONLINE)
        await _until_text(store, 0, "message 80")
    assert world.snapshot_cursors == []


async def test_a_backlog_is_applied_in_batches(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    """Two thousand events arrive in order, the inbox stays readable."""
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.link is Link.ONLINE)
        world.emit(*(MessageUpserted(message=message(n, n % 3)) for n in range(100, 1600)))
        async with asyncio.timeout(60):
            while await store.cache.cursor() != 1500:
                await _titles(store)
                await asyncio.sleep(0.02)


async def test_typing_is_told_and_never_stored(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    """A passing event moves no cursor."""
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.link is Link.ONLINE)
        world.put(typing())
        await until(lambda: listener.typing == [(ConversationId("c1"), True)])
        assert await store.cache.cursor() == 0


async def test_new_bundle_is_fetched_when_announced_and_kept(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    """Hints work without a line because the bytes stay in the store."""
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.link is Link.ONLINE)
        world.bundle = b"bundle 2"
        world.emit(PolicyChanged(bundle_version="2"))
        await until(lambda: listener.references[-1].bundle == b"bundle 2")
    keeper = ReferenceKeeper(governed_api, store, "0.1.0", lambda reference: None)
    await keeper.load()
    assert keeper.current.bundle == b"bundle 2"
    assert keeper.current.me == world.me
    assert keeper.current.capabilities == world.capabilities


async def test_expired_sign_in_is_told(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    """Waiting does not help: the status asks for a sign-in."""
    world.fault = lambda request: problem(ProblemCode.UNAUTHENTICATED)
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.link is Link.REFUSED)
    assert isinstance(listener.faults[-1], AuthExpired)


async def test_client_below_the_backends_minimum_is_told(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    """0.9 is older than 0.10."""
    world.capabilities = msgspec.structs.replace(world.capabilities, min_client_version="0.10")
    async with syncing(governed_api, store, version="0.9.3") as listener:
        await until(lambda: listener.link is Link.REFUSED)
    assert isinstance(listener.faults[-1], ClientTooOld)


async def test_cache_of_another_person_is_emptied_first(
    world: SmallBackend, governed_api: GovernedApi, store: Store, expect_log: LogGuard
) -> None:
    """Nobody reads what somebody else's session left here."""
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.link is Link.ONLINE)
    expect_log("another backend or person")
    world.capabilities = msgspec.structs.replace(world.capabilities, instance_id="i2")
    world.conversations = [conversation(7)]
    world.contacts, world.messages = [], [message(1, 7)]
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.done)
        assert await _titles(store) == {"Client 7"}
        assert await _texts(store, 0) == []


async def test_a_first_history_id_is_taken_over_and_another_one_empties_the_cache(
    world: SmallBackend, governed_api: GovernedApi, store: Store, expect_log: LogGuard
) -> None:
    """Backends of older versions tell none: what they showed stays."""
    snapshots = 0
    for told, kept in (("", None), ("h1", b"h1"), ("h1", b"h1"), ("", b"h1"), ("h2", b"h2")):
        world.capabilities = msgspec.structs.replace(world.capabilities, history_id=told)
        world.history = "" if kept is None else kept.decode()
        if told == "h2":
            expect_log("restored from a back-up")
        async with syncing(governed_api, store) as listener:
            await until(lambda: listener.done)
            assert await store.cache.get_meta(META_HISTORY) == kept
            assert await _texts(store, 0) == ["message 0", "message 3", "message 6"]
        begun = world.snapshot_cursors.count("")
        assert begun == snapshots + (told == "h2" or kept is None)
        snapshots = begun
        assert await store.cache.get_meta(META_BUNDLE) == world.bundle


async def test_conversation_events_move_the_inbox(
    world: SmallBackend, governed_api: GovernedApi, store: Store
) -> None:
    """A higher version of a conversation replaces its row."""
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.link is Link.ONLINE)
        changed = conversation(2, version=2, title="Renamed")
        world.emit(ConversationUpserted(conversation=changed))
        async with asyncio.timeout(60):
            while "Renamed" not in await _titles(store):
                await asyncio.sleep(0.01)


async def _until_text(store: Store, number: int, text: str) -> None:
    async with asyncio.timeout(60):
        while text not in await _texts(store, number):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("message_id", ["m1"])
async def test_message_can_be_read_by_id_after_sync(
    governed_api: GovernedApi, store: Store, message_id: str
) -> None:
    """Rows are found wherever they are."""
    async with syncing(governed_api, store) as listener:
        await until(lambda: listener.done)
        row = await store.timeline.message(MessageId(message_id))
    assert row is not None
    assert row.message.text == "message 1"
