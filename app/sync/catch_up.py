"""Owns the closing of a gap in the stream: what changed meanwhile is fetched, nothing else.

It never guesses: where the backend can't tell what changed, a whole snapshot is due instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ProblemReply
from contract.ids import ContactId, ConversationId, MessageId
from contract.problems import ProblemCode
from contract.wire import PositionPage

_LOG = logging.getLogger(__name__)

FEATURE = "sync_positions"
# Beyond this share of all conversations a snapshot asks less of both sides.
_MOST_CHANGED = 0.5
_AT_A_TIME = 4
_PAGE_ROWS = 500
_UNKNOWN_HERE = frozenset({ProblemCode.NOT_FOUND, ProblemCode.CURSOR_GONE})


async def catch_up(api: GovernedApi, store: Store, cursor: int, history: str = "") -> bool:
    """Make the cache what it would be had every event after `cursor` of `history` come; move it.

    Conversations that had events are fetched anew and lose what is no more in them; those that
    are no longer the employee's are purged; contacts are read through. A killed one is done
    again: the cursor moves last. Returns False when a snapshot is due: the backend can't tell,
    or most has changed. Raises ClientError and the store's errors.
    """
    try:
        told = await api.inbox.positions(cursor, history)
    except ProblemReply as fault:
        if fault.problem.code in _UNKNOWN_HERE:
            return False
        raise
    if len(told.changed) > _MOST_CHANGED * (len(told.changed) + len(told.others)) and told.others:
        return False
    await _purge_lost(store, told)
    await _fetch_contacts(api, store)
    await _fetch_changed(api, store, told)
    await store.gaps.end(told.seq)
    _LOG.info("a gap in the stream was closed: %d conversations fetched", len(told.changed))
    return True


async def _purge_lost(store: Store, told: PositionPage) -> None:
    theirs = {*told.changed, *told.others}
    for home in await store.gaps.listed_conversations():
        if home not in theirs:
            await store.gaps.purge_conversation(home, told.seq)


async def _fetch_contacts(api: GovernedApi, store: Store) -> None:
    met: set[ContactId] = set()
    cursor = ""
    while True:
        page = await api.inbox.contacts(cursor, _PAGE_ROWS)
        await store.cache.apply_answers(contacts=page.contacts)
        met.update(one.contact_id for one in page.contacts)
        cursor = page.next_cursor
        if not cursor:
            break
    await store.gaps.drop_contacts_but(met)


async def _fetch_changed(api: GovernedApi, store: Store, told: PositionPage) -> None:
    limit = asyncio.Semaphore(_AT_A_TIME)

    async def fetch(home: ConversationId) -> None:
        async with limit:
            await _fetch_one(api, store, home, told.seq)

    with _first_fault():
        async with asyncio.TaskGroup() as group:
            for home in _newest_first(told.changed):
                group.create_task(fetch(home), name="sync: changed conversation")


async def _fetch_one(api: GovernedApi, store: Store, home: ConversationId, seq: int) -> None:
    """Fetch one conversation whole; what stood here before and did not come is gone there."""
    before = await store.gaps.message_ids(home)
    met: set[MessageId] = set()
    try:
        conversation = await api.inbox.conversation(home)
        cursor = ""
        while True:
            page = await api.inbox.messages(home, cursor, _PAGE_ROWS)
            await store.cache.apply_answers(messages=page.messages, history=True, seq=seq)
            met.update(one.message_id for one in page.messages)
            cursor = page.next_cursor
            if not cursor:
                break
    except ProblemReply as fault:
        if fault.problem.code != ProblemCode.NOT_FOUND:
            raise
        await store.gaps.purge_conversation(home, seq)  # lost while it was fetched
        return
    await store.gaps.erase_messages(home, before - met, seq)
    await store.cache.apply_answers(conversations=(conversation,), seq=seq)


def _newest_first(changed: Mapping[ConversationId, int]) -> list[ConversationId]:
    return sorted(changed, key=lambda home: -changed[home])


@contextmanager
def _first_fault() -> Iterator[None]:
    """Raise the first fault of a group of tasks as if it had happened here."""
    try:
        yield
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None
