"""The queue's pages by key, and many entries taken back at once: no text lost, none taken twice.

It never sends.
"""

from __future__ import annotations

import msgspec
import pytest

from app.domain.drafts import Draft
from app.domain.queue import QueueRow, Wait
from app.store.store import Store
from contract.ids import ConversationId, MessageId
from contract.states import DeliveryState, OutboxEvent, OutboxState
from contract.wire import Direction
from tests.app.store.values import conversation, entry, fill, message

_A, _B = ConversationId("a"), ConversationId("b")


def _ids(rows: tuple[QueueRow, ...]) -> list[str]:
    return [row.entry.message_id for row in rows]


async def _fill_queue(store: Store, count: int, homes: int = 2) -> list[str]:
    keys = [f"m{n:04}" for n in range(count)]
    for n, key in enumerate(keys):
        await store.outbox.add(entry(key, f"text {n}", home="ab"[n % homes]))
    return keys


async def test_pages_join_to_the_whole_queue_both_ways(store: Store) -> None:
    keys = await _fill_queue(store, 25)
    queue = store.outbox.queue
    page = await queue.later(limit=10)
    assert _ids(page.rows) == keys[:10] and page.has_later and not page.has_earlier
    page = await queue.later(page.rows[-1].position, 10)
    assert _ids(page.rows) == keys[10:20] and page.has_later and page.has_earlier
    page = await queue.later(page.rows[-1].position, 10)
    assert _ids(page.rows) == keys[20:] and not page.has_later
    page = await queue.earlier(page.rows[0].position, 10)
    assert _ids(page.rows) == keys[10:20] and page.has_earlier and page.has_later
    assert len((await queue.later(limit=9_999)).rows) == 25
    assert (await queue.later(10**9)).rows == ()


async def test_each_row_says_what_it_waits_for(store: Store) -> None:
    taken = message("taken", home="c", direction=Direction.OUT)
    await fill(store, (conversation("a", title="王小明"), conversation("c")), (taken,))
    await store.outbox.add(entry("undo", home="u", state=OutboxState.UNDO, undo_until=9))
    for key in ("head", "behind"):
        await store.outbox.add(entry(key, home="a"))
    await store.outbox.add(entry("sending", home="s", state=OutboxState.SENDING))
    await store.outbox.add(entry("taken", home="c", state=OutboxState.ACCEPTED))
    await store.outbox.add(entry("refused", home="r", state=OutboxState.REFUSED))
    await store.outbox.add(entry("failed", home="f", state=OutboxState.SENDING))
    await store.outbox.transition(
        MessageId("failed"), OutboxEvent.RETRY, problem_code="offline", next_attempt_utc_ms=5
    )
    rows = {str(row.entry.message_id): row for row in (await store.outbox.queue.later()).rows}
    assert {key: row.wait for key, row in rows.items()} == {
        "undo": Wait.UNDO_PERIOD,
        "head": Wait.TURN,
        "behind": Wait.EARLIER_MESSAGE,
        "sending": Wait.ANSWER,
        "taken": Wait.RECEIPT,
        "refused": Wait.PERSON,
        "failed": Wait.ANOTHER_TRY,
    }
    assert rows["head"].title == "王小明" and rows["undo"].title == ""
    assert [key for key, row in rows.items() if row.can_cancel] == [
        "undo",
        "head",
        "behind",
        "failed",
    ]


async def test_what_became_of_a_taken_message_is_told_as_the_cache_has_it(store: Store) -> None:
    held = msgspec.structs.replace(
        message("m", home="a", direction=Direction.OUT), state=DeliveryState.HELD
    )
    await fill(store, (conversation("a"),), (held,))
    await store.outbox.add(entry("m", home="a", state=OutboxState.ACCEPTED))
    (row,) = (await store.outbox.queue.later()).rows
    assert row.delivery is DeliveryState.HELD and not row.can_cancel


@pytest.mark.parametrize("step", [1, 3, 200])
async def test_cancelled_texts_stand_in_the_draft_in_order_before_what_was_typed_since(
    store: Store, step: int
) -> None:
    await _fill_queue(store, 10)
    await store.drafts.save(Draft(_A, "typed since"))
    await store.outbox.transition(MessageId("m0000"), OutboxEvent.START)
    taken = 0
    while True:
        done = await store.outbox.queue.take_back(_A, keep_text=True, limit=step)
        taken += done.count
        draft = await store.drafts.get(_A)
        kept = {row.text for row in await store.outbox.list_waiting(_A)}
        assert draft is not None
        assert kept | set(draft.text.split("\n\n")) == {
            *(f"text {n}" for n in range(0, 10, 2)),
            "typed since",
        }, "each text is either in the queue or in the draft"
        if not done.left:
            break
    assert taken == 4
    assert draft.text == "text 2\n\ntext 4\n\ntext 6\n\ntext 8\n\ntyped since"
    assert await store.outbox.counts() == (6, 0), "what is being sent stays, and the other's"
    assert await store.outbox.queue.waiting(_A) == 1
    assert await store.outbox.queue.waiting(None) == 6


async def test_texts_are_deleted_only_when_asked(store: Store) -> None:
    await _fill_queue(store, 6)
    done = await store.outbox.queue.take_back(_B, keep_text=False)
    assert done.count == 3 and not done.left
    assert await store.drafts.get(_B) is None
    assert _ids((await store.outbox.queue.later()).rows) == ["m0000", "m0002", "m0004"]
    assert await store.outbox.queue.conversations() == (_A,)
