"""Looks both database files over for the diagnostics page, on connections of its own.

It never repairs anything and never holds up the store's reads and writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from typing import Any

from app.domain.errors import CorruptStore
from app.store.check import StoreCheck
from app.store.check_progress import EVERY_STEPS, CheckProgress
from app.store.cipher import connect, is_damage, size_bytes, translate
from app.store.opening import FileSpec

_MOST_PROBLEMS = 20
# Up to here every page is read within a second or so.
_BRIEF_BYTES = 64 << 20
_CACHE_COUNTS = (
    "SELECT (SELECT value FROM counters WHERE name = 'listed'),"
    " (SELECT count(*) FROM messages), (SELECT count(*) FROM contacts),"
    " (SELECT count(*) FROM message_search_docsize)"
)
_OUTBOX_COUNTS = (
    "SELECT (SELECT count(*) FROM drafts),"
    " count(*) FILTER (WHERE state IN ('undo', 'queued', 'sending')),"
    " count(*) FILTER (WHERE state = 'refused') FROM outbox"
)


async def look_over(
    cache: FileSpec,
    outbox: FileSpec,
    progress: Callable[[float], None] | None = None,
    *,
    briefly: bool = False,
) -> StoreCheck:
    """Read every page of both files and compare the search index with the messages.

    When `briefly`, a large cache is only counted. `progress` hears a fraction on the loop's
    thread. A cancelled one ends within a moment.
    Raises DiskFull, StoreBusy, EnvironmentFault; damage is in the result.
    """
    loop = asyncio.get_running_loop()

    def tell(fraction: float) -> None:
        if progress is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
                loop.call_soon_threadsafe(progress, fraction)

    watch = CheckProgress(tell)
    try:
        every_page = not (briefly and size_bytes(cache.path) > _BRIEF_BYTES)
        return await loop.run_in_executor(None, _look_over, cache, outbox, watch, every_page)
    finally:
        watch.stop()


def _look_over(
    cache: FileSpec, outbox: FileSpec, watch: CheckProgress, every_page: bool
) -> StoreCheck:
    outbox_problems, outbox_counts = _check_file(outbox, _OUTBOX_COUNTS, None, every_page=True)
    cache_problems, cache_counts = _check_file(cache, _CACHE_COUNTS, watch, every_page=every_page)
    conversations, messages, contacts, indexed = cache_counts or (0, 0, 0, 0)
    drafts, waiting, refused = outbox_counts or (0, 0, 0)
    return StoreCheck(
        cache_problems=cache_problems,
        outbox_problems=outbox_problems,
        conversation_count=conversations,
        message_count=messages,
        contact_count=contacts,
        draft_count=drafts,
        waiting_count=waiting,
        refused_count=refused,
        cache_size_bytes=size_bytes(cache.path),
        outbox_size_bytes=size_bytes(outbox.path),
        free_disk_bytes=shutil.disk_usage(cache.path.parent).free,
        search_index_sound=messages == indexed,
        every_page=every_page,
    )


def _check_file(
    spec: FileSpec, counts_sql: str, watch: CheckProgress | None, *, every_page: bool
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return SQLite's words on the file (none when sound) and its counts (none when damaged)."""
    from sqlcipher3 import dbapi2

    connection: Any = None
    try:
        connection = connect(spec.path, spec.key)
        connection.execute("PRAGMA query_only = ON")
        # One snapshot for all counts: the writer may be at work.
        connection.execute("BEGIN")
        counts = tuple(int(each) for each in connection.execute(counts_sql).fetchone())
        if watch is not None:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            watch.begin(int(pages), counts[1])
            connection.set_progress_handler(watch.on_steps, EVERY_STEPS)
        answers = ["ok"]
        if every_page:
            found = connection.execute(f"PRAGMA quick_check({_MOST_PROBLEMS})")
            answers = [str(row[0]) for row in found]
        connection.set_progress_handler(None, 0)
        connection.execute("ROLLBACK")
    except dbapi2.Error as error:
        if not is_damage(error):
            raise translate(error, spec.path) from error
        return (CorruptStore.code,), ()
    finally:
        if connection is not None:
            connection.close()
    return (() if answers == ["ok"] else tuple(answers)), counts
