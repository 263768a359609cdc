"""Runs work on the two database files: a writer, a reader and an outbox thread.

It never lets damage of the cache stop the client: the file is set aside and made anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlcipher3 import dbapi2

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.errors import AppError, CorruptStore, EnvironmentFault
from app.store import opening
from app.store.backups import drop_backups
from app.store.begun_read import BegunRead
from app.store.cipher import is_damage, is_interrupt, prove_keys, remove, translate
from app.store.disk_room import DiskRoom
from app.store.engine import close_connection, driver_of, run_outside_transaction
from app.store.feed import ChangeFeed
from app.store.opening import FileSpec, Notice
from app.store.precedence import Precedence
from app.store.salvage import Salvage
from app.store.threads import JobThread

T = TypeVar("T")

_HANDOVER_TIMEOUT_S = 30.0
_OUTBOX_CHECKPOINT_COMMITS = 50


@dataclass(frozen=True, slots=True)
class ReadView:
    """Both files as the reader sees them; read the outbox first, then the cache.

    A submission leaves the outbox only after its message stands in the cache, so this order
    never loses sight of one.
    """

    outbox: Connection
    cache: Connection


class OutboxDamaged(CorruptStore):
    """The outbox file, not the cache, can't be read."""


@contextlib.contextmanager
def one_snapshot(view: ReadView) -> Iterator[ReadView]:
    """Let all statements of a read see one state of each file.

    The driver is told directly: SQLAlchemy's own begin and commit cost as much as a query.
    """
    drivers = (driver_of(view.outbox), driver_of(view.cache))
    try:
        for driver in drivers:
            driver.execute("BEGIN")
        yield view
    finally:
        # After damage not even this works; the connection is then closed.
        with contextlib.suppress(dbapi2.Error):
            for driver in drivers:
                driver.rollback()


