"""Owns the sending of journal mails to every sink, at least once, for as long as it takes.

It never holds up a message's delivery, and it never logs an address or a word of a mail.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy import Connection

from backend.archive.journal_queue import (
    ERASED,
    TOO_OLD,
    Copy,
    due_copies,
    enqueue,
    next_due_utc_ms,
    note_accepted,
    note_refused,
    note_settled,
    too_old,
)
from backend.archive.letters import Draft, draft_letter
from backend.archive.mail import Letter, LetterFile, journal_report, original_mail
from backend.archive.selection import record_of, sealed_size
from backend.archive.sinks import (
    FORM_REPORT,
    PARTICIPANT,
    Sink,
    active_sinks,
    note_failure,
    note_success,
    sink_named,
)
from backend.archive.smtp import MailRefused, SinkUnreachable, SmtpLine
from backend.storage.blobs import BlobDamaged
from backend.storage.database import Database
from contract.ids import AttachmentId

_log = logging.getLogger(__name__)
_BATCH = 50
_LONGEST_WAIT_S = 60.0
_GATHER_S = 0.2  # one look for many commits: the reader's thread is the API's, too
ReadFile = Callable[[AttachmentId], Awaitable[bytes]]


class Journal:
    """Sends what the sinks are owed; `run` goes on until it is cancelled."""

    def __init__(self, database: Database, read_file: ReadFile, *, now: Callable[[], int]) -> None:
        """`read_file` returns a stored file's bytes; `now` is the clock in UTC milliseconds."""
        self._database = database
        self._read_file = read_file
        self._now = now
        self._problems: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Return the sinks that do not take mail now, in plain words."""
        return self._problems

    async def run(self) -> None:
        """Queue and send after each commit and whenever a mail is due, until cancelled."""
        committed = asyncio.Event()
        unsubscribe = self._database.on_commit(committed.set)
        try:
            while True:
                committed.clear()
                await self.send_due()
                wait_s = await self._database.read(self._wait_s)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await committed.wait()
                        await asyncio.sleep(_GATHER_S)
        finally:
            unsubscribe()

    async def send_due(self) -> int:
        """Queue what was sealed and send what is due now; returns how many mails were taken."""
        taken = 0
        for sink in await self._database.read(active_sinks):
            await self._enqueue(sink)
            if sink.retry_at_utc_ms <= self._now():
                taken += await self._serve(sink)
        self._problems = await self._database.read(_problems)
        return taken

    async def _enqueue(self, sink: Sink) -> None:
        # Reading first: an empty transaction would wake everyone who waits for commits.
        while await self._database.read(sealed_size) > sink.next_index:
            await self._database.write(functools.partial(enqueue, sink=sink))
            sink = await self._database.read(functools.partial(sink_named, name=sink.settings.name))

    async def _serve(self, sink: Sink) -> int:
        taken = 0
        while due := await self._database.read(lambda c: due_copies(c, sink, self._now(), _BATCH)):
            ready = [copy for copy in due if not await self._settled(sink, copy)]
            if not ready:
                continue
            sent, reachable = await self._send_all(sink, ready)
            taken += sent
            if not reachable:
                break
        return taken

    async def _settled(self, sink: Sink, copy: Copy) -> bool:
        if not too_old(sink, copy, self._now()):
            return False
        await self._database.write(lambda c: note_settled(c, sink, copy, TOO_OLD))
        return True

    async def _send_all(self, sink: Sink, copies: list[Copy]) -> tuple[int, bool]:
        """Send over one line; returns how many were taken and whether the line held."""
        taken = 0
        try:
            line = await asyncio.to_thread(SmtpLine, sink.server, sink.settings.domain)
        except SinkUnreachable as error:
            await self._rest(sink, error.code)
            return 0, False
        try:
            for copy in copies:
                taken += await self._send(line, sink, copy)
        except asyncio.CancelledError:
            line.abort()  # its thread must not outlive us by the server's silence
            raise
        except SinkUnreachable as error:
            line.abort()
            await self._rest(sink, error.code)
            return taken, False
        await asyncio.to_thread(line.close)
        return taken, True

    async def _send(self, line: SmtpLine, sink: Sink, copy: Copy) -> bool:
        to = _recipients(sink, copy)
        try:
            mail = await self._mail(sink, copy)
            if mail is None:
                await self._database.write(lambda c: note_settled(c, sink, copy, ERASED))
                return False
            await asyncio.to_thread(line.send, sink.settings.sender, to, mail)
        except MailRefused as error:
            await self._put_off(sink, copy, error.code)
            return False
        except SinkUnreachable as error:
            await self._put_off(sink, copy, error.code)
            raise
        await self._database.write(lambda c: self._note_taken(c, sink, copy))
        return True

    def _note_taken(self, connection: Connection, sink: Sink, copy: Copy) -> None:
        note_accepted(connection, sink, copy, self._now())
        note_success(connection, sink)

    async def _put_off(self, sink: Sink, copy: Copy, code: str) -> None:
        await self._database.write(lambda c: note_refused(c, sink, copy, code, self._now()))

    async def _rest(self, sink: Sink, code: str) -> None:
        _log.info("a journal sink takes no mail", extra={"sink": sink.sink_id, "code": code})
        await self._database.write(lambda c: note_failure(c, sink, code, self._now()))

    async def _mail(self, sink: Sink, copy: Copy) -> bytes | None:
        """Return the mail's bytes, None when the entry was erased; raises MailRefused."""
        draft = await self._database.read(lambda c: _draft(c, copy.entry_id))
        if draft is None:
            return None
        try:
            files = [
                LetterFile(ref.name, ref.media_type, await self._read_file(ref.attachment_id))
                for ref in draft.files
            ]
        except BlobDamaged as error:
            raise MailRefused("file_unreadable") from error
        letter = replace(draft.letter, files=tuple(files))
        return await asyncio.to_thread(_build, sink, letter, copy.participant)

    def _wait_s(self, connection: Connection) -> float:
        due = [
            at_utc_ms
            for sink in active_sinks(connection)
            if (at_utc_ms := next_due_utc_ms(connection, sink)) is not None
        ]
        if not due:
            return _LONGEST_WAIT_S
        return min(_LONGEST_WAIT_S, max(0.0, (min(due) - self._now()) / 1000))


def _draft(connection: Connection, entry_id: str) -> Draft | None:
    record = record_of(connection, entry_id)
    return None if record is None else draft_letter(connection, record)


def _build(sink: Sink, letter: Letter, participant: str) -> bytes:
    said = sink.settings
    original = original_mail(letter, said.domain, participant=participant)
    if said.form != FORM_REPORT:
        return original
    return journal_report(letter, original, said.domain, said.sender, said.recipients[0])


def _recipients(sink: Sink, copy: Copy) -> tuple[str, ...]:
    local = copy.participant.partition("@")[0]
    return tuple(address.replace(PARTICIPANT, local) for address in sink.settings.recipients)


def _problems(connection: Connection) -> tuple[str, ...]:
    return tuple(
        f"journal sink {sink.settings.name} takes no mail: {sink.detail}"
        for sink in active_sinks(connection)
        if sink.failures
    )
