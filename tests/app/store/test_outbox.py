"""Tests of the outbox: lanes, transitions from the table, texts that go back to the draft.

It never sends.
"""

from __future__ import annotations

import asyncio
import itertools

import pytest

from app.domain.changes import ChangeSet
from app.domain.drafts import Draft
from app.store.store import Store
from contract.ids import AttachmentId, ConversationId, MessageId
from contract.states import (
    OUTBOX_TRANSITIONS,
    IllegalTransition,
    OutboxEvent,
    OutboxState,
)
from contract.wire import Attachment
from tests.app.store.values import HOME, entry


async def test_every_step_of_the_table_and_no_other_is_taken(store: Store) -> None:
    for state, step in itertools.product(OutboxState, OutboxEvent):
        key = MessageId(f"{state}-{step}")
        await store.outbox.add(entry(key, state=state, home=key))
        wanted = OUTBOX_TRANSITIONS.get((state, step))
        if wanted is None or step is OutboxEvent.CANCEL:
            with pytest.raises(IllegalTransition):
                await store.outbox.transition(key, step)
            continue
        changed = await store.outbox.transition(key, step, next_attempt_utc_ms=7)
        assert changed.state is wanted and changed.next_attempt_utc_ms == 7
        assert changed.attempts == (1 if step is OutboxEvent.START else 0)
        assert await store.outbox.get(key) == changed


async def test_only_the_head_of_each_lane_comes_when_it_is_due(store: Store) -> None:
    await store.outbox.add(entry("a1", home="a", next_attempt=500))
    await store.outbox.add(entry("a2", home="a"))
    await store.outbox.add(entry("b1", home="b", state=OutboxState.UNDO, undo_until=300))
    await store.outbox.add(entry("c0", home="c", state=OutboxState.REFUSED))
    await store.outbox.add(entry("c1", home="c"))
    await store.outbox.add(entry("d1", home="d", state=OutboxState.SENDING))
    await store.outbox.add(entry("d2", home="d"))

    async def heads(now: int) -> list[str]:
        return [each.message_id for each in (await store.outbox.due(now)).heads]

    assert await heads(100) == ["c1"]
    assert await heads(300) == ["c1", "b1"], "the longest due first"
    assert await heads(500) == ["c1", "b1", "a1"]
    assert (await store.outbox.due(500, 2)).next_utc_ms == 0
    await store.outbox.forget(MessageId("c1"))
    assert (await store.outbox.due(500, 2)).next_utc_ms == 300
    assert await store.outbox.retry_now() == 1
    assert await heads(0) == ["a1"]


async def test_restart_queues_what_a_crash_left_between_states(store: Store) -> None:
    for state in OutboxState:
        await store.outbox.add(entry(state.value, home=state.value, state=state, next_attempt=9))
    assert await store.outbox.restart() == 2
    states = {str(each.message_id): each.state for each in await store.outbox.list_waiting()}
    assert states["undo"] is states["sending"] is states["queued"] is OutboxState.QUEUED
    assert states["refused"] is OutboxState.REFUSED and states["accepted"] is OutboxState.ACCEPTED


async def test_sending_replaces_the_draft_in_one_commit(store: Store) -> None:
    told: list[ChangeSet] = []
    store.subscribe(told.append)
    await store.drafts.save(Draft(HOME, "hello"))
    await store.outbox.clear_draft_and_add(entry("m1", "hello"))
    assert await store.drafts.get(HOME) is None
    assert [each.message_id for each in await store.outbox.list_waiting(HOME)] == ["m1"]
    assert told[-1].outbox and told[-1].drafts == {HOME} and told[-1].initiator == "outbox"
    assert await store.outbox.counts() == (1, 0)


@pytest.mark.parametrize("state", [OutboxState.UNDO, OutboxState.QUEUED, OutboxState.REFUSED])
async def test_taking_back_puts_the_text_before_what_was_typed_since(
    store: Store, state: OutboxState
) -> None:
    await store.outbox.add(entry("m1", "first", state=state, quote="q"))
    await store.drafts.save(Draft(HOME, "second", attachment_ids=(AttachmentId("f"),)))
    taken = await store.outbox.cancel(MessageId("m1"))
    draft = await store.drafts.get(HOME)
    assert taken.state is OutboxState.CANCELLED and taken.text == "first"
    assert draft is not None and draft.text == "first\n\nsecond"
    assert draft.quote_message_id == "q" and draft.attachment_ids == ("f",)
    assert await store.outbox.get(MessageId("m1")) is None


@pytest.mark.parametrize("state", [OutboxState.SENDING, OutboxState.ACCEPTED])
async def test_what_is_on_its_way_can_not_be_taken_back(store: Store, state: OutboxState) -> None:
    await store.outbox.add(entry("m1", state=state))
    with pytest.raises(IllegalTransition):
        await store.outbox.cancel(MessageId("m1"))
    with pytest.raises(IllegalTransition):
        await store.outbox.cancel(MessageId("never there"))
    assert await store.drafts.get(HOME) is None


async def test_a_cancelled_caller_does_not_stop_the_commit_nor_its_news(store: Store) -> None:
    told: list[ChangeSet] = []
    store.subscribe(told.append)
    sending = asyncio.ensure_future(store.outbox.add(entry("m1")))
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    # Reads follow writes only once these are committed; this write waits behind the first.
    await store.outbox.add(entry("m2"))
    assert [each.message_id for each in await store.outbox.list_waiting()] == ["m1", "m2"]
    assert [set(each.messages[HOME]) for each in told] == [{"m1"}, {"m2"}]


async def test_drafts_are_kept_until_emptied(store: Store) -> None:
    await store.drafts.save(Draft(HOME, "a\x00b \ud83d half", MessageId("q"), (), 5))
    kept = await store.drafts.get(HOME)
    assert kept is not None and kept.text == "a\x00b ? half" and kept.quote_message_id == "q"
    assert await store.drafts.all_ids() == {HOME}
    await store.drafts.save(Draft(HOME, ""))
    assert await store.drafts.all_ids() == frozenset()


async def test_names_of_files_live_as_long_as_a_draft_or_send_needs_them(store: Store) -> None:
    files = [
        Attachment(
            attachment_id=AttachmentId(key), name=key, media_type="a/b", size_bytes=1, sha256=""
        )
        for key in ("kept", "dropped")
    ]
    for file in files:
        await store.drafts.remember_attachment(file)
    await store.drafts.save(Draft(ConversationId("c"), "", attachment_ids=(AttachmentId("kept"),)))
    await store.outbox.restart()
    ids = [file.attachment_id for file in reversed(files)]
    assert await store.drafts.attachments(ids) == (files[0],)
