"""Shows that a roll-back, a fork, a gap, a wrong witness or a changed receipt pauses sending.

They change what the service shows, never the client.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.domain.archive import AlarmKind, Finding
from contract import api
from contract.events import Erased, MessageUpserted
from contract.problems import ProblemCode
from contract.states import OutboxState
from tests.app.archive.conftest import HOME, Opening
from tests.app.archive.logged_backend import LoggedBackend, witness
from tests.app.core_world import holds, row_when
from tests.app.small_backend import problem
from tests.support.log_guard import LogGuard


def _first_entry(world: LoggedBackend) -> Callable[[bytes], bytes]:
    return lambda receipt: world.log.receipt(0)


def _flipped(world: LoggedBackend) -> Callable[[bytes], bytes]:
    def flip(receipt: bytes) -> bytes:
        place = receipt.index(b"\n", receipt.index(b"index")) + 3
        return receipt[:place] + bytes([receipt[place] ^ 1]) + receipt[place + 1 :]

    return flip


def _stranger(world: LoggedBackend) -> Callable[[bytes], bytes]:
    def seal(receipt: bytes) -> bytes:
        mine, world.log.witnesses = world.log.witnesses, (witness(9),)
        index = int(receipt.split(b"index ")[1].split(b"\n")[0])
        changed = world.log.receipt(index)
        world.log.witnesses = mine
        return changed

    return seal


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (_first_entry, AlarmKind.RECEIPT),
        (_flipped, AlarmKind.RECEIPT),
        (_stranger, AlarmKind.WITNESS),
    ],
    ids=["another entry's receipt", "a flipped bit", "a witness nobody pinned"],
)
async def test_a_receipt_that_does_not_hold_pauses_sending(
    logged: LoggedBackend,
    opening: Opening,
    expect_log: LogGuard,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[LoggedBackend], Callable[[bytes], bytes]],
    kind: AlarmKind,
) -> None:
    expect_log("archive alarm", logger="app.archive")
    # No look at the newest tree comes between the spoilt receipt and the last tree seen.
    monkeypatch.setattr("app.archive.watch.CHECK_EVERY_S", 600.0)
    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "good"), lambda row: row.verified)
        logged.rewrite = spoil(logged)
        bad = await core.messaging.send(HOME, "bad")
        await holds(lambda: core.status.archive_alarm is not None)
        alarm = core.status.archive_alarm
        assert alarm is not None and alarm.kind is kind and alarm.seen_size == 4
        logged.rewrite = lambda receipt: receipt
        row = await row_when(
            core,
            bad,
            lambda row: row.outbox is not None and row.outbox.state is OutboxState.ACCEPTED,
        )
        assert not row.verified
        waiting = await core.messaging.send(HOME, "must wait")
        await holds(lambda: bool(logged.alerts))
        ((key, alert),) = logged.alerts
        assert key and (alert.kind, alert.seen_size) == (kind.value, 4)
        await holds(
            lambda: core.status.archive_alarm is not None and core.status.archive_alarm.told
        )
        entry = await core.store.outbox.get(waiting)
        assert entry is not None and entry.state is OutboxState.QUEUED
    assert logged.texts() == ["good", "bad"]


async def test_the_alarm_outlives_restarts_and_no_good_behaviour_ends_it(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("archive alarm", logger="app.archive")
    keys = logged.managed()
    async with opening(**keys) as core:
        logged.rewrite = _first_entry(logged)
        await core.messaging.send(HOME, "bad")
        await holds(
            lambda: core.status.archive_alarm is not None and core.status.archive_alarm.told
        )
    logged.rewrite = lambda receipt: receipt
    async with opening(**keys) as core:
        assert core.status.archive_alarm is not None
        waiting = await core.messaging.send(HOME, "must wait")
        looked = len(logged.alerts)
        for _ in range(3):
            core.proofs.watch.wake(check=True)
            core.messaging.retry_now()
        await row_when(core, waiting, lambda row: row.outbox is not None)
        assert core.status.archive_alarm is not None
        assert len(logged.alerts) == looked == 1
    assert logged.texts() == ["bad"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda world: world.roll_back(3), AlarmKind.ROLLBACK),
        (lambda world: world.fork(4), AlarmKind.FORK),
        (lambda world: world.fork(9), AlarmKind.FORK),
    ],
    ids=["a restored backup", "another history of that size", "another, longer history"],
)
async def test_the_next_look_finds_another_log(
    logged: LoggedBackend,
    opening: Opening,
    expect_log: LogGuard,
    change: Callable[[LoggedBackend], None],
    kind: AlarmKind,
) -> None:
    expect_log("archive alarm", logger="app.archive")
    keys = logged.managed()
    async with opening(**keys) as core:
        await row_when(core, await core.messaging.send(HOME, "seen"), lambda row: row.verified)
    change(logged)
    async with opening(**keys) as core:
        await holds(lambda: core.status.archive_alarm is not None)
        alarm = core.status.archive_alarm
        assert alarm is not None and (alarm.kind, alarm.seen_size) == (kind, 4)


async def test_a_send_finds_a_log_that_was_rolled_back_and_grew_again(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log("archive alarm", logger="app.archive")
    monkeypatch.setattr("app.archive.watch.CHECK_EVERY_S", 60.0)
    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "seen"), lambda row: row.verified)
        logged.roll_back(3)
        logged.append(b"in its place")
        logged.append(b"and more")
        sent = await core.messaging.send(HOME, "on the other history")
        await holds(lambda: core.status.archive_alarm is not None)
        row = await core.store.timeline.message(sent)
        assert row is not None and not row.verified


async def test_a_missing_proof_is_a_gap(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("archive alarm", logger="app.archive")
    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "seen"), lambda row: row.verified)
        logged.silent = True
        await core.messaging.send(HOME, "unproven")
        await holds(lambda: core.status.archive_alarm is not None)
        alarm = core.status.archive_alarm
        assert alarm is not None and alarm.kind is AlarmKind.GAP


async def test_a_service_that_is_away_is_no_alarm(logged: LoggedBackend, opening: Opening) -> None:
    """Neither a 503 for the proof nor for the checkpoint says anything about the log."""

    def away(request: Request) -> Response | None:
        if request.url.path in {api.ARCHIVE_CHECKPOINT, api.ARCHIVE_CONSISTENCY}:
            return problem(ProblemCode.UNAVAILABLE)
        return None

    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "seen"), lambda row: row.verified)
        logged.fault = away
        sent = await core.messaging.send(HOME, "meanwhile")
        row = await row_when(
            core,
            sent,
            lambda row: row.outbox is not None and row.outbox.state is OutboxState.ACCEPTED,
        )
        assert not row.verified and core.status.archive_alarm is None
        logged.fault = None
        await row_when(core, sent, lambda row: row.verified)


async def test_an_alarm_is_told_once_the_line_is_back(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("archive alarm", logger="app.archive")

    def refuse_alerts(request: Request) -> Response | None:
        if request.url.path == api.ARCHIVE_ALERTS:
            return problem(ProblemCode.UNAVAILABLE)
        return None

    logged.fault = refuse_alerts
    keys = logged.managed()
    async with opening(**keys) as core:
        logged.rewrite = _first_entry(logged)
        await core.messaging.send(HOME, "bad")
        await holds(lambda: core.status.archive_alarm is not None)
    logged.fault = None
    async with opening(**keys) as core:
        await holds(
            lambda: core.status.archive_alarm is not None and core.status.archive_alarm.told
        )
    assert len(logged.alerts) == 1


async def test_history_checked_on_demand_turns_verified_or_rings(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("archive alarm", logger="app.archive")
    async with opening(**logged.managed()) as core:
        sent = await core.messaging.send(HOME, "mine")
        row = await row_when(core, sent, lambda row: row.verified)
        other = random.Random(4).randbytes(32).hex()
        assert row.message.archive is not None and row.message.archive.entry_hash != other
        for kept in logged.kept.values():
            kept.leaf = logged.log.entries[3].replace(b'"revision":1', b'"revision":2')
        view = await core.proofs.receipts.check(row.message)
        assert view.finding is Finding.FAILED and view.alarm is AlarmKind.RECEIPT
        assert core.status.archive_alarm is not None


async def test_a_seal_that_overtakes_a_refusal_is_no_gap(
    logged: LoggedBackend, opening: Opening
) -> None:
    """The service says "not yet", and its seal is here before that answer is."""
    logged.late = True

    def seal_meanwhile(request: Request) -> Response | None:
        if request.url.path.endswith("/receipt") and logged.late:
            logged.seal()
            time.sleep(0.3)  # the stream is served by others: the seal arrives first
            return problem(ProblemCode.NOT_FOUND)
        return None

    logged.fault_of_receipts = seal_meanwhile
    async with opening(**logged.managed()) as core:
        sent = await core.messaging.send(HOME, "overtaken")
        await row_when(core, sent, lambda row: row.verified and row.outbox is None)
        assert core.status.archive_alarm is None


async def test_a_receipt_withheld_after_its_seal_is_a_gap(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("archive alarm: gap", logger="app.archive")
    logged.late = True
    async with opening(**logged.managed()) as core:
        sent = await core.messaging.send(HOME, "withheld")
        await row_when(
            core,
            sent,
            lambda row: row.outbox is not None and row.outbox.state is OutboxState.ACCEPTED,
        )
        logged.silent = True
        for kept in logged.kept.values():
            logged.emit(MessageUpserted(message=logged.with_archive(kept)))
        await holds(lambda: core.status.archive_alarm is not None)


async def test_an_erased_message_leaves_the_outbox_though_the_alarm_stands(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("archive alarm", logger="app.archive")
    async with opening(**logged.managed()) as core:
        logged.rewrite = _first_entry(logged)
        sent = await core.messaging.send(HOME, "to be erased")
        await holds(lambda: core.status.archive_alarm is not None)
        await row_when(
            core,
            sent,
            lambda row: row.outbox is not None and row.outbox.state is OutboxState.ACCEPTED,
        )
        logged.emit(Erased(conversation_id=HOME, message_ids=(sent,)))
        async with asyncio.timeout(60):
            while await core.store.outbox.get(sent) is not None:
                await asyncio.sleep(0.01)
        assert core.status.archive_alarm is not None


async def test_an_erased_message_leaves_the_outbox_at_once(
    logged: LoggedBackend, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.archive.watch.CHECK_EVERY_S", 600.0)
    monkeypatch.setattr("app.archive.watch.FIRST_RETRY_S", 600.0)
    monkeypatch.setattr("app.archive.watch.MOST_RETRY_S", 600.0)
    logged.late = True
    async with opening(**logged.managed()) as core:
        sent = await core.messaging.send(HOME, "to be erased")
        await row_when(
            core,
            sent,
            lambda row: row.outbox is not None and row.outbox.state is OutboxState.ACCEPTED,
        )
        logged.emit(Erased(conversation_id=HOME, message_ids=(sent,)))
        async with asyncio.timeout(60):
            while await core.store.outbox.get(sent) is not None:
                await asyncio.sleep(0.01)
