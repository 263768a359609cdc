"""Owns the first sync: the snapshot's pages, in order, into the cache.

It never begins anew while a kept page cursor still leads on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ProblemReply
from contract.problems import ProblemCode

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
    while True:
        try:
            page = await api.inbox.snapshot(cursor)
        except ProblemReply as fault:
            if not cursor or not _cursor_is_useless(fault):
                raise
            _LOG.warning("the snapshot's cursor is gone: beginning anew")
            cursor, applied = "", 0
            continue
        await store.cache.apply_snapshot_page(page, first=not cursor)
        applied += len(page.messages)
        progress(applied, page.total_messages)
        cursor = page.next_cursor
        if not cursor:
            return


def _cursor_is_useless(fault: ProblemReply) -> bool:
    """Tell whether the backend can't go on from this cursor: too old, or of another version."""
    return fault.problem.code in {ProblemCode.CURSOR_GONE, ProblemCode.BAD_REQUEST}
