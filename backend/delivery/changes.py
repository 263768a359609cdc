"""Tells vendors what was changed about messages that are out: edits, taking back, reactions, reads.

It never tells what is not archived and sealed, and never lets one vendor hold up another.

Each of these may be told twice without harm: the same words, the same deletion, the same emoji.
So what may have arrived is told again, unlike a message. They keep to the pace of messages, and
count as messages do for the account's breaker.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, update

from backend.channels import faults
from backend.channels.contract import Account, Attempt, Outbound, SendResult
from backend.delivery.accounts import pause_account
from backend.delivery.backoff import retry_delay_s
from backend.delivery.change_queue import Change, Waiting, load_change, waiting_changes
from backend.delivery.limits import forget_limits, keep_limits
from backend.delivery.traffic import Ended, Traffic
from backend.governance.hearing import NOT_TO_CLIENT, archive_stop
from backend.inbox.messages import message_row, update_message
from backend.storage.change_tables import DELETE, EDIT, REACT, READ, message_changes
from backend.storage.database import Database, StorageFull
from contract.ids import AccountId, ConversationId

_log = logging.getLogger(__name__)
TOLD_WITHIN_S = 30.0
GIVE_UP_AFTER_S = 3_600.0
_LONGEST_SLEEP_S = 30.0
_STORAGE_RETRY_S = 2.0
_AGAIN_AFTER_PAUSE_S = 60.0
_AGAIN_AFTER_BUG_S = 5.0
_TIMED_OUT = "The channel did not answer in time."
_BROKEN = "The connection to this channel failed in an unexpected way."
_NO_CONNECTOR = "This installation has no connector for the account."
_NOT_AS_ARCHIVED = "The change is not what was archived."
_NOTES = {
    EDIT: "The client still sees the earlier words. ",
    DELETE: "The client still has this message. ",
    REACT: "The client does not see your reaction. ",
}
_jitter = random.Random()

# Why a change that waits may not be told any more, by its row and the time; empty when it may.
Recheck = Callable[[Connection, Row[Any], int], str]


class _Told(NamedTuple):
    """How a change went: `stopped` says why it was not to be told at all."""

    fault: faults.ChannelFault | None
    stopped: str = ""
    asked: bool = False


class ChangeTeller:
    """One per process that delivers; it lives on the event loop of its `traffic`."""

    def __init__(
        self,
        database: Database,
        connectors: Mapping[str, Outbound],
        recheck: Recheck,
        traffic: Traffic,
        *,
        now: Callable[[], int],
    ) -> None:
        """`connectors` by module name and `traffic` as the delivery worker has them."""
        self._database = database
        self._connectors = connectors
        self._recheck = recheck
        self._traffic = traffic
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
        now_utc_ms, busy = self._now(), frozenset(self._tasks)
        waiting = await self._database.read(lambda c: waiting_changes(c, busy, now_utc_ms))
        chosen, times = self._choose(waiting, now_utc_ms)
        for account, rows in chosen.items():
            task = asyncio.create_task(self._tell_all(account, rows), name="changes")
            self._tasks[account.account_id] = task
            task.add_done_callback(functools.partial(self._on_done, account.account_id))
        wait_s = (min(times) - now_utc_ms) / 1000 if times else _LONGEST_SLEEP_S
        return min(_LONGEST_SLEEP_S, max(0.05, wait_s))

    def _choose(
        self, waiting: Waiting, now_utc_ms: int
    ) -> tuple[dict[Account, list[Row[Any]]], list[int]]:
        """Choose what the pace of account and chat lets go now; those chosen count as sent."""
        chosen: dict[Account, list[Row[Any]]] = {}
        times = [] if waiting.next_at_utc_ms is None else [waiting.next_at_utc_ms]
        for account, rows in waiting.heads.items():
            for row in rows:
                if not self._is_asked(account, row):
                    chosen.setdefault(account, []).append(row)
                elif (free_at := self._free_at(account, row, now_utc_ms)) > now_utc_ms:
                    times.append(free_at)
                elif not self._traffic.holds(account, now_utc_ms):
                    chat = ConversationId(row.conversation_id)
                    self._traffic.pacing.take(account, chat, now_utc_ms, group=bool(row.group))
                    chosen.setdefault(account, []).append(row)
        return chosen, times

    def _is_asked(self, account: Account, row: Row[Any]) -> bool:
        """Tell whether the vendor hears of a change: some know no read marks."""
        connector = self._connectors.get(account.connector)
        if connector is None or row.kind != READ:
            return connector is not None
        return connector.capabilities(account, ConversationId(row.conversation_id)).mark_read

    def _free_at(self, account: Account, row: Row[Any], now_utc_ms: int) -> int:
        pacing, chat = self._traffic.pacing, ConversationId(row.conversation_id)
        return max(
            self._traffic.breaker.probe_at(account.account_id),
            pacing.account_free_at(account, now_utc_ms),
            pacing.chat_free_at(account, chat, now_utc_ms, group=bool(row.group)),
        )

    def _on_done(self, account_id: AccountId, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("telling changes failed", extra={"error": type(error).__name__})
            # What can't be told must not be tried without a pause.
            loop = asyncio.get_running_loop()
            loop.call_later(_AGAIN_AFTER_BUG_S, self._free, account_id)
        else:
            self._free(account_id)

    def _free(self, account_id: AccountId) -> None:
        self._tasks.pop(account_id, None)
        self._wake.set()

    async def _tell_all(self, account: Account, rows: list[Row[Any]]) -> None:
        for row in rows:
            if self._is_asked(account, row) and self._has_to_wait(account):
                return
            change, stopped = await self._database.read(functools.partial(self._loaded, row))
            told = _Told(None, stopped) if stopped else await self._tell(account, change)
            await self._write(account, change, told)

    def _has_to_wait(self, account: Account) -> bool:
        """Tell whether the change before this one showed that the vendor is not well."""
        now_utc_ms = self._now()
        limit = self._traffic.pacing.account_limit(account.account_id, now_utc_ms)
        return limit is not None or self._traffic.breaker.probe_at(account.account_id) > now_utc_ms

    def _loaded(self, row: Row[Any], connection: Connection) -> tuple[Change, str]:
        """Return a change with why it may not be told any more, by the facts of now."""
        change = load_change(connection, row)
        stopped = self._recheck(connection, row, self._now())
        if not stopped and row.kind == READ and not change.consented:
            stopped = NOT_TO_CLIENT
        return change, stopped

    async def _tell(self, account: Account, change: Change) -> _Told:
        connector = self._connectors.get(account.connector)
        if connector is None:
            return _Told(faults.Retryable(_NO_CONNECTOR))
        if not change.is_archived:
            return _Told(faults.Refusal(_NOT_AS_ARCHIVED))
        if not self._is_asked(account, change.row):
            return _Told(None)
        self._traffic.started(change.claim, self._now())
        try:
            async with asyncio.timeout(TOLD_WITHIN_S):
                await _call(connector, account, change, self._now())
        except faults.ChannelFault as fault:
            return _Told(fault, asked=True)
        except TimeoutError:
            return _Told(faults.OutcomeUnknown(_TIMED_OUT), asked=True)
        except asyncio.CancelledError:
            self._traffic.ended(change.claim, account, None, self._now())
            raise
        except Exception as error:  # noqa: BLE001 - a connector's bug must not stop the others
            _log.error("a connector failed", extra={"error": type(error).__name__})
            return _Told(faults.OutcomeUnknown(_BROKEN), asked=True)
        return _Told(None, asked=True)

    async def _write(self, account: Account, change: Change, told: _Told) -> None:
        outcome = told.fault or SendResult(external_id=change.external_id)
        claim, asked = change.claim, told.asked
        ended = self._traffic.ended(claim, account, outcome, self._now()) if asked else Ended()

        def record(connection: Connection) -> None:
            _record(connection, account, change.row, told, ended, self._now())
            if ended.forgotten:
                forget_limits(connection, account.account_id, ended.forgotten)
            keep_limits(connection, ended.limits)

        while True:
            try:
                await self._database.write(record)
                return
            except StorageFull:
                _log.error("a change's result waits: the disk is full")
                await asyncio.sleep(_STORAGE_RETRY_S)


async def _call(connector: Outbound, account: Account, change: Change, now_utc_ms: int) -> None:
    row, outbound, known = change.row, change.outbound, change.claim.attempt
    attempt = Attempt(
        attempt_id=known.attempt_id, n=known.n, key=known.key, started_at_utc_ms=now_utc_ms
    )
    if row.kind == EDIT:
        await connector.edit(outbound, change.external_id, attempt)
    elif row.kind == DELETE:
        await connector.delete(outbound, change.external_id, attempt)
    elif row.kind == REACT:
        await connector.react(account, outbound.address, change.external_id, row.value)
    else:
        await connector.mark_read(account, outbound.address, change.external_id, change.refs)


def _record(
    connection: Connection,
    account: Account,
    row: Row[Any],
    told: _Told,
    ended: Ended,
    now_utc_ms: int,
) -> None:
    fault, columns = told.fault, message_changes.c
    values: dict[str, object] = {"attempts": row.attempts + 1, "detail": ""}
    if told.stopped:
        values |= _failed(connection, row, told.stopped, now_utc_ms)
        archive_stop(connection, row, row.revision, told.stopped, now_utc_ms)
    elif fault is None:
        values["state"] = "done"
        _clear_note(connection, row, now_utc_ms)
    elif isinstance(fault, faults.Refusal) or (
        now_utc_ms - row.created_at_utc_ms > GIVE_UP_AFTER_S * 1000
    ):
        values |= _failed(connection, row, fault.reason, now_utc_ms)
    else:
        again_at = ended.retry_at_utc_ms or _again_at(row, fault, now_utc_ms)
        values |= {"detail": fault.reason, "not_before_utc_ms": again_at}
        if isinstance(fault, faults.AccountFault):
            pause_account(connection, account.account_id, fault.reason, now_utc_ms)
    # What an erasure ended meanwhile stays ended.
    waiting = columns.change_id == row.change_id, columns.state == "ready"
    connection.execute(update(message_changes).where(*waiting).values(**values))


def _failed(
    connection: Connection, row: Row[Any], reason: str, now_utc_ms: int
) -> dict[str, object]:
    if row.kind in _NOTES:
        note = _NOTES[row.kind] + reason
        update_message(connection, row.message_id, now_utc_ms, change_note=note)
    return {"state": "failed", "detail": reason}


def _clear_note(connection: Connection, row: Row[Any], now_utc_ms: int) -> None:
    """Take back what was said of an earlier change of this kind: the client is up to date now."""
    note = str(message_row(connection, row.message_id).change_note)
    if note and (row.kind == DELETE or note.startswith(_NOTES.get(row.kind, note + " "))):
        update_message(connection, row.message_id, now_utc_ms, change_note="")


def _again_at(row: Row[Any], fault: faults.ChannelFault, now_utc_ms: int) -> int:
    if isinstance(fault, faults.AccountFault):
        return now_utc_ms + int(_AGAIN_AFTER_PAUSE_S * 1000)
    return now_utc_ms + int(retry_delay_s(row.attempts + 1, _jitter) * 1000)
