"""Owns the first sync: the snapshot's pages, in order, into the cache.

It never begins anew while a kept page cursor still leads on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ProblemReply
from contract.problems import ProblemCode
from contract.wire import SnapshotPage

_LOG = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


async def pull_snapshot(api: GovernedApi, store: Store, progress: Progress) -> None:
    """Read every page and apply each in one commit with the cursor of the next.

    A killed sync goes on where it stopped; when the backend no longer knows that cursor, the
    snapshot begins anew. `progress` is told (messages applied, messages in all). Raises
    ClientError and the store's errors; what was applied stays.
    """
    kept = await store.cache.snapshot_progress()
    cursor = kept.next_cursor if kept is not None else ""
    applied = kept.applied_messages if kept is not None else 0
    page = await _page_or_none(api, cursor)
    if page is None:
        _LOG.warning("the snapshot's cursor is gone: beginning anew")
        cursor, applied = "", 0
        page = await api.inbox.snapshot()
    while True:
        # The next page travels while this one is written.
        following = _fetch(api, page.next_cursor)
        try:
            await store.cache.apply_snapshot_page(page, first=not cursor)
            applied += len(page.messages)
            progress(applied, page.total_messages)
            cursor = page.next_cursor
            if following is None:
                return
            page = await following
        finally:
            if following is not None and not following.cancel() and not following.cancelled():
                following.exception()  # raised above, or outrun by a fault of the store


async def _page_or_none(api: GovernedApi, cursor: str) -> SnapshotPage | None:
    """Return a page, None when the backend can't go on from a kept cursor."""
    try:
        return await api.inbox.snapshot(cursor)
    except ProblemReply as fault:
        if cursor and _cursor_is_useless(fault):
            return None
        raise


def _fetch(api: GovernedApi, cursor: str) -> asyncio.Task[SnapshotPage] | None:
    if not cursor:
        return None
    return asyncio.create_task(api.inbox.snapshot(cursor), name="sync: next page")


def _cursor_is_useless(fault: ProblemReply) -> bool:
    """Tell whether the backend can't go on from this cursor: too old, or of another version."""
    return fault.problem.code in {ProblemCode.CURSOR_GONE, ProblemCode.BAD_REQUEST}
