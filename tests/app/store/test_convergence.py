"""Proves that any order and doubling of the stream's events ends in the same cache.

It never looks into tables: it compares what the reads return.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.inbox import InboxQuery
from app.store.store import Store
from contract.events import (
    AccessRevoked,
    ContactUpserted,
    ConversationUpserted,
    Erased,
    Event,
    EventBody,
    MessageUpserted,
    Sealed,
)
from contract.ids import ConversationId, MessageId
from tests.app.store.values import (
    archive_ref,
    contact,
    conversation,
    event,
    fill,
    message,
    open_at,
)

_HOMES = ("a", "b")
_MESSAGES = 4
_STEP = st.tuples(
    st.sampled_from(("message", "message", "conversation", "contact", "seal", "erase", "revoke")),
    st.sampled_from(_HOMES),
    st.integers(0, _MESSAGES - 1),
)


def _stream(steps: Sequence[tuple[str, str, int]]) -> list[Event]:
    """Build a stream as a server writes it: versions grow with the position."""
    return [
        event(seq, _body(kind, home, number, seq))
        for seq, (kind, home, number) in enumerate(steps, 2)
    ]


def _body(kind: str, home: str, number: int, seq: int) -> EventBody:
    key = MessageId(f"{home}{number}")
    if kind == "conversation":
        return ConversationUpserted(
            conversation=conversation(home, version=seq, activity=seq, unread=number)
        )
    if kind == "contact":
        return ContactUpserted(contact=contact(f"p{number}", f"Name {seq}", version=seq))
    if kind == "seal":
        return Sealed(
            message_id=key, conversation_id=ConversationId(home), archive=archive_ref(number)
        )
    if kind == "erase":
        return Erased(conversation_id=ConversationId(home), message_ids=(key,))
    if kind == "revoke":
        return AccessRevoked(conversation_id=ConversationId(home))
    text = f"word{seq} of {key}"
    return MessageUpserted(message=message(key, text, at=number, version=seq, home=home))


async def _picture(store: Store) -> list[object]:
    """Return everything the reads tell."""
    inbox = await store.inbox.page(InboxQuery(), 100)
    rows = [await store.timeline.around(ConversationId(home), None, 500) for home in _HOMES]
    found = await store.search.search("word", 5, 500)
    hits = sorted((hit.message_id, hit.snippet) for hit in found.messages)
    people = await store.contacts.page(None, 100)
    checked = await store.check()
    assert checked.ok
    counts = await store.inbox.counts(0, 0)
    return [inbox, rows, hits, people, counts, checked.message_count]


async def _applied(folder: Path, batches: Sequence[Sequence[Event]], last: int) -> list[object]:
    store = await open_at(folder)
    await fill(store, (conversation("a"),), (message("a0", "word1 of a0", home="a"),))
    for batch in batches:
        await store.cache.apply_events(batch, last)
    picture = await _picture(store)
    await store.close()
    return picture


@settings(max_examples=25)
@given(st.lists(_STEP, max_size=14), st.data())
def test_any_order_and_doubling_of_events_ends_alike(
    steps: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    stream = _stream(steps)
    last = len(stream) + 1
    doubled = stream + (data.draw(st.lists(st.sampled_from(stream), max_size=5)) if stream else [])
    shuffled = data.draw(st.permutations(doubled))
    cut = data.draw(st.integers(0, len(shuffled)))
    with tempfile.TemporaryDirectory() as folder:
        one_by_one = [[each] for each in stream]
        straight = asyncio.run(_applied(Path(folder, "straight"), one_by_one, last))
        mixed = [shuffled[:cut], shuffled[cut:]]
        assert asyncio.run(_applied(Path(folder, "mixed"), mixed, last)) == straight
