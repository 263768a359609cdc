"""Forbids full scans: every statement the store runs on its large tables uses an index.

It never lists statements by hand: it watches what the methods really run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from app.domain.drafts import Draft
from app.domain.inbox import InboxFilter, InboxKey, InboxQuery
from app.store.store import Store
from contract.events import AccessRevoked, Erased, MessageUpserted, Sealed
from contract.ids import ContactId, ConversationId, MessageId
from contract.states import OutboxEvent
from contract.wire import Channel
from tests.app.store.values import HOME, archive_ref, contact, conversation, entry, fill, message
from tests.app.store.values import event as stream_event

# json_each walks its one bound value; subqueries and FTS5 tables are walked by their own index.
_FULL_SCAN = re.compile(r"SCAN (messages|conversations|contacts|seals|tombstones|outbox)\b(.*)")
# A snapshot's end looks at every conversation and contact once; diagnostics count.
_ALLOWED = (
    re.compile(r"FROM conversations WHERE generation <"),
    re.compile(r"FROM contacts WHERE generation <"),
    re.compile(r"DELETE FROM conversations WHERE generation <"),
    re.compile(r"DELETE FROM tombstones WHERE seq <="),
    re.compile(r"count\(\*\) FILTER"),
    re.compile(r"FROM outbox,|json_each\(outbox"),
    re.compile(r"SELECT max\(row_id\) FROM messages"),
    re.compile(r"SELECT \* FROM outbox ORDER BY position LIMIT"),
)


@pytest.fixture
def plans() -> Iterator[dict[str, list[str]]]:
    """Collect each statement's plan, taken on the connection that runs it."""
    found: dict[str, list[str]] = {}

    def explain(
        connection: Connection, cursor: Any, sql: str, values: Any, context: Any, many: bool
    ) -> None:
        if sql in found or not re.match(r"\s*(SELECT|UPDATE|DELETE)", sql):
            return
        asking = cursor.connection.cursor()
        asking.execute(f"EXPLAIN QUERY PLAN {sql}", values[0] if many else values)
        found[sql] = [str(row[3]) for row in asking.fetchall()]
        asking.close()

    event.listen(Engine, "before_cursor_execute", explain)
    yield found
    event.remove(Engine, "before_cursor_execute", explain)


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
    await store.inbox.row(HOME)
    await store.inbox.conversation(HOME)
    await store.inbox.counts(0, 10)
    home = ConversationId("c5")
    await store.outbox.add(entry("w1", home="c5", quote="m5"))
    await store.timeline.around(home, MessageId("m65"), 2, 2)
    await store.timeline.older(home, MessageId("m65"), 2)
    await store.timeline.newer(home, MessageId("m65"), 2)
    await store.timeline.message(MessageId("m65"))
    await store.search.search("word")
    await store.search.search("name")
    await store.contacts.get(ContactId("p1"))
    await store.contacts.page(people[3], 10)
    await store.cache.apply_events(
        [
            stream_event(2, MessageUpserted(message=message("m1", "new", version=2, home="c1"))),
            stream_event(
                3,
                Sealed(
                    message_id=MessageId("m2"),
                    conversation_id=ConversationId("c2"),
                    archive=archive_ref(1),
                ),
            ),
            stream_event(4, Erased(conversation_id=home, message_ids=(MessageId("m5"),))),
            stream_event(5, AccessRevoked(conversation_id=ConversationId("c7"))),
        ],
        5,
    )
    await store.outbox.heads(1)
    await store.outbox.next_due_utc_ms()
    await store.outbox.retry_now()
    await store.outbox.transition(MessageId("w1"), OutboxEvent.START)
    await store.outbox.list_waiting(home)
    await store.outbox.restart()
    await store.drafts.save(Draft(home, "x"))
    await store.drafts.get(home)
    await store.outbox.cancel(MessageId("w1"))


async def test_no_statement_walks_a_large_table(plans: dict[str, list[str]], store: Store) -> None:
    await _use_everything(store)
    assert len(plans) > 50
    faults = []
    for sql, steps in plans.items():
        if any(allowed.search(sql) for allowed in _ALLOWED):
            continue
        for step in steps:
            scan = _FULL_SCAN.search(step)
            if scan and "INDEX inbox_" not in step and "INDEX outbox_open" not in step:
                faults.append((sql, step))
    assert not faults, "\n".join(f"{step}: {sql}" for sql, step in faults)


async def test_pages_of_the_inbox_and_windows_are_read_in_index_order(
    plans: dict[str, list[str]], store: Store
) -> None:
    await _use_everything(store)
    sorting = [
        sql
        for sql, steps in plans.items()
        if any("TEMP B-TREE FOR ORDER BY" in step for step in steps)
        and re.search(r"FROM (messages|conversations) WHERE", sql)
        and "window_closes_at_utc_ms" not in sql
    ]
    assert sorting == []