class Databases:
    """Connections live on the thread that uses them and are opened when first needed."""

    def __init__(self, cache: FileSpec, outbox: FileSpec, clock: Clock, feed: ChangeFeed) -> None:
        self.cache_file = cache
        self.outbox_file = outbox
        self.notices: tuple[Notice, ...] = ()
        self.salvage: Salvage | None = None
        self.room = DiskRoom(self._tell_notices)
        self.precedence = Precedence()
        self._clock = clock
        self._feed = feed
        self._writer_thread = JobThread("parley-writer")
        self._reader_thread = JobThread("parley-reader")
        self._outbox_thread = JobThread("parley-outbox")
        self._writer: Connection | None = None
        self._view: ReadView | None = None
        self._outbox: Connection | None = None
        self._epoch = 0
        self._mending = asyncio.Lock()
        self._is_maintaining = False
        self._commits_since_checkpoint = 0

    async def open(self) -> None:
        """Prove the keys, then open the files on their threads, side by side."""
        files = (
            (self.cache_file.path, self.cache_file.key),
            (self.outbox_file.path, self.outbox_file.key),
        )
        await self._writer_thread.write(lambda: _prepare(files))
        await asyncio.gather(
            self._writer_thread.write(self._open_cache),
            self._outbox_thread.write(self._open_outbox),
        )
        await self._reader_thread.write(self._reader_view)

    async def read(self, work: Callable[[ReadView], T]) -> T:
        """Run a read; one that met damage runs again on the mended files."""
        return await self.begin_read(work)

    def begin_read(self, work: Callable[[ReadView], T]) -> BegunRead[T]:
        """Run a read as `read` does, but from now on: its turn does not wait for an `await`."""

        def job() -> T:
            try:
                with one_snapshot(self._reader_view()) as view:
                    return work(view)
            except (DBAPIError, dbapi2.Error) as error:
                raise self._fault_of_read(error) from error

        return BegunRead(self._reader_thread, job, functools.partial(self._mend, self._epoch))

    async def _mend(self, epoch: int, fault: CorruptStore) -> None:
        if isinstance(fault, OutboxDamaged):
            await self._mend_outbox(epoch)
        else:
            await self._remake_cache(epoch)

    async def write_cache(self, work: Callable[[Connection], tuple[T, ChangeSet]]) -> T:
        """Run a write in one commit and publish what it changed, also when cancelled.

        Raises CorruptStore after the cache was made anew: what was to be written is void.
        """
        epoch = self._epoch
        try:
            return await self._writer_thread.write(lambda: self._commit_cache(work))
        except CorruptStore:
            await self._remake_cache(epoch)
            raise

    async def write_outbox(self, work: Callable[[Connection], tuple[T, ChangeSet]]) -> T:
        """Run a write of the outbox file in one flushed commit, as `write_cache`.

        One that met damage runs again on the salvaged file.
        """
        epoch = self._epoch
        try:
            result = await self._outbox_thread.write(lambda: self._commit_outbox(work))
        except OutboxDamaged:
            await self._mend_outbox(epoch)
            result = await self._outbox_thread.write(lambda: self._commit_outbox(work))
        self._commits_since_checkpoint += 1
        if self._commits_since_checkpoint >= _OUTBOX_CHECKPOINT_COMMITS:
            self._commits_since_checkpoint = 0
            self._outbox_thread.submit(self._checkpoint_outbox)
        return result

    async def maintain_cache(self, sql: str) -> None:
        """Run one statement on the writer's thread outside any transaction (VACUUM, checkpoint).

        One that `interrupt_cache` cut short has changed nothing and raises nothing.
        """
        await self._writer_thread.write(lambda: self._maintain_cache(sql))

    def interrupt_cache(self) -> None:
        """Cut short what `maintain_cache` runs; called on any thread."""
        if self._writer is not None and self._is_maintaining:
            driver_of(self._writer).interrupt()

    async def purge_cache(self) -> None:
        """Delete the cache's file and make a new one; used by the remote wipe."""
        await self._remake_cache(self._epoch, keep=False)

    async def purge_outbox(self) -> None:
        """Empty the outbox file and overwrite what it held; used by the remote wipe."""

        def work(connection: Connection) -> tuple[None, ChangeSet]:
            for table in ("outbox", "drafts", "uploads", "verified"):
                connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 -- constants
            return None, ChangeSet(reset=True, initiator="local")

        await self._outbox_thread.write(lambda: self._run_pragma("secure_delete = ON"))
        await self.write_outbox(work)
        await self._outbox_thread.write(lambda: self._run_pragma("wal_checkpoint(TRUNCATE)"))
        drop_backups(self.outbox_file.path)

    async def shrink(self) -> None:
        """Give the page caches back: what stands in them is read anew when it is asked for."""
        await self._reader_thread.write(
            lambda: _shrink(self._view.outbox, self._view.cache) if self._view else None
        )
        await self._writer_thread.write(lambda: _shrink(self._writer))
        await self._outbox_thread.write(lambda: _shrink(self._outbox))

    async def close(self) -> None:
        """Finish queued work, fold the logs into the files and end the threads."""
        for thread, job in (
            (self._reader_thread, self._close_reader),
            (self._writer_thread, self._close_writer),
            (self._outbox_thread, self._close_outbox),
        ):
            await thread.write(job)
            thread.close()

    # -- on the threads ---------------------------------------------------------------------

    def _open_cache(self) -> None:
        self._writer, notices = opening.open_cache(self.cache_file, self._clock.now_utc_ms())
        self.notices += notices

    def _open_outbox(self) -> None:
        self._outbox, notices, self.salvage = opening.open_outbox(
            self.outbox_file, self._clock.now_utc_ms()
        )
        self.notices += notices

    def _reader_view(self) -> ReadView:
        if self._view is None:
            try:
                outbox = opening.open_reader(self.outbox_file)
                self._view = ReadView(outbox, opening.open_reader(self.cache_file))
            except DBAPIError as error:
                raise translate(error, self.cache_file.path) from error
        return self._view

    def _commit_cache(self, work: Callable[[Connection], tuple[T, ChangeSet]]) -> T:
        try:
            if self._writer is None:
                self._writer = opening.open_cache_writer(self.cache_file)
            with self._writer.begin():
                result, changes = work(self._writer)
        except DBAPIError as error:
            fault = translate(error, self.cache_file.path)
            self.room.refused(self.cache_file.path, fault)
            raise fault from error
        self.room.committed()
        self._feed.publish_from_thread(changes)
        return result

    def _commit_outbox(self, work: Callable[[Connection], tuple[T, ChangeSet]]) -> T:
        try:
            if self._outbox is None:
                self._outbox = opening.open_outbox_writer(self.outbox_file)
            with self._outbox.begin():
                result, changes = work(self._outbox)
        except DBAPIError as error:
            fault = _outbox_fault(error, self.outbox_file.path)
            self.room.refused(self.outbox_file.path, fault)
            raise fault from error
        self.room.committed()
        self._feed.publish_from_thread(changes)
        return result

    def _maintain_cache(self, sql: str) -> None:
        try:
            if self._writer is None:
                self._writer = opening.open_cache_writer(self.cache_file)
            self._is_maintaining = True
            run_outside_transaction(self._writer, sql)
        except DBAPIError as error:
            if not is_interrupt(error):
                raise translate(error, self.cache_file.path) from error
        finally:
            self._is_maintaining = False

    def _fault_of_read(self, error: Exception) -> AppError:
        """Return what a failed read means; the small outbox file tells which file is damaged."""
        if not is_damage(error):
            return translate(error, self.cache_file.path)
        self._close_reader()
        if opening.is_sound(self.outbox_file):
            return translate(error, self.cache_file.path)
        return OutboxDamaged(self.outbox_file.path.name)

    def _tell_notices(self) -> None:
        self._feed.publish_from_thread(ChangeSet(notices=True, initiator="local"))

    def _checkpoint_outbox(self) -> None:
        """Fold the log into the file off any send's path; on a full disk the log stays."""
        with contextlib.suppress(DBAPIError):
            self._run_pragma("wal_checkpoint(PASSIVE)")

    def _run_pragma(self, pragma: str) -> None:
        """Run a pragma that needs to stand outside any transaction."""
        if self._outbox is None:
            self._outbox = opening.open_outbox_writer(self.outbox_file)
        run_outside_transaction(self._outbox, f"PRAGMA {pragma}")

    def _close_writer(self) -> None:
        if self._writer is not None:
            close_connection(self._writer)
            self._writer = None

    def _close_reader(self) -> None:
        if self._view is not None:
            close_connection(self._view.outbox)
            close_connection(self._view.cache)
            self._view = None

    def _close_outbox(self) -> None:
        if self._outbox is not None:
            close_connection(self._outbox)
            self._outbox = None

    # -- damage ------------------------------------------------------------------------------

    async def _remake_cache(self, epoch: int, *, keep: bool = True) -> None:
        """Set the cache aside (or delete it) and make it anew, once for all who met the damage."""
        async with self._mending:
            if epoch != self._epoch:
                return
            await self._writer_thread.write(lambda: self._replace_cache(keep))
            self._epoch += 1
        self._feed.publish_from_thread(ChangeSet(reset=True, notices=True, initiator="local"))

    async def _mend_outbox(self, epoch: int) -> None:
        """Salvage the outbox file, once for all who met the damage."""

        def renew() -> None:
            self._close_outbox()
            with self._reader_standing_still():
                self._open_outbox()

        async with self._mending:
            if epoch != self._epoch:
                return
            await self._outbox_thread.write(renew)
            self._epoch += 1
        changes = ChangeSet(reset=True, outbox=True, notices=True, initiator="local")
        self._feed.publish_from_thread(changes)

    def _replace_cache(self, keep: bool) -> None:
        self._close_writer()
        try:
            with self._reader_standing_still():
                if keep:
                    aside = opening.set_cache_aside(self.cache_file, self._clock.now_utc_ms())
                    self.notices += (("notice.cache_set_aside", aside.name),)
                else:
                    remove(self.cache_file.path)
                    drop_backups(self.cache_file.path)
                self._writer = opening.open_cache_writer(self.cache_file)
        except DBAPIError as error:
            raise translate(error, self.cache_file.path) from error

    @contextlib.contextmanager
    def _reader_standing_still(self) -> Iterator[None]:
        """Hold the reader thread with its connections closed while a file is swapped."""
        closed: Future[None] = Future()
        swapped = threading.Event()

        def stand_still() -> None:
            self._close_reader()
            closed.set_result(None)
            swapped.wait()

        self._reader_thread.submit(stand_still)
        try:
            closed.result(_HANDOVER_TIMEOUT_S)
            yield
        finally:
            swapped.set()


def _shrink(*connections: Connection | None) -> None:
    for one in connections:
        if one is not None:
            driver_of(one).execute("PRAGMA shrink_memory")


def _prepare(files: tuple[tuple[Path, bytes], ...]) -> None:
    """Make the folders and prove the keys."""
    for path, _ in files:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise EnvironmentFault(f"can't make the data folder: {error.strerror}") from error
    prove_keys(files)


def _outbox_fault(error: Exception, path: Path) -> AppError:
    return OutboxDamaged(path.name) if is_damage(error) else translate(error, path)
