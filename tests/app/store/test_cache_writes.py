"""Tests of applying events, snapshots and answers: versions, positions, removals.

It never looks into tables.
"""

from __future__ import annotations

import asyncio

import pytest

from app.domain.changes import ChangeSet
from app.domain.drafts import Draft
from app.domain.errors import CursorGone
from app.domain.inbox import InboxQuery
from app.store import feed
from app.store.store import Store
from contract.events import (
    AccessRevoked,
    ClientTyping,
    ContactUpserted,
    ConversationUpserted,
    Erased,
    MessageUpserted,
    Sealed,
)
from contract.ids import ContactId, ConversationId, MessageId
from tests.app.small_backend import until
from tests.app.store.values import (
    HOME,
    archive_ref,
    contact,
    conversation,
    entry,
    event,
    fill,
    message,
    page,
)


async def _texts(store: Store, home: ConversationId = HOME) -> list[str]:
    return [row.message.text for row in (await store.timeline.around(home, None, 500)).rows]


async def test_without_a_snapshot_there_is_no_cursor_and_no_event_is_taken(store: Store) -> None:
    assert await store.cache.cursor() is None
    with pytest.raises(CursorGone):
        await store.cache.apply_events([event(1, MessageUpserted(message=message("m")))], 1)
    assert await store.timeline.message(MessageId("m")) is None


async def test_a_snapshot_goes_on_where_it_was_cut(store: Store) -> None:
    first = page(
        seq=40, next_cursor="two", conversations=(conversation(),), messages=(message("b", at=2),)
    )
    await store.cache.apply_snapshot_page(first, first=True)
    progress = await store.cache.snapshot_progress()
    assert progress is not None and await store.cache.cursor() == 40
    assert (progress.seq, progress.next_cursor, progress.applied_messages) == (40, "two", 1)
    # The stream is followed meanwhile, from the snapshot's position on.
    live = event(41, MessageUpserted(message=message("live", at=9)))
    await store.cache.apply_events([live], 41)
    assert await store.cache.cursor() == 41
    await store.cache.apply_snapshot_page(page(seq=40, messages=(message("a", at=1),)), first=False)
    assert await store.cache.cursor() == 41 and await store.cache.snapshot_progress() is None
    assert await _texts(store) == ["text of a", "text of b", "text of live"]


async def test_a_higher_version_replaces_and_a_lower_or_double_one_changes_nothing(
    store: Store,
) -> None:
    await fill(store, (conversation(),), (message("m", "v2", version=2),))
    told = await store.cache.apply_events(
        [event(2, MessageUpserted(message=message("m", "v1", version=1)))], 2
    )
    assert told.is_empty() and await _texts(store) == ["v2"]
    told = await store.cache.apply_events(
        [event(3, MessageUpserted(message=message("m", "v3", version=3)))], 3
    )
    assert told.messages == {HOME: {"m"}} and await _texts(store) == ["v3"]
    assert await store.cache.cursor() == 3
    await store.cache.apply_events([], 2)
    assert await store.cache.cursor() == 3
    assert len((await store.search.search("v3")).messages) == 1
    assert (await store.search.search("v2")).messages == ()


async def test_revoked_access_purges_rows_and_index_and_late_events_stay_out(store: Store) -> None:
    await fill(store, (conversation(contacts=("p",)),), (message("m", "secret"),))
    told = await store.cache.apply_events([event(5, AccessRevoked(conversation_id=HOME))], 5)
    assert told.removed_conversations == {HOME}
    assert await store.inbox.conversation(HOME) is None
    assert await store.timeline.message(MessageId("m")) is None
    late = [
        event(4, ConversationUpserted(conversation=conversation(version=9))),
        event(4, MessageUpserted(message=message("m", "secret", version=9))),
    ]
    await store.cache.apply_events(late, 5)
    await store.cache.apply_answers(messages=[message("m", "secret", version=9)])
    assert (await store.search.search("secret")).messages == ()
    assert (await store.inbox.page(InboxQuery(), 10)).rows == ()
    again = event(6, ConversationUpserted(conversation=conversation(version=10)))
    await store.cache.apply_events([again], 6)
    assert await store.inbox.conversation(HOME) is not None


async def test_erased_messages_leave_rows_and_index(store: Store) -> None:
    await fill(store, (conversation(),), (message("m", "secret"), message("n", "kept", at=1)))
    erased = Erased(conversation_id=HOME, message_ids=(MessageId("m"),))
    told = await store.cache.apply_events([event(2, erased)], 2)
    assert told.messages == {HOME: {"m"}}
    await store.cache.apply_answers(messages=[message("m", "secret", version=2)])
    assert await _texts(store) == ["kept"]
    assert (await store.search.search("secret")).messages == ()


async def test_a_seal_is_shown_whether_it_comes_before_or_after_its_message(store: Store) -> None:
    await fill(store, (conversation(),), (message("m"),))
    seals = [
        event(
            seq, Sealed(message_id=MessageId(key), conversation_id=HOME, archive=archive_ref(seq))
        )
        for seq, key in ((2, "m"), (3, "n"))
    ]
    await store.cache.apply_events(seals, 3)
    await store.cache.apply_events([event(4, MessageUpserted(message=message("n", at=1)))], 4)
    rows = (await store.timeline.around(HOME)).rows
    assert [row.message.archive for row in rows] == [archive_ref(2), archive_ref(3)]


