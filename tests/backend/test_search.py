"""Search finds what the employee may see, in every script, and nothing that was erased.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from backend.api import searching
from backend.archive.erasure import ErasureOrder, erase
from backend.inbox.history import record_history
from backend.inbox.search_index import index_some, is_behind
from backend.inbox.search_indexer import SearchIndexer
from backend.inbox.search_rate import SearchRate
from contract.ids import MessageId
from contract.search import SearchPage
from contract.search_terms import holds_name
from contract.wire import Channel, Direction, MessagePage, Origin
from tests.backend.backend_process import BackendProcess
from tests.backend.workspace import (
    ELENA,
    FIRM,
    HANA,
    KENTA,
    SOFIA,
    Workspace,
    client_of,
    draft,
    open_workspace,
    submit,
)
from tests.support.waiting import eventually

TEXTS = (
    "Überweisung an die Straße in Zürich",
    "the quarterly report, and the annual report",
    "東京の債券報告書を送付しました",
    "請問下週三的會議可以改到下午三點嗎",
    "회의 시간을 변경할 수 있을까요",
    "ขอบคุณครับ พบกันวันพรุ่งนี้",
)


@pytest.fixture
async def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workspace]:
    """Yield a workspace in which Hana wrote one message per script, all indexed.

    A search there walks the index to its end, also where the machine is slow.
    """
    monkeypatch.setattr(searching, "_WITHIN_S", 60.0)
    async with open_workspace(tmp_path) as opened:
        for text in TEXTS:
            await opened.inbound(text)
        await indexed(opened)
        yield opened


async def indexed(workspace: Workspace) -> None:
    """Bring the index up to date."""
    await SearchIndexer(workspace.services.database).catch_up()


async def search(client: httpx.AsyncClient, **asked: Any) -> SearchPage:
    """Ask for a page."""
    answer = await client.post("/v1/search", json=asked)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=SearchPage)


async def found(client: httpx.AsyncClient, **asked: Any) -> list[str]:
    """Return the texts of a page."""
    return [each.text for each in (await search(client, **asked)).messages]


WORDS = (
    ("uberw", 0),
    ("STRASSE zur", 0),
    ("quar rep", 1),
    ('"quarterly report"', 1),
    ('"annual rep', 1),
    ("東", 2),
    ("債券", 2),
    ("た", 2),
    ("會議 三點", 3),
    ("회", 4),
    ("시간", 4),
    ("พรุ่งนี้", 5),
)
NOTHING = ('"report quarterly"', "京東", "port", '"', "NEAR(", "")
OUT_OF_BOUNDS: tuple[dict[str, Any], ...] = (
    {"text": "x" * 500},
    {"limit": 0},
    {"limit": 1000},
    {"cursor": "nonsense"},
    {"channels": [str(Channel.LINE), "pigeon"]},
    {"unknown": 1},
    {"before_utc_ms": -1},
)


async def test_words_are_found_as_the_client_finds_them(client: httpx.AsyncClient) -> None:
    for query, number in WORDS:
        assert await found(client, text=query) == [TEXTS[number]], query


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    for query in NOTHING:
        assert await found(client, text=query) == [], query


@pytest.mark.parametrize(
    ("name", "typed", "is_held"),
    [
        ("Jürg Łukasz", "jurg luk", True),
        ("山田太郎", "太郎", True),
        ("Hana Watanabe", "tanabe", False),
        ("José", "JOSÉ", True),
    ],
)
def test_an_author_is_named_by_any_spelling(name: str, typed: str, is_held: bool) -> None:
    assert holds_name(name, typed) is is_held


async def test_filters_narrow_and_pages_go_on_from_a_key(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    sofia = await workspace.inbound("report from Sofia", account="acc-signal", point=SOFIA)
    hana = await workspace.inbound("the last report", point=HANA)
    home = await workspace.conversation_of(hana)
    answer = await submit(client, home, draft("my own report", clock=workspace.clock))
    assert answer.status_code == 201
    await indexed(workspace)
    everything = ["my own report", "the last report", "report from Sofia", TEXTS[1]]
    assert await found(client, text="report") == everything
    author = await workspace.scalar(f"SELECT author_id FROM messages WHERE message_id = '{hana}'")
    assert await found(client, text="report", author_ids=[author]) == [everything[1], TEXTS[1]]
    assert await found(client, text="report", author_ids=[ELENA]) == everything[:1]
    assert await found(client, text="report", author_name="elen") == everything[:1]
    assert await found(client, author_ids=[ELENA]) == everything[:1]
    assert await found(client, text="report", contact_ids=[author]) == [
        *everything[:2],
        TEXTS[1],
    ]
    assert await found(client, text="report", conversation_ids=[home], channels=["signal"]) == []
    assert await found(client, channels=["signal"]) == ["report from Sofia"]
    assert await found(client, text="report", has_file=True) == []
    at = await workspace.scalar(f"SELECT place_at_utc_ms FROM messages WHERE message_id='{sofia}'")
    assert await found(client, text="report", before_utc_ms=at) == [TEXTS[1]]
    assert await found(client, text="report", after_utc_ms=at) == everything[:3]
    pages, cursor = list[list[str]](), ""
    while not pages or cursor:
        page = await search(client, text="report", limit=2, cursor=cursor)
        pages.append([each.text for each in page.messages])
        cursor = page.next_cursor
    assert [text for page in pages for text in page] == everything


async def test_only_conversations_the_employee_is_member_of_now(workspace: Workspace) -> None:
    async with client_of(workspace, KENTA) as stranger:
        assert await found(stranger, text="report") == []
        newest = await workspace.scalar("SELECT message_id FROM messages LIMIT 1")
        assert (await stranger.get(f"/v1/messages/{newest}/surroundings")).status_code == 404
    async with client_of(workspace, ELENA) as member:
        assert await found(member, text="report") == [TEXTS[1]]
        await workspace.services.database.write(
            lambda c: c.exec_driver_sql(
                "DELETE FROM conversation_members WHERE employee_id = ?", (ELENA,)
            ).close()
        )
        assert await found(member, text="report") == []
    async with client_of(workspace, None) as nobody:
        assert (await nobody.post("/v1/search", json={"text": "x"})).status_code == 401


async def test_an_erased_message_is_gone_from_the_index_and_its_pages(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    gone = await workspace.inbound("Wunderkammer 秘密書")
    await indexed(workspace)
    assert len(await found(client, text="wunderk")) == 1
    database = workspace.services.database
    order = ErasureOrder(firm_id=FIRM, actor_id="officer", basis="2026-17", message_ids=(gone,))
    await database.write(lambda c: erase(c, order, workspace.clock()))
    assert await found(client, text="wunderk") == []
    await indexed(workspace)
    pages = await database.read(
        lambda c: c.exec_driver_sql("SELECT block FROM message_search_data").scalars().all()
    )
    held = b"".join(bytes(each) for each in pages)
    assert b"wunder" not in held and "秘密".encode() not in held
    assert await found(client, text="quarterly") == [TEXTS[1]]


async def test_an_old_database_is_caught_up_and_says_so_meanwhile(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    database = workspace.services.database

    def forget(connection: Any) -> None:
        connection.exec_driver_sql("DELETE FROM properties WHERE name LIKE 'search_%'").close()
        connection.exec_driver_sql("DELETE FROM message_search").close()

    await database.write(forget)
    page = await search(client, text="report")
    assert page.messages == () and page.indexing
    assert await database.write(lambda c: index_some(c, 2))
    await indexed(workspace)
    assert not await database.read(is_behind)
    page = await search(client, text="report")
    assert [each.text for each in page.messages] == [TEXTS[1]] and not page.indexing


async def test_imported_messages_come_after_all_live_ones(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    home = await workspace.scalar("SELECT conversation_id FROM messages LIMIT 1")
    await workspace.services.database.write(
        lambda c: record_history(
            c,
            conversation_id=str(home),
            direction=Direction.IN,
            text="an old report",
            author_id="someone",
            author_name="Someone",
            at_utc_ms=workspace.clock() - 10**10,
            now_utc_ms=workspace.clock(),
            external_id="old-1",
            origin=Origin.IMPORTED,
        )
    )
    await workspace.inbound("a new report")
    await indexed(workspace)
    assert await found(client, text="report") == ["a new report", TEXTS[1], "an old report"]


async def test_what_stands_around_a_message_is_told_newest_first(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    hit = (await search(client, text="債券")).messages[0]
    answer = await client.get(f"/v1/messages/{hit.message_id}/surroundings", params={"limit": 2})
    page = msgspec.json.decode(answer.content, type=MessagePage)
    assert [each.text for each in page.messages] == [*reversed(TEXTS[:5])]


async def test_searching_faster_than_anyone_types_is_slowed_down(workspace: Workspace) -> None:
    at_s = 1_000.0
    unhurried = replace(workspace.services, searches=SearchRate(now_s=lambda: at_s))
    async with client_of(replace(workspace, services=unhurried)) as client:

        async def asked() -> httpx.Response:
            return await client.post("/v1/search", json={"text": "x"})

        assert [(await asked()).status_code for _ in range(20)] == [200] * 20
        slowed = await asked()
        assert slowed.status_code == 429 and 0 < float(slowed.headers["Retry-After"]) <= 1
        at_s += 0.25
        assert [(await asked()).status_code for _ in range(2)] == [200, 429]


async def test_a_question_out_of_bounds_is_refused_in_words(client: httpx.AsyncClient) -> None:
    for asked in OUT_OF_BOUNDS:
        answer = await client.post("/v1/search", json=asked)
        assert answer.status_code == 400 and answer.json()["detail"], asked


async def test_a_served_backend_indexes_beside_its_work_and_stops_in_the_midst(
    tmp_path: Path,
) -> None:
    with BackendProcess(tmp_path) as backend, backend.client() as asking:

        async def finds() -> list[dict[str, Any]]:
            answer = asking.post("/v1/search", json={"text": "a", "limit": 1})
            return list(answer.json().get("messages", ()))  # none where it asked too fast

        (sample,) = await eventually(finds, "the sample to be found", timeout_s=60)
        assert MessageId(sample["message_id"])
        backend.close_stdin()
        assert backend.wait() == 0


async def test_an_indexer_stopped_in_the_midst_goes_on_where_it_was(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    database = workspace.services.database
    await database.write(
        lambda c: c.exec_driver_sql("DELETE FROM properties WHERE name LIKE 'search_%'").close()
    )
    assert await database.write(lambda c: index_some(c, 2))
    running = asyncio.create_task(SearchIndexer(database, gather_s=0.0).run())
    await eventually(lambda: _none_behind(workspace), "the index to be filled", timeout_s=60)
    late = await workspace.inbound("a report while it runs")
    await eventually(lambda: _none_behind(workspace), "the late message", timeout_s=60)
    assert await found(client, text="while report") == ["a report while it runs"]
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert (await search(client, text="report runs")).messages[0].message_id == late


async def _none_behind(workspace: Workspace) -> bool:
    return not await workspace.services.database.read(is_behind)
