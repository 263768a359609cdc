"""Tells vendors what was changed about messages that are out: edits, taking back, reactions, reads.

It never tells what is not archived and sealed, and never lets one vendor hold up another.

Each of these may be told twice without harm: the same words, the same deletion, the same emoji.
So what may have arrived is told again, unlike a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, or_, select, update

from backend.archive.entries import read_entry, sealed_leaf
from backend.archive.verify import fault_of
from backend.channels import faults
from backend.channels.contract import Account, Attempt, Outbound, OutboundMessage
from backend.delivery.accounts import governed_accounts, pause_account, pauses
from backend.delivery.backoff import retry_delay_s
from backend.delivery.claims import Claim
from backend.delivery.loading import load
from backend.delivery.message_refs import read_refs
from backend.inbox.changing import DELETE, EDIT, REACT
from backend.inbox.messages import update_message
from backend.storage.blobs import BlobDamaged
from backend.storage.change_tables import message_changes
from backend.storage.database import Database, StorageFull
from backend.storage.tables import archive_entries, archive_leaves, messages
from contract.ids import AccountId, AttachmentId, ConversationId, MessageId

_log = logging.getLogger(__name__)
TOLD_WITHIN_S = 30.0
GIVE_UP_AFTER_S = 3_600.0
_LONGEST_SLEEP_S = 30.0
_MOST_AT_ONCE = 100
_STORAGE_RETRY_S = 2.0
_AGAIN_AFTER_PAUSE_S = 60.0
_TIMED_OUT = "The channel did not answer in time."
_BROKEN = "The connection to this channel failed in an unexpected way."
_NOT_AS_ARCHIVED = "The change is not what was archived."
_NOTES = {
    EDIT: "The client still sees the earlier words. {}",
    DELETE: "The client still has this message. {}",
    REACT: "The client does not see your reaction. {}",
}
_jitter = random.Random()
_c = message_changes.c


class _Change(NamedTuple):
    """One change to tell: what the connector gets, and how often it was tried."""

    row: Row[Any]
    external_id: str
    outbound: OutboundMessage
    refs: Mapping[str, str]
    is_archived: bool


class ChangeTeller:
    """One per process that delivers."""

    def __init__(
        self, database: Database, connectors: Mapping[str, Outbound], *, now: Callable[[], int]
    ) -> None:
        """`connectors` by module name, as the delivery worker has them."""
        self._database = database
        self._connectors = connectors
        self._now = now
        self._wake = asyncio.Event()
        self._tasks: dict[AccountId, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Tell vendors until cancelled; an account's changes go one after the other."""
        unsubscribe = self._database.on_commit(self._wake.set)
        try:
            while True:
                self._wake.clear()
                wait_s = await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
        finally:
            unsubscribe()
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _look(self) -> float:
        """Start on what is due; return after how many seconds something may be."""
        now_utc_ms = self._now()

        def look(connection: Connection) -> tuple[dict[Account, list[_Change]], int | None]:
            return _due(connection, frozenset(self._tasks), now_utc_ms)

        work, next_at_utc_ms = await self._database.read(look)
        for account, due in work.items():
            task = asyncio.create_task(self._tell_all(account, due), name="changes")
            self._tasks[account.account_id] = task
            task.add_done_callback(functools.partial(self._on_done, account.account_id))
        if next_at_utc_ms is None:
            return _LONGEST_SLEEP_S
        return min(_LONGEST_SLEEP_S, max(0.05, (next_at_utc_ms - now_utc_ms) / 1000))

    def _on_done(self, account_id: AccountId, task: asyncio.Task[None]) -> None:
        self._tasks.pop(account_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("telling changes failed", extra={"error": type(error).__name__})
        self._wake.set()

    async def _tell_all(self, account: Account, due: list[_Change]) -> None:
        waiting: set[str] = set()
        for change in due:
            if change.row.conversation_id not in waiting:
                fault = await self._tell(account, change)
                if fault is not None and not isinstance(fault, faults.Refusal):
                    waiting.add(change.row.conversation_id)
                await self._write(account, change, fault)

    async def _tell(self, account: Account, change: _Change) -> faults.ChannelFault | None:
        connector = self._connectors.get(account.connector)
        if connector is None:
            return faults.Retryable("This installation has no connector for the account.")
        if not change.is_archived:
            return faults.Refusal(_NOT_AS_ARCHIVED)
        try:
            async with asyncio.timeout(TOLD_WITHIN_S):
                await _call(connector, account, change, self._now())
        except faults.ChannelFault as fault:
            return fault
        except TimeoutError:
            return faults.OutcomeUnknown(_TIMED_OUT)
        except Exception as error:  # noqa: BLE001 - a connector's bug must not stop the others
            _log.error("a connector failed", extra={"error": type(error).__name__})
            return faults.OutcomeUnknown(_BROKEN)
        return None

    async def _write(
        self, account: Account, change: _Change, fault: faults.ChannelFault | None
    ) -> None:
        while True:
            try:
                await self._database.write(
                    lambda c: _record(c, account, change.row, fault, self._now())
                )
                return
            except StorageFull:
                _log.error("a change's result waits: the disk is full")
                await asyncio.sleep(_STORAGE_RETRY_S)


async def _call(connector: Outbound, account: Account, change: _Change, now_utc_ms: int) -> None:
    row, outbound = change.row, change.outbound
    attempt = Attempt(
        attempt_id=row.change_id,
        n=row.attempts + 1,
        key=row.entry_id or row.change_id,
        started_at_utc_ms=now_utc_ms,
    )
    if row.kind == EDIT:
        await connector.edit(outbound, change.external_id, attempt)
    elif row.kind == DELETE:
        await connector.delete(outbound, change.external_id, attempt)
    elif row.kind == REACT:
        await connector.react(account, outbound.address, change.external_id, row.value)
    elif connector.capabilities(account, outbound.conversation_id).mark_read:
        await connector.mark_read(account, outbound.address, change.external_id, change.refs)


def _due(
    connection: Connection, busy: frozenset[AccountId], now_utc_ms: int
) -> tuple[dict[Account, list[_Change]], int | None]:
    """Return what can be told now by account, and when something waits for its time."""
    held = busy | {pause.account_id for pause in pauses(connection)}
    accounts = {
        each.account_id: each
        for each in governed_accounts(connection)
        if each.account_id not in held
    }
    rows = connection.execute(
        select(message_changes, messages.c.external_id, messages.c.revision)
        .join(messages, messages.c.message_id == _c.message_id)
        .outerjoin(archive_entries, archive_entries.c.entry_id == _c.entry_id)
        .outerjoin(archive_leaves, archive_leaves.c.sequence == archive_entries.c.sequence)
        .where(_c.state == "ready", or_(_c.entry_id.is_(None), sealed_leaf()))
        .order_by(_c.lane_order)
        .limit(_MOST_AT_ONCE)
    ).all()
    work: dict[Account, list[_Change]] = {}
    later, behind = [], set()
    for row in rows:
        account = accounts.get(AccountId(row.account_id))
        if row.not_before_utc_ms > now_utc_ms:
            later.append(row.not_before_utc_ms)
            behind.add(row.conversation_id)
        elif account is not None and row.conversation_id not in behind:
            work.setdefault(account, []).append(_loaded(connection, row))
    return work, min(later, default=None)


def _loaded(connection: Connection, row: Row[Any]) -> _Change:
    claim = Claim(
        job_id=row.change_id,
        conversation_id=ConversationId(row.conversation_id),
        account_id=AccountId(row.account_id),
        message_id=MessageId(row.message_id),
        revision=row.revision,
        created_at_utc_ms=row.created_at_utc_ms,
        attempt=Attempt(attempt_id=row.change_id, n=1, key=row.change_id, started_at_utc_ms=0),
    )
    outbound = load(connection, claim).outbound(_no_file)
    if row.kind == EDIT:
        outbound = msgspec.structs.replace(outbound, text=row.value)
    refs = read_refs(connection, claim.account_id, row.external_id or "")
    archived = row.entry_id is None or _is_archived(connection, row)
    return _Change(row, row.external_id or "", outbound, refs, archived)


class _Body(msgspec.Struct):
    text: str = ""
    emoji: str = ""


def _is_archived(connection: Connection, row: Row[Any]) -> bool:
    """Tell whether a change is what its sound entry holds."""
    entry = read_entry(connection, row.entry_id)
    if entry is None or entry.body is None or fault_of(entry, entry.sequence):
        return False
    body = msgspec.json.decode(entry.body, type=_Body)
    return str(row.value) == {EDIT: body.text, REACT: body.emoji}.get(row.kind, "")


def _record(
    connection: Connection,
    account: Account,
    row: Row[Any],
    fault: faults.ChannelFault | None,
    now_utc_ms: int,
) -> None:
    values: dict[str, object] = {"attempts": row.attempts + 1, "detail": ""}
    if fault is None:
        values["state"] = "done"
    elif isinstance(fault, faults.Refusal) or (
        now_utc_ms - row.created_at_utc_ms > GIVE_UP_AFTER_S * 1000
    ):
        values |= {"state": "failed", "detail": fault.reason}
        if row.kind in _NOTES:
            note = _NOTES[row.kind].format(fault.reason)
            update_message(connection, row.message_id, now_utc_ms, change_note=note)
    else:
        values |= {"detail": fault.reason, "not_before_utc_ms": _again_at(row, fault, now_utc_ms)}
        if isinstance(fault, faults.AccountFault):
            pause_account(connection, account.account_id, fault.reason, now_utc_ms)
    connection.execute(
        update(message_changes).where(_c.change_id == row.change_id).values(**values)
    )


def _again_at(row: Row[Any], fault: faults.ChannelFault, now_utc_ms: int) -> int:
    if isinstance(fault, faults.RateLimited):
        return max(now_utc_ms, fault.until_utc_ms)
    if isinstance(fault, faults.AccountFault):
        return now_utc_ms + int(_AGAIN_AFTER_PAUSE_S * 1000)
    return now_utc_ms + int(retry_delay_s(row.attempts + 1, _jitter) * 1000)


async def _no_file(attachment_id: AttachmentId) -> bytes:
    raise BlobDamaged("a change carries no file")
