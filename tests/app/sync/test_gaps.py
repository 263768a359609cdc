"""Shows that a gap in the stream costs what changed in it, and that purges hold through it.

It never stands in for the backend: its routes and its database are the real ones.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, delete

from app.sync.catch_up import catch_up
from backend.inbox.conversations import bump_conversation
from backend.inbox.erasing import erase_messages
from backend.inbox.events import append_event
from backend.storage import tables
from contract.events import AccessRevoked
from contract.ids import ConversationId, EmployeeId
from tests.app.sync.conftest import Scene
from tests.backend.workspace import ELENA
from tests.support.log_guard import LogGuard


async def test_only_what_changed_is_fetched_after_a_gap(scene: Scene) -> None:
    home, _ = await scene.write(2, "written while you were away")
    await scene.forget_events()
    async with scene.syncing():
        async with asyncio.timeout(60):
            while "written while you were away" not in await scene.texts(home):
                await asyncio.sleep(0.02)
        await scene.write(1, "live again")
        async with asyncio.timeout(60):
            while (await scene.store.cache.cursor() or 0) < await _position(scene):
                await asyncio.sleep(0.02)
    fetched = [path for path in scene.asked if path.endswith("/messages")]
    assert fetched == [f"/v1/conversations/{home}/messages"]
    assert not [path for path in scene.asked if "snapshot" in path]


async def test_what_was_erased_in_a_gap_is_gone_here_too(scene: Scene) -> None:
    home, first = await scene.write(0, "to be erased")
    async with scene.syncing():
        async with asyncio.timeout(60):
            while "to be erased" not in await scene.texts(home):
                await asyncio.sleep(0.02)
    now = scene.workspace.clock()
    database = scene.workspace.services.database
    await database.write(lambda connection: erase_messages(connection, [first], now))
    await scene.forget_events()
    cursor = await scene.store.cache.cursor()
    assert cursor is not None and await catch_up(scene.api, scene.store, cursor)
    assert await scene.texts(home) == ["hello 0"]
    assert (await scene.store.search.search("erased")).messages == ()


async def test_what_is_no_longer_ours_is_purged_after_a_gap(scene: Scene) -> None:
    home, _ = await scene.write(3, "secret")
    members = tables.conversation_members.c
    database = scene.workspace.services.database
    await database.write(
        lambda c: c.execute(
            delete(tables.conversation_members).where(members.conversation_id == home)
        )
    )
    await scene.forget_events()
    cursor = await scene.store.cache.cursor()
    assert cursor is not None and await catch_up(scene.api, scene.store, cursor)
    assert await scene.store.inbox.conversation(home) is None
    assert await scene.texts(home) == []


async def test_when_most_has_changed_a_snapshot_is_due(scene: Scene) -> None:
    for number in range(3):
        await scene.write(number, "again")
    await scene.forget_events()
    cursor = await scene.store.cache.cursor()
    assert cursor is not None
    assert not await catch_up(scene.api, scene.store, cursor)
    assert await scene.store.cache.cursor() == cursor


async def test_a_position_the_backend_never_reached_needs_a_snapshot(scene: Scene) -> None:
    assert not await catch_up(scene.api, scene.store, 10**6)


async def test_a_chat_given_back_in_a_gap_comes_back_whole(scene: Scene) -> None:
    home, _ = await scene.write(1, "before")
    await scene.store.gaps.purge_conversation(home, (await scene.store.cache.cursor() or 0) + 1)
    now = scene.workspace.clock()
    await scene.workspace.services.database.write(lambda c: bump_conversation(c, home, now))
    await scene.forget_events()
    cursor = await scene.store.cache.cursor()
    assert cursor is not None and await catch_up(scene.api, scene.store, cursor)
    assert await scene.texts(home) == ["hello 1", "before"]


async def test_a_backend_put_back_to_an_earlier_day_is_taken_at_its_word(
    scene: Scene, expect_log: LogGuard
) -> None:
    expect_log("a snapshot is due", logger="app.sync.runner")
    expect_log("put back to an earlier day", logger="app.sync.runner")
    home = await _lose_a_day(scene, moves=5)
    async with scene.syncing():
        # Its version and position are below what the client saw on the day that is lost.
        await scene.write(0, "after the restore")
        async with asyncio.timeout(60):
            while (await _preview(scene, home)) != "after the restore":
                await asyncio.sleep(0.02)
        whole = ["hello 0", "of the day before", "after the restore"]
        async with asyncio.timeout(60):
            while await scene.texts(home) != whole:
                await asyncio.sleep(0.02)
        assert await scene.store.cache.get_meta("me") is not None
        members = tables.conversation_members.c
        now = scene.workspace.clock()

        def take_away(connection: Connection) -> None:
            append_event(connection, EmployeeId(ELENA), AccessRevoked(conversation_id=home), now)
            connection.execute(
                delete(tables.conversation_members).where(members.conversation_id == home)
            )

        await scene.workspace.services.database.write(take_away)
        async with asyncio.timeout(60):
            while await scene.texts(home) != []:
                await asyncio.sleep(0.02)
    assert (await scene.store.search.search("restore")).messages == ()


async def _lose_a_day(scene: Scene, moves: int) -> ConversationId:
    """Sync a day of events in a chat, then put the backend back to the state before them."""
    database = scene.workspace.services.database
    home, _ = await scene.write(0, "of the day before")
    before = await _position(scene)
    now = scene.workspace.clock()
    for _ in range(moves):
        await database.write(lambda connection: bump_conversation(connection, home, now))
    async with scene.syncing():
        async with asyncio.timeout(60):
            while (await scene.store.cache.cursor() or 0) < await _position(scene):
                await asyncio.sleep(0.02)

    def put_back(connection: Connection) -> None:
        for sql in (
            f"UPDATE event_counters SET seq = {before}",
            f"DELETE FROM events WHERE seq > {before}",
            f"UPDATE conversation_positions SET seq = {before} WHERE seq > {before}",
            f"UPDATE conversations SET version = version - {moves}"
            f" WHERE conversation_id = '{home}'",
        ):
            connection.exec_driver_sql(sql)

    await database.write(put_back)
    return home


async def _preview(scene: Scene, home: ConversationId) -> str:
    conversation = await scene.store.inbox.conversation(home)
    return "" if conversation is None or conversation.preview is None else conversation.preview.text


async def _position(scene: Scene) -> int:
    counter = "SELECT seq FROM event_counters WHERE employee_id = "
    return int(str(await scene.workspace.scalar(f"{counter}'{ELENA}'")))
