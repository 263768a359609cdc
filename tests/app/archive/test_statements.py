"""Rehearses a key rotation, a restore and a move while a client runs.

They sign with test keys; what no pinned recovery key has signed must change nothing.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import pytest

from app.archive.keeper import SeenTree
from app.archive.pins import Trust
from app.archive.successions import succession_of
from app.domain.archive import Finding
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
    world.log.signer = Ed25519Signer(old.verifier_key.name, b"n" * 32)
    rotation = Rotation(
        old.verifier_key.name,
        _now_utc_ms(),
        old.verifier_key,
        world.log.key,
        world.log.tree.size,
    )
    world.statements.append(sign_statement(rotation, (RECOVERY, old)))
    return rotation, ()


def _restore(world: LoggedBackend) -> None:
    lost_to = world.log.tree.size
    world.roll_back(3)
    root = world.log.tree.root()
    world.append(b"the restore's own entry")
    world.state(Restore(world.log.key.name, _now_utc_ms(), 3, root, ((3, lost_to),)))


def _move(world: LoggedBackend) -> None:
    old = world.log.key.name
    world.log = new_log(b"a new house", name="archive.example/new-log")
    world.log.witnesses = (witness(5),)
    world.state(
        Move(
            old,
            _now_utc_ms(),
            world.log.key,
            tuple(world.log.witness_keys),
            1,
            world.log.tree.size,
            world.log.tree.root(),
        )
    )


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
        change(logged)
        statement = logged.statements.pop()
        core.proofs.watch.wake(check=True)
        await holds(lambda: core.status.archive_alarm is not None)
        waiting = await core.messaging.send(HOME, "waits")
        logged.statements.append(statement)
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