async def test_a_new_snapshot_removes_what_it_does_not_hold(store: Store) -> None:
    await fill(
        store,
        (conversation(), conversation("gone")),
        (message("kept", at=1), message("erased", at=2), message("x", home="gone")),
        (contact("p", "Kept Person"), contact("q", "Gone Person")),
    )
    await store.cache.begin_resync()
    assert await store.cache.cursor() is None and await _texts(store) != []
    told: list[ChangeSet] = []
    store.subscribe(told.append)
    await store.cache.apply_snapshot_page(
        page(
            seq=9,
            conversations=(conversation(),),
            messages=(message("kept", at=1), message("new", at=3)),
            contacts=(contact("p", "Kept Person"),),
        ),
        first=True,
    )
    assert await _texts(store) == ["text of kept", "text of new"]
    assert any(changes.reset for changes in told) and await store.cache.cursor() == 9
    assert await store.inbox.conversation(ConversationId("gone")) is None
    assert await store.contacts.get(ContactId("q")) is None
    assert (await store.search.search("gone")).people == ()
    assert (await store.check()).search_index_sound


async def test_news_is_told_after_the_commit_until_nobody_listens(store: Store) -> None:
    told: list[ChangeSet] = []
    stop = store.subscribe(told.append)
    await fill(store, (conversation(),))
    await store.cache.apply_events([event(2, MessageUpserted(message=message("m")))], 2)
    await until(lambda: any(changes.messages for changes in told))
    stop()
    before = len(told)
    await store.cache.apply_events([event(3, MessageUpserted(message=message("n")))], 3)
    await asyncio.sleep(0.1)  # longer than changes are gathered
    assert len(told) == before


async def test_a_flood_of_news_is_told_in_few_words_and_own_changes_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Far longer than a commit takes, on whatever machine.
    monkeypatch.setitem(feed._GATHERED_S, "sync", 1.0)
    told: list[ChangeSet] = []
    store.subscribe(told.append)
    await fill(store, (conversation(),))
    for seq in range(2, 42):
        news = event(seq, MessageUpserted(message=message(f"m{seq}", at=seq)))
        await store.cache.apply_events([news], seq)
    own = len([changes for changes in told if changes.initiator == "drafts"])
    await store.drafts.save(Draft(HOME, "words"))
    assert len([changes for changes in told if changes.initiator == "drafts"]) == own + 1
    await until(lambda: _told_messages(told) == 40)
    assert len(told) < 35


def _told_messages(told: list[ChangeSet]) -> int:
    return len({one for changes in told for one in changes.messages.get(HOME, ())})


async def test_passing_events_and_unlisted_conversations_leave_no_row(store: Store) -> None:
    await fill(store, (conversation(),))
    typing = event(0, ClientTyping(conversation_id=HOME, typing=True))
    stray = event(2, MessageUpserted(message=message("m", "stray", home="unknown")))
    await store.cache.apply_events([typing, stray], 2)
    assert len((await store.inbox.page(InboxQuery(), 10)).rows) == 1
    assert (await store.search.search("stray")).messages == ()


async def test_long_backlogs_are_cut_into_commits_whose_position_is_safe(store: Store) -> None:
    await fill(store, (conversation(),))
    positions: list[ChangeSet] = []
    store.subscribe(positions.append)
    events = [
        event(2 + n, MessageUpserted(message=message(f"m{n:04}", at=n))) for n in range(1_000)
    ]
    told = await store.cache.apply_events(list(reversed(events)), 1_001)
    assert len(told.messages[HOME]) == 1_000
    await until(lambda: _told_messages(positions) == 1_000)
    assert await store.cache.cursor() == 1_001
    assert (await store.check()).message_count == 1_000


async def test_a_wipe_leaves_nothing_in_either_file(store: Store) -> None:
    await fill(store, (conversation(),), (message("m", "secret"),))
    await store.outbox.add(entry("w"))
    await store.cache.purge_all()
    await store.drafts.purge_all()
    found = await store.check()
    assert found.ok and found.message_count == found.waiting_count == 0
    assert await store.cache.cursor() is None and await _texts(store) == []
    await fill(store, (conversation(),), (message("m"),))
    assert await _texts(store) == ["text of m"]


async def test_contacts_are_paged_by_name(store: Store) -> None:
    people = [contact(f"p{n}", name) for n, name in enumerate(("Zoe", "anna", "Bert", "anna"))]
    await fill(store, contacts=tuple(people))
    await store.cache.apply_events(
        [event(2, ContactUpserted(contact=contact("p0", "Aaron", version=2)))], 2
    )
    first = await store.contacts.page(None, 3)
    assert [each.display_name for each in first] == ["Aaron", "anna", "anna"]
    assert [each.display_name for each in await store.contacts.page(first[-1], 3)] == ["Bert"]
