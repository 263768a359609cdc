"""Rehearses a key rotation, a restore and a move while a client runs.

They sign with test keys; what no pinned recovery key has signed must change nothing.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable

import pytest

from app.archive.keeper import SeenTree
from app.archive.mismatch import Mismatch
from app.archive.pins import Policy, Trust
from app.archive.successions import succession_of
from app.domain.archive import AlarmKind, Finding
from contract.receipts.errors import FaultCode
from contract.receipts.leaf import leaf_hash
from contract.receipts.signers import Ed25519Signer
from contract.receipts.statements import Move, Restore, Rotation, Statement, sign_statement
from contract.receipts.trees import MemoryTree
from tests.app.archive.conftest import HOME, Opening
from tests.app.archive.logged_backend import RECOVERY, LoggedBackend, new_log, witness
from tests.app.core_world import holds, row_when
from tests.support.log_guard import LogGuard
from tests.support.sealed_log import signer


def _now_utc_ms() -> int:
    return time.time_ns() // 1_000_000


def _rotate(world: LoggedBackend) -> tuple[Statement, tuple[str, ...]]:
    old = world.log.signer
    new = Ed25519Signer(old.verifier_key.name, b"n" * 32)
    rotation = Rotation(
        old.verifier_key.name,
        _now_utc_ms(),
        old.verifier_key,
        new.verifier_key,
        world.log.tree.size,
    )
    # The statement first, here as below: a client that looks between the two finds no log
    # without the statement that explains it.
    world.statements.append(sign_statement(rotation, (RECOVERY, old)))
    world.log.signer = new
    return rotation, ()


def _restore(world: LoggedBackend) -> None:
    lost_to = world.log.tree.size
    root = MemoryTree([leaf_hash(each) for each in world.log.entries[:3]]).root()
    world.state(Restore(world.log.key.name, _now_utc_ms(), 3, root, ((3, lost_to),)))
    world.roll_back(3)
    world.append(b"the restore's own entry")


def _move(world: LoggedBackend) -> None:
    moved = new_log(b"a new house", name="archive.example/new-log")
    moved.witnesses = (witness(5),)
    world.state(
        Move(
            world.log.key.name,
            _now_utc_ms(),
            moved.key,
            tuple(moved.witness_keys),
            1,
            moved.tree.size,
            moved.tree.root(),
        )
    )
    world.log = moved


@pytest.mark.parametrize("change", [_rotate, _restore, _move], ids=["rotation", "restore", "move"])
async def test_a_signed_statement_keeps_a_running_client_going(
    logged: LoggedBackend,
    opening: Opening,
    expect_log: LogGuard,
    change: Callable[[LoggedBackend], None],
) -> None:
    expect_log("a signed statement was followed", logger="app.archive")
    keys = logged.managed()
    async with opening(**keys) as core:
        await row_when(core, await core.messaging.send(HOME, "before"), lambda row: row.verified)
        change(logged)
        await row_when(core, await core.messaging.send(HOME, "after"), lambda row: row.verified)
        assert core.status.archive_alarm is None
    async with opening(**keys) as core:  # what was followed is kept
        await row_when(core, await core.messaging.send(HOME, "later"), lambda row: row.verified)
        assert core.status.archive_alarm is None
    assert logged.texts() == ["before", "after", "later"]


@pytest.mark.parametrize("change", [_rotate, _restore, _move], ids=["rotation", "restore", "move"])
async def test_a_statement_that_comes_later_ends_the_alarm(
    logged: LoggedBackend,
    opening: Opening,
    expect_log: LogGuard,
    change: Callable[[LoggedBackend], None],
) -> None:
    for words in ("archive alarm: ", "was followed", "alarm ended"):
        expect_log(words, logger="app.archive")
    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "before"), lambda row: row.verified)
        logged.withholds_statements = True
        change(logged)
        core.proofs.watch.wake(check=True)
        await holds(lambda: core.status.archive_alarm is not None)
        waiting = await core.messaging.send(HOME, "waits")
        logged.withholds_statements = False
        await row_when(core, waiting, lambda row: row.verified)
        assert core.status.archive_alarm is None


async def test_an_unsigned_restore_changes_nothing(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("archive alarm: rollback", logger="app.archive")
    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "before"), lambda row: row.verified)
        logged.roll_back(3)
        restore = Restore(logged.log.key.name, _now_utc_ms(), 3, logged.log.tree.root(), ((3, 99),))
        logged.state(restore, logged.log.signer)
        logged.state(restore, signer("somebody.example"))
        await holds(lambda: core.status.archive_alarm is not None)
        assert core.status.archive_alarm is not None


async def test_a_restore_shown_again_does_not_roll_back_twice(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("was followed", logger="app.archive")
    expect_log("archive alarm: rollback", logger="app.archive")
    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "lost"), lambda row: row.verified)
        _restore(logged)
        await row_when(core, await core.messaging.send(HOME, "again"), lambda row: row.verified)
        assert core.status.archive_alarm is None
        logged.roll_back(3)
        await holds(lambda: core.status.archive_alarm is not None)


def test_a_restore_must_name_everything_that_was_seen_and_be_new() -> None:
    log, now = new_log(), _now_utc_ms()
    trust = Trust("base", str(log.key), (), 0)
    keys = (RECOVERY.verifier_key,)

    def follows(lost: tuple[tuple[int, int], ...], at_utc_ms: int = now) -> bool:
        restore = Restore(log.key.name, at_utc_ms, 3, log.tree.root(), lost)
        tree = SeenTree(log.key.name, 9, "00" * 32, b"", now)
        note = sign_statement(restore, (RECOVERY,))
        return succession_of(note, trust, tree, keys) is not None

    assert follows(((3, 9),)) and follows(((3, 5), (5, 20)))
    assert not follows(((3, 8),)) and not follows(((4, 9),)) and not follows(((3, 5), (6, 9)))
    assert not follows(((3, 9),), now - 86_400_000)


def test_a_rotation_needs_the_old_key_too() -> None:
    log = new_log()
    trust, keys = Trust("base", str(log.key), (), 0), (RECOVERY.verifier_key,)
    rotation = Rotation(log.key.name, 1, log.key, log.key, 3)
    assert succession_of(sign_statement(rotation, (RECOVERY,)), trust, None, keys) is None
    both = sign_statement(rotation, (RECOVERY, log.signer))
    assert succession_of(both, trust, None, keys) is not None


@pytest.mark.parametrize("change", [_rotate, _move], ids=["rotation", "move"])
async def test_receipts_of_former_keys_still_verify_and_prove_nothing_newer(
    logged: LoggedBackend,
    opening: Opening,
    expect_log: LogGuard,
    change: Callable[[LoggedBackend], None],
) -> None:
    expect_log("was followed", logger="app.archive")
    expect_log("archive alarm: receipt", logger="app.archive")
    async with opening(**logged.managed()) as core:
        sent = await core.messaging.send(HOME, "before")
        old = await row_when(core, sent, lambda row: row.verified)
        former = copy.copy(logged.log)
        former.tree = MemoryTree([leaf_hash(each) for each in former.entries])
        receipt = former.receipt(3)
        change(logged)
        await row_when(core, await core.messaging.send(HOME, "after"), lambda row: row.verified)
        logged.rewrite = lambda _: receipt
        assert (await core.proofs.receipts.check(old.message)).finding is Finding.VERIFIED
        assert core.status.archive_alarm is None
        grown = [leaf_hash(each) for each in (*former.entries, b"more", b"and more")]
        former.tree = MemoryTree(grown)
        receipt = former.receipt(3)
        assert (await core.proofs.receipts.check(old.message)).finding is Finding.FAILED


@pytest.mark.parametrize("change", [_rotate, _restore, _move], ids=["rotation", "restore", "move"])
async def test_a_check_under_way_while_another_follows_a_statement_rings_no_alarm(
    logged: LoggedBackend,
    opening: Opening,
    expect_log: LogGuard,
    change: Callable[[LoggedBackend], None],
) -> None:
    expect_log("was followed", logger="app.archive")
    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "before"), lambda row: row.verified)
        begun, may_end = asyncio.Event(), asyncio.Event()
        checked_by: list[Policy] = []

        async def slow(policy: Policy) -> bool:
            checked_by.append(policy)
            if len(checked_by) > 1:
                return True
            begun.set()
            await may_end.wait()
            raise Mismatch(AlarmKind.RECEIPT, FaultCode.NOTE_UNSIGNED)

        check = asyncio.create_task(core.proofs._confirmer.guarded(slow))
        await begun.wait()
        change(logged)
        await row_when(core, await core.messaging.send(HOME, "after"), lambda row: row.verified)
        may_end.set()
        assert await check
        assert checked_by[1] is not checked_by[0] and core.status.archive_alarm is None


@pytest.mark.parametrize("change", [_rotate, _restore, _move], ids=["rotation", "restore", "move"])
async def test_a_statement_is_followed_once_however_many_checks_ask_for_it(
    logged: LoggedBackend,
    opening: Opening,
    expect_log: LogGuard,
    change: Callable[[LoggedBackend], None],
) -> None:
    expect_log("was followed", logger="app.archive")
    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "before"), lambda row: row.verified)
        change(logged)
        trust = core.proofs._trust
        await asyncio.gather(*(trust.apply_statements() for _ in range(8)))
        assert trust.followed == 1
        await row_when(core, await core.messaging.send(HOME, "after"), lambda row: row.verified)
        assert trust.followed == 1 and core.status.archive_alarm is None


async def test_an_alarm_ends_though_another_than_the_watch_followed_its_statement(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in ("archive alarm: ", "was followed", "alarm ended"):
        expect_log(words, logger="app.archive")
    async with opening(**logged.managed()) as core:
        await row_when(core, await core.messaging.send(HOME, "before"), lambda row: row.verified)
        logged.withholds_statements = True
        _rotate(logged)
        core.proofs.watch.wake(check=True)
        await holds(
            lambda: core.status.archive_alarm is not None and core.status.archive_alarm.told
        )
        for name in ("CHECK_EVERY_S", "MOST_RETRY_S"):
            monkeypatch.setattr(f"app.archive.watch.{name}", 600.0)
        logged.withholds_statements = False
        await core.proofs._trust.apply_statements()
        core.proofs.watch.wake()
        await holds(lambda: core.status.archive_alarm is None)
