"""Tests of the inbox list: order, filters, pages, counts and what this computer adds.

It never looks into tables.
"""

from __future__ import annotations

from app.domain.drafts import Draft
from app.domain.inbox import InboxCounts, InboxFilter, InboxKey, InboxQuery
from app.store.store import Store
from contract.events import AccessRevoked, ConversationUpserted
from contract.ids import ConversationId
from contract.states import OutboxState
from contract.wire import Channel
from tests.app.store.values import conversation, entry, event, fill


async def _ids(store: Store, query: InboxQuery) -> list[str]:
    found = await store.inbox.page(query, 100)
    return [row.conversation.conversation_id for row in found.rows]


async def test_newest_activity_stands_first_and_pages_join_without_gap(store: Store) -> None:
    await fill(store, tuple(conversation(f"c{n:02}", activity=n // 2) for n in range(25)))
    seen: list[str] = []
    after: InboxKey | None = None
    while True:
        found = await store.inbox.page(InboxQuery(), 4, after)
        seen += [row.conversation.conversation_id for row in found.rows]
        after = found.next_key
        if after is None:
            break
    assert seen == sorted(seen, key=lambda key: (int(key[1:]) // 2, key), reverse=True)
    assert len(seen) == 25


async def test_each_filter_lists_and_counts_the_same(store: Store) -> None:
    await fill(
        store,
        (
            conversation("quiet", activity=1),
            conversation("unread", activity=2, unread=3, channel=Channel.LINE),
            conversation("awaiting", activity=3, awaiting=True),
            conversation("closing", activity=4, window=150),
            conversation("closed", activity=5, window=90),
            conversation("later", activity=6, window=500),
        ),
    )
    expiring = InboxQuery(InboxFilter.EXPIRING, now_utc_ms=100, expiring_before_utc_ms=200)
    assert await _ids(store, InboxQuery(InboxFilter.UNREAD)) == ["unread"]
    assert await _ids(store, InboxQuery(InboxFilter.AWAITING)) == ["awaiting"]
    assert await _ids(store, expiring) == ["closing"]
    assert await _ids(store, InboxQuery(channel=Channel.LINE)) == ["unread"]
    assert await store.inbox.counts(100, 200) == InboxCounts(6, 1, 1, 1)


async def test_counts_follow_every_change(store: Store) -> None:
    await fill(store, (conversation("a", unread=1), conversation("b", awaiting=True)))
    await store.cache.apply_events(
        [
            event(2, ConversationUpserted(conversation=conversation("a", version=2))),
            event(3, ConversationUpserted(conversation=conversation("c", unread=2))),
            event(4, AccessRevoked(conversation_id=ConversationId("b"))),
        ],
        4,
    )
    assert await store.inbox.counts(0, 0) == InboxCounts(2, 1, 0, 0)
    assert await store.inbox.row(ConversationId("b")) is None


async def test_rows_carry_draft_and_waiting_and_refused_sends(store: Store) -> None:
    await fill(store, (conversation("a"), conversation("b")))
    await store.drafts.save(Draft(ConversationId("a"), "x" * 300))
    await store.outbox.add(entry("m1", home="a"))
    await store.outbox.add(entry("m2", home="a", state=OutboxState.REFUSED))
    await store.outbox.add(entry("m3", home="a", state=OutboxState.ACCEPTED))
    row = await store.inbox.row(ConversationId("a"))
    assert row is not None
    assert (len(row.draft_text), row.waiting_count, row.refused_count) == (200, 1, 1)
    other = await store.inbox.row(ConversationId("b"))
    assert other is not None and other.draft_text == "" and other.waiting_count == 0
