"""Owns the work on one import from reading to the last message, step by step, resumable.

It never records before the importer confirmed, and never holds two exports at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from backend.directory.people import read_me
from backend.imports.contents import ExportFiles
from backend.imports.meeting import met_identities
from backend.imports.opening import Opened, open_import
from backend.imports.original import drop_original, open_original
from backend.imports.placing import Place, keyed, place_of
from backend.imports.preview import preview
from backend.imports.recording import BATCH, Recording
from backend.imports.rows import KnownImport, find_import, forget_import, set_status
from backend.inbox.uploads import stored_parts
from backend.storage.blobs import BlobDamaged, BlobStore
from backend.storage.database import Database
from contract.ids import AccountId
from contract.import_wire import ImportPhase, ImportStatus
from contract.imports.model import ImportedChat, ImportRefused
from contract.imports.opening import read_chats, the_chat, zone_named
from contract.wire import Me

_log = logging.getLogger(__name__)
Told = Callable[[ImportStatus], None]


class _Read(NamedTuple):
    chat: ImportedChat
    files: ExportFiles
    close: Callable[[], None]


class ImportWork:
    """Carries imports out; every method blocks and belongs on a thread of its own."""

    def __init__(self, database: Database, blobs: BlobStore, now: Callable[[], int]) -> None:
        self._database = database
        self._blobs = blobs
        self._now = now
        self._one = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the work after the batch under way; the next start goes on."""
        self._stopped.set()

    def advance(self, import_id: str, told: Told | None = None) -> None:
        """Do all that can be done of an import now; `told` hears each new status."""
        with self._one:
            known = self._database.read_now(lambda c: find_import(c, import_id))
            if known is None or known.phase not in (ImportPhase.READING, ImportPhase.RECORDING):
                return
            try:
                self._advance(known, told or (lambda _status: None))
            except ImportRefused as refused:
                self._refuse(known, str(refused))
            except BlobDamaged:
                self._refuse(known, "The uploaded file is damaged here: bring it in anew.")

    def discard(self, known: KnownImport) -> None:
        """Forget an import that was not confirmed, with its file."""
        self._database.write_now(lambda c: forget_import(c, known.import_id))
        if self._database.read_now(lambda c: find_import(c, known.import_id)) is None:
            drop_original(self._database, self._blobs, known.attachment_id)

    def _advance(self, known: KnownImport, told: Told) -> None:
        me = self._database.read_now(lambda c: read_me(c, known.employee_id))
        if me is None:
            raise ImportRefused("Whoever began this import is no longer known here.")
        read = self._read(known)
        try:
            if known.phase is ImportPhase.READING:
                told(self._preview(known, me, read))
            else:
                self._record(known, me, read, told)
        finally:
            read.close()

    def _read(self, known: KnownImport) -> _Read:
        command = known.command
        parts = self._database.read_now(lambda c: stored_parts(c, known.attachment_id))
        file = open_original(self._blobs, known.attachment_id, parts)
        try:
            zone = zone_named(command.time_zone)
            name = known.status.file_name
            chats = read_chats(file, command.source, name, zone, command.day_order)
            chat = the_chat(chats, command.chat_key)
            file.seek(0)
            return _Read(chat, ExportFiles(file, chat), file.close)
        except BaseException:
            file.close()
            raise

    def _preview(self, known: KnownImport, me: Me, read: _Read) -> ImportStatus:
        found = self._database.read_now(
            lambda c: preview(c, me, known.command, known.status, read.chat, read.files)
        )
        status = msgspec.structs.replace(found, phase=ImportPhase.READY)
        self._set(known, status)
        return status

    def _record(self, known: KnownImport, me: Me, read: _Read, told: Told) -> None:
        opened, place = self._database.write_now(lambda c: self._open(c, known, me, read))
        chat = keyed(read.chat, place)
        recording = Recording(
            me,
            chat,
            self._database.read_now(lambda c: met_identities(c, opened.account_id, chat)),
            place,
            known.status.file_sha256,
            read.files,
            self._blobs.put,
        )
        while not self._stopped.is_set():
            status = self._batch(known, recording, opened, len(read.chat.messages))
            if status is None:
                return
            told(status)
            if status.phase is ImportPhase.DONE:
                return

    def _open(
        self, connection: Connection, known: KnownImport, me: Me, read: _Read
    ) -> tuple[Opened, Place]:
        """Make what the messages need, once; the figures begin anew with the first batch."""
        status = known.status
        command = known.command
        if status.account_id:
            command = msgspec.structs.replace(command, account_id=status.account_id)
        place = place_of(connection, me, command, read.chat)
        now_utc_ms = self._now()
        if status.conversation_id:
            opened = Opened(status.account_id, status.conversation_id, status.entry_id)
            return opened, place
        opened = open_import(connection, me, known, read.chat, place, now_utc_ms)
        begun = msgspec.structs.replace(
            status,
            account_id=AccountId(opened.account_id),
            conversation_id=opened.conversation_id,
            entry_id=opened.entry_id,
            done=0,
            new=0,
            known=0,
            files=0,
            total=len(read.chat.messages),
        )
        set_status(connection, begun)
        return opened, place_of(
            connection,
            me,
            msgspec.structs.replace(known.command, account_id=AccountId(opened.account_id)),
            read.chat,
        )

    def _batch(
        self, known: KnownImport, recording: Recording, opened: Opened, total: int
    ) -> ImportStatus | None:
        """Record the next batch; the figures are counted in its transaction, so never twice."""
        current = self._database.read_now(lambda c: find_import(c, known.import_id))
        if current is None or current.phase is not ImportPhase.RECORDING:
            return None
        start = current.status.done
        account_id, conversation_id = opened.account_id, opened.conversation_id
        files = recording.fetch(
            self._database.read_now(lambda c: recording.with_files(c, account_id, start))
        )

        def work(connection: Connection) -> ImportStatus:
            now_utc_ms = self._now()
            counted = recording.record(
                connection, account_id, conversation_id, start, files, now_utc_ms
            )
            before, done = current.status, min(start + BATCH, total)
            status = msgspec.structs.replace(
                before,
                phase=ImportPhase.DONE if done >= total else ImportPhase.RECORDING,
                done=done,
                new=before.new + counted.new,
                known=before.known + counted.known,
                files=before.files + counted.files,
            )
            set_status(connection, status)
            return status

        return self._database.write_now(work)

    def _refuse(self, known: KnownImport, problem: str) -> None:
        """Refuse an import as a whole; what is archived of it already stays, with its file."""
        current = self._database.read_now(lambda c: find_import(c, known.import_id))
        if current is None:
            return
        status = msgspec.structs.replace(current.status, phase=ImportPhase.REFUSED, problem=problem)
        self._set(known, status)
        if not current.status.entry_id:
            drop_original(self._database, self._blobs, known.attachment_id)
        _log.info("an import was refused", extra={"import_id": known.import_id})

    def _set(self, known: KnownImport, status: ImportStatus) -> None:
        def work(connection: Connection) -> None:
            current = find_import(connection, known.import_id)
            if current is not None and current.phase is known.phase:
                set_status(connection, status)

        self._database.write_now(work)
