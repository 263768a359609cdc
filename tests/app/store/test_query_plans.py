"""Forbids full scans: every statement of the store goes by key or index, on both files.

It never trusts a list alone: what a store at work really runs is watched as well.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from app.domain.drafts import Draft
from app.domain.inbox import InboxFilter, InboxKey, InboxQuery
from app.domain.timeline import MAX_WINDOW_ROWS
from app.store.cipher import connect
from app.store.store import Store
from contract.events import AccessRevoked, Erased, EventBody, MessageUpserted, Sealed
from contract.ids import ContactId, ConversationId, MessageId
from contract.states import OutboxEvent
from contract.wire import Channel
from tests.app.store.statements import all_statements
from tests.app.store.values import (
    CACHE_KEY,
    OUTBOX_KEY,
    START_UTC_MS,
    archive_ref,
    contact,
    conversation,
    entry,
    fill,
    message,
    open_at,
)
from tests.app.store.values import event as stream_event

Plans = dict[str, list[str]]

# What may walk: the values of one bound list, a bounded subquery, a full-text table by term or
# row id, tables that hold a handful of rows whatever the inbox holds.
_HARMLESS = re.compile(
    r"SCAN (json_each|\(subquery|CONSTANT ROW|sqlite_master|counters|meta|archive_state|"
    r"\w+_search VIRTUAL TABLE INDEX \d+:\S)"
)
# Statement → why it may walk or sort. Each runs off the window's thread.
_EXCEPTIONS = {
    r"generation < [:?]": "the end of a re-sync looks at each person and chat once",
    r"DELETE FROM tombstones WHERE seq <=": "the end of a re-sync",
    r"^SELECT \(SELECT value FROM counters": "diagnostics count, on a connection of their own",
    r"^SELECT \(SELECT count\(\*\) FROM drafts\)": "diagnostics count",
    r"^DELETE FROM uploads WHERE attachment_id NOT IN": "once at the start, over drafts",
    r"^SELECT conversation_id FROM drafts$": "as many rows as drafts, by covering index",
    r"substr\(text, 1, \d+\) FROM drafts$": "as many rows as drafts, for the first frame",
    r"^SELECT row_id, title FROM conversations WHERE listed = 1$": "once, in an upgrade",
    r"^SELECT message_id FROM outbox$": "as many rows as submissions, by covering index",
    r"INDEXED BY outbox_open": "as many rows as wait to be sent, by partial index",
    r"INDEXED BY outbox_paused": "as many rows as wait to be tried again, by partial index",
    r"INDEXED BY outbox_answered": "as many rows as were refused, by partial index",
    r"FROM lanes": "as many rows as chats with something waiting or refused",
    r"^SELECT position, conversation_id FROM outbox INDEXED BY": "salvage of a damaged file",
    r"FROM conversations WHERE listed = 1 AND window_closes_at_utc_ms IS NOT NULL": (
        "sorts the chats whose reply window closes within the asked hours, by covering index"
    ),
    r"count\(\*\) FILTER \(WHERE open\)": "proves the lanes' sums once, when the outbox opens",
    r"^DELETE FROM cached_files$": "takes every file: a re-sync missed messages, or a wipe",
    r"FROM memberships JOIN conversations": "sorts one client's chats",
    r"WHERE message_id IN \(SELECT value FROM json_each\(:ids\)\) ORDER BY position": (
        "sorts at most one window's submissions"
    ),
    r"WHERE contact_search MATCH": "sorts at most 200 people found",
    r"^SELECT row_id, title FROM conversations WHERE listed": "once, upgrading version 1",
    r"^SELECT row_id, payload FROM contacts$": "once, upgrading version 1",
}
_ONLY_IN_TRIGGERS = re.compile(r"\b(new|old)\.\w+", re.IGNORECASE)


@pytest.fixture
def watched() -> Iterator[Plans]:
    """Collect the plan of each statement that runs, on the connection that runs it."""
    found: Plans = {}

    def explain(
        connection: Connection, cursor: Any, sql: str, values: Any, context: Any, many: bool
    ) -> None:
        if sql in found or not re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT)", sql):
            return
        asking = cursor.connection.cursor()
        asking.execute(f"EXPLAIN QUERY PLAN {sql}", values[0] if many else values)
        found[sql] = [str(row[3]) for row in asking.fetchall()]
        asking.close()

    event.listen(Engine, "before_cursor_execute", explain)
    yield found
    event.remove(Engine, "before_cursor_execute", explain)


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[list[Any]]:
    """Open both files of an empty store with the bare driver."""
    await (await open_at(tmp_path / "plain")).close()
    drivers = [
        connect(tmp_path / "plain" / "cache.db", CACHE_KEY),
        connect(tmp_path / "plain" / "outbox.db", OUTBOX_KEY),
    ]
    yield drivers
    for driver in drivers:
        driver.close()


def _plan(drivers: list[Any], sql: str) -> list[str]:
    """Return a statement's plan on the file that has its tables; its values are all NULL."""
    names = set(re.findall(r":(\w+)", sql))
    values: Any = dict.fromkeys(names) if names else (None,) * sql.count("?")
    faults = []
    for driver in drivers:
        try:
            rows = driver.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        except Exception as fault:  # noqa: BLE001 -- the driver is not imported here
            faults.append(str(fault))
        else:
            return [str(row[3]) for row in rows]
    raise AssertionError(f"{faults}: {sql}")


