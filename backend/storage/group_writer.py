"""Owns the writer's thread: works that wait together are committed together, each on its own terms.

It never lets one work's failure reach another, and tells of nothing before it is committed.

Each work runs in a savepoint: its exception takes back what it did, and nothing else. A commit
that fails, fails every work of its group.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from backend.storage.faults import translated

T = TypeVar("T")
# A group is of the works that wait when it begins, and ends with the first that reaches one of
# these: nobody waits much longer for the others' sake. On a slow disk its works may take as long
# as its commit does, within limits.
MOST_WORKS = 512
GROUP_WITHIN_S = 0.01
GROUP_AT_MOST_WITHIN_S = 0.05

Hook = Callable[[Connection], object]
Told = Callable[[Any, BaseException | None], None]
Listener = tuple[asyncio.AbstractEventLoop, Callable[[], None]]
_NOTES = "transaction_notes"


class Job:
    """One work with the future of its outcome; `loop` is None where a thread waits."""

    __slots__ = ("_error", "_future", "_result", "loop", "work")

    def __init__(
        self,
        work: Callable[[Connection], Any],
        future: asyncio.Future[Any] | concurrent.futures.Future[Any],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.work = work
        self._future = future
        self.loop = loop
        self._result: Any = None
        self._error: BaseException | None = None

    @property
    def is_wanted(self) -> bool:
        """Tell whether its caller still waits for it."""
        return not self._future.cancelled()

    def run(self, connection: Connection, hooks: list[Hook]) -> None:
        """Do the work in a savepoint; raises only when the whole transaction is lost."""

        def whole() -> Any:
            result = self.work(connection)
            for hook in hooks:
                hook(connection)
            return result

        self._result, self._error = _in_savepoint(connection, whole)

    def fail(self, error: BaseException) -> None:
        """Take the outcome back: nothing of the group was kept."""
        self._error = error

    def settle(self) -> None:
        """Give the outcome to whoever still waits; call it on the waiter's loop."""
        if self._future.done():
            return
        if self._error is not None:
            self._future.set_exception(self._error)
        else:
            self._future.set_result(self._result)


class GroupWriter:
    """One thread that alone uses the writing connection, and commits in groups."""

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Connection]],
        changes: Callable[[], int],
        end: Callable[[], None],
    ) -> None:
        """`begin` opens a transaction, as a context that commits it.

        `changes` counts the rows that were changed so far, and `end` lets the connection go; all
        three are called on the thread.
        """
        self._begin = begin
        self._changes = changes
        self._end = end
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_closed = False
        self._commit_took_s = 0.0
        self._hooks: list[Hook] = []
        self._listeners: list[Listener] = []
        self._closings: list[tuple[Hook, Told]] = []
        self._thread = threading.Thread(target=self._serve, name="database-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Have a work done after those that wait already; raises RuntimeError once closed."""
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the database is closed")
            self._jobs.put(job)

    def close(self) -> None:
        """Return once all works before are done and the thread has ended."""
        with self._lock:
            self._is_closed = True
            self._jobs.put(None)
        self._thread.join()

    def before_commit(self, hook: Hook) -> None:
        """Run `hook` after each work, as its last step."""
        self._hooks.append(hook)

    def on_commit(self, listener: Listener) -> Callable[[], None]:
        """Call the listener on its loop after each commit of a change; returns the unsubscriber."""
        return self._keep(self._listeners, listener)

    def close_groups(self, work: Hook, told: Told) -> Callable[[], None]:
        """Run `work` as the last of each group, in a savepoint; returns the unsubscriber.

        `told` gets its result, unless that is None, or its error: on the writer's thread, after
        the commit and before the next group.
        """
        return self._keep(self._closings, (work, told))

    def _keep(self, entries: list[T], entry: T) -> Callable[[], None]:
        with self._lock:
            entries.append(entry)

        def forget() -> None:
            with self._lock:
                if entry in entries:
                    entries.remove(entry)

        return forget

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            if job.is_wanted and self._commit_group(job):
                break
        self._end()

    def _commit_group(self, first: Job) -> bool:
        """Commit a group that begins with this work; tell whether the thread is to end."""
        jobs, outcomes = [first], list[tuple[Told, Any, BaseException | None]]()
        ended, changed = False, False
        try:
            with self._begin() as connection:
                changes = self._changes()
                ended = self._run_works(connection, jobs)
                outcomes = self._run_closings(connection)
                changed = self._changes() != changes
                commits_at_s = time.monotonic()
            self._commit_took_s = time.monotonic() - commits_at_s
        except BaseException as error:  # noqa: BLE001 - goes to everyone who waits
            shown, changed = translated(error), False
            outcomes = [(told, None, shown) for told, _, _ in outcomes]
            for job in jobs:
                job.fail(shown)
        for told, result, failure in outcomes:
            told(result, failure)
        self._tell(jobs, changed)
        return ended

    def _run_works(self, connection: Connection, jobs: list[Job]) -> bool:
        """Run what waits by now; tell whether the thread is to end after this group."""
        within_s = min(max(GROUP_WITHIN_S, self._commit_took_s), GROUP_AT_MOST_WITHIN_S)
        ends_s = time.monotonic() + within_s
        jobs[0].run(connection, self._hooks)
        for _ in range(min(self._jobs.qsize(), MOST_WORKS - 1)):
            if time.monotonic() >= ends_s:
                break
            job = self._jobs.get()
            if job is None:
                return True
            if job.is_wanted:
                jobs.append(job)
                job.run(connection, self._hooks)
        return False

    def _run_closings(self, connection: Connection) -> list[tuple[Told, Any, BaseException | None]]:
        with self._lock:
            closings = tuple(self._closings)
        outcomes = []
        for work, told in closings:
            result, error = _in_savepoint(connection, partial(work, connection))
            if result is not None or error is not None:
                outcomes.append((told, result, error))
        return outcomes

    def _tell(self, jobs: list[Job], changed: bool) -> None:
        """Settle all works, then call who listens: one call for each loop."""
        with self._lock:
            listeners = tuple(self._listeners) if changed else ()
        calls: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
        for job in jobs:
            if job.loop is None:
                job.settle()
            else:
                calls.setdefault(job.loop, []).append(job.settle)
        for loop, hook in listeners:
            calls.setdefault(loop, []).append(hook)
        for loop, wanted in calls.items():
            try:
                loop.call_soon_threadsafe(_call_all, wanted)
            except RuntimeError:  # that loop is closed: nobody waits there any more
                continue


def _in_savepoint(
    connection: Connection, work: Callable[[], T]
) -> tuple[T | None, BaseException | None]:
    """Return the work's result, or the error that took back what it did.

    Raises the error when the database has ended the whole transaction for it.
    """
    connection.info[_NOTES] = {}
    driver: Any = connection.connection.driver_connection
    driver.execute("SAVEPOINT one_work")
    try:
        result = work()
    except BaseException as error:
        if not driver.in_transaction:
            raise
        driver.execute("ROLLBACK TO one_work")
        driver.execute("RELEASE one_work")
        return None, translated(error)
    driver.execute("RELEASE one_work")
    return result, None


def _call_all(calls: list[Callable[[], None]]) -> None:
    for call in calls:
        call()
