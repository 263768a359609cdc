"""Shows that a send is called archived once its receipt verified here, and not before.

They use the wire and a real log; nothing of the client is replaced.
"""

from __future__ import annotations

from app.domain.archive import Finding
from contract.receipts.saved import verify_saved
from contract.states import OutboxState
from contract.wire import ArchiveRef
from tests.app.archive.conftest import HOME, Opening
from tests.app.archive.logged_backend import LoggedBackend
from tests.app.core_world import holds, row_when
from tests.support.log_guard import LogGuard


async def test_a_verified_receipt_settles_the_send(logged: LoggedBackend, opening: Opening) -> None:
    async with opening() as core:
        message_id = await core.messaging.send(HOME, "hello")
        row = await row_when(core, message_id, lambda row: row.verified)
        assert row.outbox is None and isinstance(row.message.archive, ArchiveRef)
        assert await core.store.outbox.get(message_id) is None
        noted = await core.store.archive.verified(message_id)
        assert noted is not None and noted.own_leaf and noted.index == 3
        assert core.status.archive_verified_utc_ms > 0
        assert core.status.archive_alarm is None
        view = await core.proofs.receipts.check(row.message)
        assert (view.finding, view.own_leaf, view.index) == (Finding.VERIFIED, True, 3)
        proven, leaf = verify_saved(view.saved)
        assert proven.leaf_index == 3 and leaf == logged.log.entries[3]


async def test_many_sends_in_many_lanes_all_verify(logged: LoggedBackend, opening: Opening) -> None:
    async with opening(**logged.managed()) as core:
        homes = [each.conversation_id for each in logged.conversations]
        ids = [await core.messaging.send(homes[n % len(homes)], f"{n}") for n in range(30)]
        for message_id in ids:
            await row_when(core, message_id, lambda row: row.verified)
        assert core.status.archive_alarm is None
        assert await core.store.outbox.list_waiting() == ()


async def test_a_late_witness_is_no_alarm_and_its_seal_settles_the_send(
    logged: LoggedBackend, opening: Opening
) -> None:
    logged.late = True
    async with opening(**logged.managed()) as core:
        message_id = await core.messaging.send(HOME, "soon")
        row = await row_when(
            core,
            message_id,
            lambda row: row.outbox is not None and row.outbox.state is OutboxState.ACCEPTED,
        )
        assert not row.verified and core.status.archive_alarm is None
        view = await core.proofs.receipts.check(row.message)
        assert view.finding is Finding.PENDING
        other = await core.messaging.send(HOME, "behind it")
        await holds(lambda: logged.texts() == ["soon", "behind it"])
        logged.seal()
        for each in (message_id, other):
            await row_when(core, each, lambda row: row.verified and row.outbox is None)


async def test_a_send_whose_seal_came_while_away_is_verified_after_the_next_start(
    logged: LoggedBackend, opening: Opening
) -> None:
    logged.late = True
    async with opening() as core:
        message_id = await core.messaging.send(HOME, "before the crash")
        await row_when(
            core,
            message_id,
            lambda row: row.outbox is not None and row.outbox.state is OutboxState.ACCEPTED,
        )
    logged.late = False
    for kept in logged.kept.values():
        kept.sealed = True
    async with opening() as core:
        await row_when(core, message_id, lambda row: row.outbox is None)
        assert await core.store.archive.verified(message_id) is not None
    assert logged.texts() == ["before the crash"]


async def test_without_pinned_keys_nothing_is_called_verified(
    logged: LoggedBackend, opening: Opening
) -> None:
    logged.take_keys("firm")
    async with opening() as core:
        message_id = await core.messaging.send(HOME, "unpinned")
        row = await row_when(
            core, message_id, lambda row: row.outbox is None and row.message.version > 0
        )
        assert not row.verified
        await holds(lambda: ("notice.archive_keys_missing", "") in core.status.notices)
        view = await core.proofs.receipts.check(row.message)
        assert view.finding is Finding.NO_KEYS and view.saved == b""


async def test_a_firms_unusable_keys_stop_the_word_not_the_send(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("keys can't be used", logger="app.archive")
    keys = logged.managed() | {"LogVerifierKey": "archive.example/log+00000000+AAAA"}
    async with opening(**keys) as core:
        message_id = await core.messaging.send(HOME, "hello")
        row = await row_when(
            core,
            message_id,
            lambda row: row.outbox is not None and row.outbox.state is OutboxState.ACCEPTED,
        )
        assert not row.verified
        await holds(lambda: ("notice.archive_keys_faulty", "") in core.status.notices)


async def test_the_sample_keys_are_pinned_at_first_use(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    async with opening() as core:
        await row_when(core, await core.messaging.send(HOME, "first"), lambda row: row.verified)
    expect_log("archive alarm", logger="app.archive")
    from tests.support.sealed_log import signer

    logged.log.signer = signer("archive.example/another")
    logged.take_keys()
    async with opening() as core:
        await holds(lambda: core.status.archive_alarm is not None)