def _faults(plans: Plans) -> list[str]:
    """Return every step that walks a table to its end or sorts without an index."""
    found = []
    for sql, steps in plans.items():
        if any(re.search(pattern, sql) for pattern in _EXCEPTIONS):
            continue
        sorts = [step for step in steps if "TEMP B-TREE" in step]
        # In the order of an index a walk ends with the page it fills.
        pages = "LIMIT" in sql and not sorts
        walks = [
            step for step in steps if "SCAN" in step and not _HARMLESS.search(step) and not pages
        ]
        found += [f"{step}: {sql}" for step in (*sorts, *walks)]
    return found


async def test_every_statement_of_the_store_goes_by_key_or_index(files: list[Any]) -> None:
    statements = [sql for sql in all_statements() if not _ONLY_IN_TRIGGERS.search(sql)]
    assert len(statements) > 100
    plans = {sql: _plan(files, sql) for sql in statements}
    assert _faults(plans) == []


async def test_no_exception_outlives_its_statement() -> None:
    statements = all_statements()
    unused = [
        pattern for pattern in _EXCEPTIONS if not any(re.search(pattern, sql) for sql in statements)
    ]
    assert unused == []


async def test_what_a_store_at_work_runs_goes_by_key_or_index(watched: Plans, store: Store) -> None:
    await _use_everything(store)
    assert len(watched) > 50
    assert _faults(watched) == []


async def test_rows_of_other_channels_are_passed_by_in_the_index(files: list[Any]) -> None:
    pages = [sql for sql in all_statements() if "unread = 1 AND channel" in sql]
    assert pages
    for sql in pages:
        assert any("INDEX inbox_unread" in step for step in _plan(files, sql))
    (columns,) = [
        [row[2] for row in files[0].execute(f"PRAGMA index_info({name})")]
        for name in ("inbox_unread",)
    ]
    assert columns[-1] == "channel"


async def test_a_window_never_holds_more_than_its_most_rows(store: Store) -> None:
    texts = tuple(message(f"m{n}", at=n) for n in range(MAX_WINDOW_ROWS * 2 + 50))
    await fill(store, (conversation(),), texts)
    home = texts[0].conversation_id
    middle = texts[MAX_WINDOW_ROWS].message_id
    windows = (
        await store.timeline.around(home, middle, 5_000, 5_000),
        await store.timeline.around(home, None, 5_000, 5_000),
        await store.timeline.older(home, texts[-1].message_id, 5_000),
        await store.timeline.newer(home, texts[0].message_id, 5_000),
    )
    assert [len(window.rows) for window in windows] == [500, 499, 500, 500]


async def _use_everything(store: Store) -> None:
    conversations = tuple(
        conversation(f"c{n}", activity=n, unread=n % 2, awaiting=n % 3 == 0, window=n)
        for n in range(60)
    )
    messages = tuple(message(f"m{n}", f"word {n}", at=n, home=f"c{n % 60}") for n in range(300))
    people = tuple(contact(f"p{n}", f"Name {n}") for n in range(60))
    for _ in range(2):
        await fill(store, (conversation(), *conversations), messages, people)
    after = InboxKey(30, ConversationId("c30"))
    for kind in InboxFilter:
        for channel in (None, Channel.WHATSAPP):
            query = InboxQuery(kind, channel, expiring_before_utc_ms=50, now_utc_ms=2)
            await store.inbox.page(query, 10)
            await store.inbox.page(query, 10, after)
            await store.inbox.keys(query, 10)
            await store.inbox.keys(query, 10, after)
    await store.inbox.row(ConversationId("c1"))
    await store.inbox.conversation(ConversationId("c1"))
    await store.inbox.counts(0, 10)
    await store.book.read()
    await store.search.search("word")
    await store.search.search("name")
    await store.contacts.get(ContactId("p1"))
    await store.contacts.page(people[3], 10)
    await _use_one_conversation(store, ConversationId("c5"))


async def _use_one_conversation(store: Store, home: ConversationId) -> None:
    await store.timeline.first_new(home, START_UTC_MS)
    await store.timeline.first_from(home, START_UTC_MS)
    await store.outbox.add(entry("w1", home=home, quote="m5"))
    await store.timeline.around(home, MessageId("m65"), 2, 2)
    await store.timeline.older(home, MessageId("m65"), 2)
    await store.timeline.newer(home, MessageId("m65"), 2)
    await store.timeline.message(MessageId("m65"))
    events: tuple[EventBody, ...] = (
        MessageUpserted(message=message("m1", "new", version=2, home="c1")),
        Sealed(
            message_id=MessageId("m2"),
            conversation_id=ConversationId("c2"),
            archive=archive_ref(1),
        ),
        Erased(conversation_id=home, message_ids=(MessageId("m5"),)),
        AccessRevoked(conversation_id=ConversationId("c7")),
    )
    news = [stream_event(2 + number, body) for number, body in enumerate(events)]
    await store.cache.apply_events(news, 5)
    await store.outbox.retry_now()
    await store.outbox.transition(MessageId("w1"), OutboxEvent.START)
    await store.outbox.list_waiting(home)
    await store.outbox.restart()
    await store.drafts.save(Draft(home, "x"))
    await store.drafts.get(home)
    await store.outbox.cancel(MessageId("w1"))
