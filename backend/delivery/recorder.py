"""The inbound recorder: reads committed raw bytes in their order and records what they say.

It never drops raw bytes: what can't be recorded yet is tried again, what never can is archived.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from backend.channels import events, faults
from backend.channels.contract import Account, Inbound
from backend.delivery.accounts import governed_accounts
from backend.delivery.applying import (
    NotYet,
    OptOutWords,
    apply_event,
    apply_late,
)
from backend.delivery.chats import find_chat
from backend.delivery.naming import NameBook
from backend.delivery.saying import say_file_awaited, say_files_gone
from backend.inbox.events import members_of
from backend.inbox.inbound import StoredFile
from backend.inbox.uploads import known_media_type
from backend.storage.bulk import Prepared
from backend.storage.database import Database, StorageFull
from backend.storage.tables import inbound_raw
from contract.events import ClientTyping
from contract.ids import AttachmentId, EmployeeId, uuid7
from contract.names import file_name

_log = logging.getLogger(__name__)
_BATCH = 32
_RETRY_S = 0.5
_IDLE_S = 30.0
_FIRST_REST_MS = 500
_LONGEST_REST_MS = 30_000
_TIDY_ABOVE = 10_000
_PATIENCE_MS = 10 * 60_000
_NOTE = Prepared(
    update(inbound_raw)
    .where(
        inbound_raw.c.account_id == bindparam("account"),
        inbound_raw.c.dedupe_key == bindparam("item"),
    )
    .values(parsed=bindparam("whole"), applied=bindparam("done")),
    *("account", "item", "whole", "done"),
)
_UNPARSED = Prepared(
    select(inbound_raw)
    .where(inbound_raw.c.parsed.is_(False), inbound_raw.c.arrival > bindparam("after"))
    .order_by(inbound_raw.c.arrival)
    .limit(_BATCH),
    "after",
)

PutFile = Callable[[AttachmentId, bytes], Awaitable[None]]
TellTyping = Callable[[EmployeeId, ClientTyping], None]


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    """One raw row with its events and, in their order, the files already fetched for each.

    `applied` are the positions of the events that an earlier try has recorded; `gone` names each
    event's files that the vendor no longer gives, or never does.
    """

    account: Account
    dedupe_key: str
    received_at_utc_ms: int
    parsed: tuple[events.InboundEvent, ...]
    files: tuple[tuple[StoredFile, ...], ...]
    gone: tuple[tuple[str, ...], ...]
    applied: frozenset[int]


class InboundRecorder:
    """The only writer of what clients and channels say."""

    def __init__(
        self,
        database: Database,
        connectors: Mapping[str, Inbound],
        put_file: PutFile,
        tell_typing: TellTyping,
        opt_out_words: OptOutWords,
        *,
        now: Callable[[], int],
    ) -> None:
        """`put_file` keeps a file's bytes; `tell_typing` tells an employee's open streams.

        `opt_out_words` tells by which rule a client's text opts out.
        """
        self._opt_out_words = opt_out_words
        self._database = database
        self._connectors = connectors
        self._put_file = put_file
        self._tell_typing = tell_typing
        self._now = now
        self._wake = asyncio.Event()
        self._names = NameBook()
        self._given_up: set[tuple[str, str]] = set()
        self._told: set[tuple[str, str]] = set()
        self._waiting = False
        self._resting: dict[tuple[str, str], tuple[int, int]] = {}

    @property
    def stuck(self) -> int:
        """Return how many raw items could not be recorded since the start."""
        return len(self._given_up)

    def wake(self) -> None:
        """Tell the recorder that raw bytes were committed."""
        self._wake.set()

    async def run(self) -> None:
        """Record until cancelled, beginning with what a crash left behind."""
        unsubscribe = self._database.on_commit(self._on_commit)
        try:
            while True:
                self._wake.clear()
                self._waiting = await self._drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_RETRY_S if self._waiting else _IDLE_S):
                        await self._wake.wait()
        finally:
            unsubscribe()

    def _on_commit(self) -> None:
        # A commit may be what a waiting receipt waits for: its message's id at the vendor.
        if self._waiting:
            self._wake.set()

    async def _drain(self) -> bool:
        """Record all there is, oldest first; true when something has to be tried again."""
        after, waiting = 0, False
        while True:
            rows = await self._database.read(functools.partial(_unparsed, after_arrival=after))
            if not rows:
                return waiting
            after = rows[-1].arrival
            waiting |= not await self._record_all(rows)

    async def _record_all(self, rows: Sequence[Any]) -> bool:
        """Record a batch in one transaction; false when some of it has to wait."""
        accounts = {
            account.account_id: account for account in await self._database.read(governed_accounts)
        }
        settled, items = True, []
        for row in rows:
            if (row.account_id, row.dedupe_key) in self._given_up:
                continue
            if self._rests(row):
                settled = False
                continue
            try:
                items.append(await self._read(row, accounts[row.account_id]))
            except faults.Retryable:
                settled = False
                self._rest(row)
            except Exception as error:  # noqa: BLE001 - one bad item must not stop the others
                self._give_up(row.account_id, row.dedupe_key, error)
        try:
            settled &= await self._write(items)
        except StorageFull:
            return False
        except Exception:  # noqa: BLE001 - found and named below, one by one
            for item in items:
                settled &= await self._record_alone(item)
        return settled

    async def _record_alone(self, item: _Read) -> bool:
        try:
            return await self._write([item])
        except StorageFull:
            return False
        except Exception as error:  # noqa: BLE001 - one bad item must not stop the others
            self._give_up(item.account.account_id, item.dedupe_key, error)
            return True

    def _rests(self, row: Any) -> bool:
        """Tell whether an item's vendor was asked in vain a moment ago."""
        _, again_at_utc_ms = self._resting.get((row.account_id, row.dedupe_key), (0, 0))
        # A clock that was set back must not hold it for longer than the longest pause.
        return self._now() < again_at_utc_ms <= self._now() + _LONGEST_REST_MS

    def _rest(self, row: Any) -> None:
        """Ask a vendor that gives no file less and less often: others wait behind each question."""
        if len(self._resting) > _TIDY_ABOVE:
            self._resting.clear()
        tries, _ = self._resting.get((row.account_id, row.dedupe_key), (0, 0))
        pause_ms = min(_LONGEST_REST_MS, _FIRST_REST_MS * 2 ** min(tries, 10))
        self._resting[row.account_id, row.dedupe_key] = tries + 1, self._now() + pause_ms

    def _give_up(self, account_id: str, dedupe_key: str, error: Exception) -> None:
        self._given_up.add((account_id, dedupe_key))
        _log.error(
            "an inbound item could not be recorded; it is kept and tried at the next start",
            extra={"account_id": account_id, "error": type(error).__name__},
        )

    async def _write(self, items: Sequence[_Read]) -> bool:
        """Commit items together; false when some speak of what is not known yet."""

        def work(connection: Connection) -> list[_Read]:
            return [item for item in items if self._applied(connection, item)]

        done = await self._database.write(work) if items else []
        for item in done:
            for event in item.parsed:
                await self._typing(item.account, event)
        return len(done) == len(items)

    def _applied(self, connection: Connection, item: _Read) -> bool:
        """Record what can be; false while some of it speaks of what is not known yet.

        A vendor may tell of many things at once: what waits holds up nothing but itself, and what
        was recorded is noted beside the raw bytes, so that no later try records it again.
        """
        late = self._now() - item.received_at_utc_ms > _PATIENCE_MS
        done = set(item.applied)
        for position in range(len(item.parsed)):
            if position not in done and self._apply(connection, item, position, late):
                done.add(position)
        whole = len(done) == len(item.parsed)
        if whole or done != item.applied:
            _note(connection, item, done, whole)
        return whole

    def _apply(
        self,
        connection: Connection,
        item: _Read,
        position: int,
        late: bool,
    ) -> bool:
        event, files, gone = item.parsed[position], item.files[position], item.gone[position]
        account, received_at_utc_ms, now = item.account, item.received_at_utc_ms, self._now()
        words = self._opt_out_words
        try:
            with connection.begin_nested():
                apply_event(connection, account, event, files, received_at_utc_ms, now, words)
                if gone:
                    say_files_gone(connection, account, event, gone, now)
        except NotYet:
            if not late:
                return False
            apply_late(connection, account, event, now)
        return True

    async def _read(self, row: Any, account: Account) -> _Read:
        connector = self._connectors[account.connector]
        parsed = await self._names.told(connector, account, _parsed(connector, account, row))
        files, gone = [], []
        for event in parsed:
            refs = getattr(event, "attachments", ())
            try:
                fetched = [await self._fetch(connector, account, ref) for ref in refs]
            except faults.Retryable:
                await self._tell_of_waiting(row, account, event)
                raise
            files.append(tuple(file for file in fetched if file is not None))
            gone.append(tuple(r.name for r, f in zip(refs, fetched, strict=True) if f is None))
        return _Read(
            account=account,
            dedupe_key=row.dedupe_key,
            received_at_utc_ms=row.received_at_utc_ms,
            parsed=parsed,
            files=tuple(files),
            gone=tuple(gone),
            applied=frozenset(msgspec.json.decode(row.applied, type=list[int])),
        )

    async def _tell_of_waiting(
        self, row: Any, account: Account, event: events.InboundEvent
    ) -> None:
        """Say once what a message says whose files the vendor does not give for long."""
        key = (row.account_id, event.dedupe_key)
        if key in self._told or self._now() - row.received_at_utc_ms <= _PATIENCE_MS:
            return
        now = self._now()
        await self._database.write(lambda c: say_file_awaited(c, account, event, now))
        self._told.add(key)

    async def _fetch(
        self, connector: Inbound, account: Account, ref: events.MediaRef
    ) -> StoredFile | None:
        """Return a client's file, None where the vendor does not give it and never will."""
        try:
            body = await connector.fetch_media(account, ref.ref)
        except faults.ContentInvalid:
            _log.warning("a client's file is gone", extra={"account_id": account.account_id})
            return None
        attachment_id = AttachmentId(uuid7(self._now(), os.urandom(10)))
        await self._put_file(attachment_id, body)
        return StoredFile(
            attachment_id=attachment_id,
            name=file_name(ref.name),
            media_type=known_media_type(ref.media_type),
            size_bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
        )

    async def _typing(self, account: Account, event: events.InboundEvent) -> None:
        if not isinstance(event, events.Typing | events.MessageIn):
            return
        conversation_id = await self._database.read(lambda c: find_chat(c, account, event))
        if conversation_id is None:
            return
        typing = event.typing if isinstance(event, events.Typing) else False
        notice = ClientTyping(conversation_id=conversation_id, typing=typing)
        for employee_id in await self._database.read(lambda c: members_of(c, conversation_id)):
            self._tell_typing(employee_id, notice)


def _parsed(connector: Inbound, account: Account, row: Any) -> tuple[events.InboundEvent, ...]:
    """Return what the raw bytes tell; what is nested too deeply to be read is archived as such."""
    try:
        return connector.parse(account, row.raw)
    except RecursionError:
        nobody = events.Sender(id_type="", address="")
        unreadable = events.Unknown(
            dedupe_key=row.dedupe_key, at_utc_ms=0, sender=nobody, type_name="unreadable"
        )
        return (unreadable,)


def _note(connection: Connection, item: _Read, done: set[int], whole: bool) -> None:
    """Keep which of an item's events were recorded."""
    applied = msgspec.json.encode(sorted(done)).decode()
    _NOTE.change(connection, item.account.account_id, item.dedupe_key, whole, applied)


def _unparsed(connection: Connection, after_arrival: int) -> Sequence[Any]:
    return _UNPARSED.records(connection, after_arrival)
