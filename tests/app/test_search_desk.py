"""What this computer lacks is found in the archive, by a real backend beside a real core.

It never asks the backend but through the client's own calls.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core import Core
from app.domain.changes import ChangeSet
from app.domain.errors import Offline
from app.domain.inbox import InboxQuery
from app.domain.search import ArchiveState, MessageHit
from contract.ids import MessageId
from tests.app.core_world import contents_below, new_core, running_core
from tests.support.waiting import eventually

CANARY = "Wellensittichzucht"


async def forget(core: Core, message_id: str) -> None:
    """Let the cache lose a message, as an unfinished first sync would lack it."""

    def work(connection: object) -> tuple[None, ChangeSet]:
        run = connection.exec_driver_sql  # type: ignore[attr-defined]  # the store's connection
        bound = (message_id,)
        (row,) = run("SELECT row_id FROM messages WHERE message_id = ?", bound).one()
        run("DELETE FROM message_search WHERE rowid = ?", (row,))
        run("DELETE FROM messages WHERE row_id = ?", (row,))
        return None, ChangeSet()

    await core.store._databases.write_cache(work)


async def test_a_message_missing_here_is_found_in_the_archive_and_brought(tmp_path: Path) -> None:
    async with running_core(tmp_path) as core:
        desk = core.rooms.search
        local = (await desk.search("with:hana", 0, 50)).messages
        assert len(local) > 3
        lost = local[2]
        await forget(core, lost.message_id)

        async def archived() -> list[MessageHit]:
            answer = await desk.ask_archive("with:hana")
            # A busy machine's archive may answer too late.
            assert answer.state is not ArchiveState.NOT_ASKED
            found = [hit.message_id for hit in answer.messages] == [lost.message_id]
            return list(answer.messages) if found else []

        (hit,) = await eventually(archived, "the archive's index")
        assert hit.in_archive and hit.conversation_title == lost.conversation_title
        await desk.bring(hit.message_id)
        window = await core.store.timeline.around(hit.conversation_id, hit.message_id, 2, 2)
        assert hit.message_id in [row.message.message_id for row in window.rows]
        assert (await desk.ask_archive("with:hana")).messages == ()
        nothing = await desk.ask_archive("with:nobodyatall report")
        assert nothing.state is ArchiveState.NOT_ASKED
        assert (await desk.ask_archive(CANARY)).messages == ()
    for name, written in contents_below(tmp_path):
        assert CANARY.encode() not in written and b"with:hana" not in written, name


async def test_hits_of_many_conversations_not_known_here_yet_are_all_shown(tmp_path: Path) -> None:
    """As at a first sync's beginning: more of them than one or two on a page."""
    async with running_core(tmp_path) as core:
        desk = core.rooms.search
        await _forget_everything(core)

        async def indexed() -> bool:
            answer = await desk.ask_archive("after:2012")
            return len({hit.conversation_id for hit in answer.messages}) > 5

        await eventually(indexed, "hits of more than five conversations")
        rows = (await core.store.inbox.page(InboxQuery(), 100)).rows
        assert len(rows) > 5


async def _forget_everything(core: Core) -> None:
    def work(connection: object) -> tuple[None, ChangeSet]:
        run = connection.exec_driver_sql  # type: ignore[attr-defined]  # the store's connection
        run("DELETE FROM message_search WHERE rowid IN (SELECT row_id FROM messages)")
        run("DELETE FROM conversation_search WHERE rowid IN (SELECT row_id FROM conversations)")
        run("DELETE FROM messages")
        run("DELETE FROM memberships")
        run("DELETE FROM conversations")
        return None, ChangeSet()

    await core.store._databases.write_cache(work)


async def test_without_a_connection_only_this_computer_is_searched(tmp_path: Path) -> None:
    core = new_core(tmp_path)
    await core.open()
    try:
        desk = core.rooms.search
        assert (await desk.ask_archive("term")).state is ArchiveState.OFFLINE
        with pytest.raises(Offline):
            await desk.bring(MessageId("m"))
    finally:
        await core.close()
