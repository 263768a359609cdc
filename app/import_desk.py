"""Owns an import on this computer: reading a file, likenesses in the book, the way to the backend.

It never identifies anybody, and uploads nothing before it is asked for a preview.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from app.domain.clock import Clock
from app.domain.errors import NotAllowed
from app.domain.imports import Export, Imported, ReadAs, Staged, Suggestion, Unfinished
from app.imports.cutting import cut
from app.imports.keeping import ImportKeeping
from app.imports.line import ImportLine, Original
from app.store.store import Store
from backend_client.client import GovernedApi
from contract.ids import ConversationId
from contract.import_wire import ImportPhase, ImportStatus
from contract.imports.model import ImportedChat
from contract.wire import Contact, Me

Told = Callable[[float], None]
_NO_ZONE = "UTC"
# The upload's share of the bar; the rest is the backend's reading.
_UPLOADED = 0.8
_READY = frozenset({ImportPhase.READY})
_DONE = frozenset({ImportPhase.DONE})
_ARRIVES_WITHIN_S = 20.0


class ImportDesk:
    """One import at a time; every call but the small answers may take long."""

    def __init__(
        self, api: GovernedApi, store: Store, clock: Clock, me: Callable[[], Me | None]
    ) -> None:
        self._store = store
        self._me = me
        self._line = ImportLine(api)
        self._keeping = ImportKeeping(store.drafts, clock)
        self._upload_id = ""

    # -- on this computer ----------------------------------------------------------------------

    def my_name(self) -> str:
        """Return the signed-in person's name, "" while unknown."""
        me = self._me()
        return me.display_name if me is not None else ""

    def usual_zone(self) -> str:
        """Return the time zone the firm knows the person by."""
        me = self._me()
        return (me.time_zone if me is not None else "") or _NO_ZONE

    async def zones(self) -> tuple[str, ...]:
        """Return the time zones this computer knows, by name."""
        return await asyncio.to_thread(_zones)

    async def book(self) -> tuple[Contact, ...]:
        """Return the clients of the own book by name."""
        return await self._store.contacts.every()

    async def read(self, path: Path, read_as: ReadAs, told: Told) -> Export:
        """Read a file on a worker thread; cancelling the call stops it at its next step.

        `told` hears on the loop's thread how far it is, from 0 to 1. Raises Refused.
        """
        await asyncio.to_thread(import_module, "app.imports.reading")
        from app.imports.reading import Watch, read_export

        loop = asyncio.get_running_loop()
        watch = Watch(lambda fraction: _tell(loop, told, fraction))
        try:
            return await asyncio.to_thread(read_export, path, read_as, watch)
        except asyncio.CancelledError:
            watch.stop()
            raise

    async def suggestions(self, chat: ImportedChat) -> dict[str, Suggestion]:
        """Return whom the chat's names may stand for, from the own book."""
        from app.imports.matching import suggestions

        return await asyncio.to_thread(suggestions, chat, self._me(), await self.book())

    # -- at the backend ------------------------------------------------------------------------

    async def stage(self, export: Export, begun: Unfinished, told: Told) -> Staged:
        """Upload the file and have the backend look into it; nothing is stored yet.

        Of a file of several chats only the one meant is uploaded. A call that was cut short goes
        on where it ended. Raises Refused with the reason, TooLarge, and what the line raises.
        """
        status = await self._staged_before(begun, told)
        if status is None:
            async with _original(export, begun.chat_key) as original:
                upload_id = await self._line.bring(
                    original,
                    self._upload_id,
                    lambda upload_id: self._upload_began(begun, upload_id),
                    lambda fraction: told(_UPLOADED * fraction),
                )
                status = await self._line.stage(original, upload_id, export.source, begun)
            self._upload_id = ""  # the backend's import holds it from now on
        rest = 1 - _UPLOADED
        status = await self._line.until(
            status.import_id, _READY, lambda fraction: told(_UPLOADED + rest * fraction)
        )
        return Staged(status.import_id, status.new, status.known, status.notes, status.changed)

    async def confirm(self, begun: Unfinished, told: Told) -> Imported:
        """Have what was staged stored, and follow it until it is here, too.

        Raises Conflict when the preview's figure no longer holds, Refused with the reason.
        """
        status = await self._line.until(
            begun.import_id, frozenset(ImportPhase) - {ImportPhase.READING}, told
        )
        if status.phase is ImportPhase.READY:
            await self._line.confirm(begun.import_id, begun.new)
        status = await self._line.until(begun.import_id, _DONE, told)
        await self._keeping.keep(None)
        return Imported(
            new=status.new,
            known=status.known,
            unidentified=status.unidentified,
            files=status.files,
            missing_files=status.missing_files,
            conversation_id=await self._arrived(status.conversation_id),
            notes=status.notes,
        )

    async def discard(self, begun: Unfinished) -> None:
        """Have the backend forget what was staged, and forget what was kept here."""
        self._upload_id = ""
        await self._keeping.keep(None)
        if begun.import_id and not begun.confirmed:
            await self._line.forget(begun.import_id)

    async def keep(self, begun: Unfinished) -> None:
        """Keep what was begun over restarts."""
        await self._keeping.keep(replace(begun, upload_id=self._upload_id))

    async def kept(self) -> Unfinished | None:
        """Return what was begun and neither finished nor discarded."""
        begun = await self._keeping.kept()
        self._upload_id = begun.upload_id if begun is not None else ""
        return begun

    async def _staged_before(self, begun: Unfinished, told: Told) -> ImportStatus | None:
        """Return the import that was staged before, None where the backend has none any more."""
        if not begun.import_id:
            return None
        try:
            return await self._line.until(begun.import_id, _READY, told)
        except NotAllowed:
            return None

    async def _upload_began(self, begun: Unfinished, upload_id: str) -> None:
        self._upload_id = upload_id
        await self.keep(begun)

    async def _arrived(self, conversation_id: ConversationId) -> ConversationId | None:
        """Wait until the events have brought the conversation; None when they take too long."""
        if not conversation_id:
            return None
        changed = asyncio.Event()
        unsubscribe = self._store.subscribe(lambda _changes: changed.set())
        try:
            async with asyncio.timeout(_ARRIVES_WITHIN_S):
                while await self._store.inbox.conversation(conversation_id) is None:
                    await changed.wait()
                    changed.clear()
        except TimeoutError:
            return None
        finally:
            unsubscribe()
        return conversation_id


@asynccontextmanager
async def _original(export: Export, chat_key: str) -> AsyncIterator[Original]:
    """Yield the file to upload; one that was cut lies in a private folder until the end."""
    if len(export.chats) == 1 and not export.has_others:
        yield Original(export.path, export.file_name, export.size_bytes, export.sha256)
        return
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        to = Path(folder) / "original"
        yield await asyncio.to_thread(_cut, export, chat_key, to)


def _cut(export: Export, chat_key: str, to: Path) -> Original:
    cut(export.path, export.source, chat_key, to)
    with to.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Original(to, export.file_name, to.stat().st_size, sha256)


def _zones() -> tuple[str, ...]:
    from zoneinfo import available_timezones

    return tuple(sorted(available_timezones()))


def _tell(loop: asyncio.AbstractEventLoop, told: Told, fraction: float) -> None:
    # The window may have been closed while the thread still reads.
    if not loop.is_closed():
        loop.call_soon_threadsafe(told, fraction)
