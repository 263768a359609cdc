"""Owns the attachments kept encrypted beside the cache, within a size: the longest unused go first.

It never gives out a byte whose SHA-256 is not the announced one and never fails a download.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.errors import AppError
from app.store import cached_files
from app.store.databases import Databases, ReadView
from app.store.file_sealing import SealBroken, seal, unseal
from contract.ids import AttachmentId, ConversationId
from contract.wire import Attachment

_LOG = logging.getLogger(__name__)
_PER_READ = 500
_PART = ".part"
DEFAULT_LIMIT_BYTES = 512 << 20


class AttachmentCache:
    """Files named by keyed hash; `limit_bytes` may be changed at any time, 0 keeps nothing."""

    def __init__(self, databases: Databases, folder: Path, cache_key: bytes, clock: Clock) -> None:
        """`folder` is made when first needed; both keys come from the cache's key."""
        self.limit_bytes = DEFAULT_LIMIT_BYTES
        self._databases = databases
        self._folder = folder
        self._key = _derived(cache_key, b"parley attachments")
        self._name_key = _derived(cache_key, b"parley attachment names")
        self._clock = clock
        self._changing = asyncio.Lock()  # between a file's writing and its listing nobody sweeps

    async def fetch(self, attachment: Attachment, target: Path) -> bool:
        """Write a kept file to `target`, a new file; return False when none that is whole is kept.

        A damaged copy is removed. Raises OSError when `target` can't be written.
        """
        key = attachment.attachment_id
        if not await self._databases.read(lambda view: cached_files.is_listed(view.cache, key)):
            return False
        whole = await asyncio.to_thread(self._write_out, attachment, target)
        if not whole:
            _LOG.warning("a kept attachment could not be read: fetched again")
            await self._drop([key])
            return False
        now = self._clock.now_utc_ms()
        with contextlib.suppress(AppError):  # only the order of leaving suffers
            await self._write(lambda connection: cached_files.used(connection, key, now))
        return True

    async def keep(
        self, attachment: Attachment, source: Path, home: ConversationId | None = None
    ) -> None:
        """Keep a copy of `source`, which holds the attachment's bytes; a full disk keeps none.

        `home` is the conversation it came in: with that its copy goes.
        """
        if not 0 < attachment.size_bytes <= self.limit_bytes:
            return
        key, now = attachment.attachment_id, self._clock.now_utc_ms()
        try:
            async with self._changing:
                size = await asyncio.to_thread(self._write_in, key, source)
                await self._write(
                    lambda connection: cached_files.put(connection, key, home or "", size, now)
                )
            await self.trim()
        except (OSError, AppError) as fault:
            _LOG.warning("an attachment is not kept: %s", type(fault).__name__)

    async def trim(self) -> None:
        """Let the longest unused files go until the rest fits `limit_bytes`."""
        limit = self.limit_bytes

        def work(connection: Connection) -> tuple[list[str], ChangeSet]:
            return cached_files.trim(connection, limit), ChangeSet()

        await self._unlink(await self._databases.write_cache(work))

    async def sweep(self) -> None:
        """Delete the files that are not on the list: revoked, erased, or cut short by a crash."""
        async with self._changing:
            present = await asyncio.to_thread(self._present)
            after: str | None = "" if present else None
            while after is not None:
                ids = await self._databases.read(partial(_page, after=after))
                present -= {self._name(each) for each in ids}
                after = ids[-1] if len(ids) == _PER_READ else None
            await asyncio.to_thread(self._unlink_names, present)

    async def held_bytes(self) -> int:
        """Return how much room the kept files take."""
        return await self._databases.read(lambda view: cached_files.held_bytes(view.cache))

    async def purge_all(self) -> None:
        """Forget and delete every file."""
        await self._write(cached_files.forget_all)
        await self.sweep()

    # -- parts -------------------------------------------------------------------------------

    async def _write(self, work: Callable[[Connection], None]) -> None:
        def job(connection: Connection) -> tuple[None, ChangeSet]:
            work(connection)
            return None, ChangeSet()

        await self._databases.write_cache(job)

    async def _drop(self, ids: list[AttachmentId]) -> None:
        await self._write(lambda connection: cached_files.remove(connection, ids))
        await self._unlink([str(each) for each in ids])

    async def _unlink(self, ids: list[str]) -> None:
        if ids:
            await asyncio.to_thread(self._unlink_names, {self._name(each) for each in ids})

    def _name(self, attachment_id: str) -> str:
        return hmac.new(self._name_key, attachment_id.encode(), hashlib.sha256).hexdigest()

    def _present(self) -> set[str]:
        try:
            return {path.name for path in self._folder.iterdir()}
        except FileNotFoundError:
            return set()

    def _unlink_names(self, names: set[str]) -> None:
        for name in names:
            try:
                (self._folder / name).unlink(missing_ok=True)
            except OSError as fault:  # open elsewhere: the next sweep takes it
                _LOG.warning("a kept attachment could not be removed: %s", fault.strerror)

    def _write_in(self, attachment_id: str, source: Path) -> int:
        """Write the encrypted copy under a passing name, then give it its own; return its size."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = self._name(attachment_id)
        part = self._folder / f"{name}.{secrets.token_hex(4)}{_PART}"
        try:
            with source.open("rb") as plain, part.open("xb") as sealed:
                part.chmod(0o600)
                seal(self._key, name.encode(), plain, sealed)
            size_bytes = part.stat().st_size
            part.replace(self._folder / name)
        finally:
            part.unlink(missing_ok=True)
        return size_bytes

    def _write_out(self, attachment: Attachment, target: Path) -> bool:
        """Write the plain bytes to a new file; remove it again unless all of them are right."""
        name = self._name(attachment.attachment_id)
        sha256 = hashlib.sha256()
        try:
            sealed = (self._folder / name).open("rb")
        except OSError:
            return False
        with sealed, target.open("xb") as plain:
            target.chmod(0o600)
            try:
                for chunk in unseal(self._key, name.encode(), sealed):
                    sha256.update(chunk)
                    plain.write(chunk)
            except SealBroken:
                sha256 = hashlib.sha256(b"broken")
        if sha256.hexdigest() == attachment.sha256:
            return True
        target.unlink()
        return False


def _page(view: ReadView, after: str) -> list[str]:
    return cached_files.page(view.cache, after, _PER_READ)


def _derived(key: bytes, label: bytes) -> bytes:
    """Return a 32-byte key for one purpose (HKDF-Expand of RFC 5869, one block)."""
    return hmac.new(key, label + b"\x01", hashlib.sha256).digest()
