"""What policy refused is archived too, and called so only once its receipt verified here.

They use the wire and a real log; nothing of the client is replaced.
"""

from __future__ import annotations

from app.domain.archive import AlarmKind
from app.domain.timeline import TimelineRow
from contract.states import OutboxState
from tests.app.archive.conftest import HOME, Opening
from tests.app.archive.logged_backend import LoggedBackend
from tests.app.core_world import holds, row_when
from tests.support.log_guard import LogGuard
from tests.support.waiting import eventually
from ui.models.message_words import Setting, own_footer


def said(row: TimelineRow) -> list[str]:
    """Return the words below a bubble."""
    return [part.text for part in own_footer(row, Setting())]


def refused(row: TimelineRow) -> bool:
    """Tell whether an entry stays as refused, to be mended."""
    return row.outbox is not None and row.outbox.state is OutboxState.REFUSED


async def test_a_refusal_is_called_archived_once_verified_and_stays_to_be_mended(
    logged: LoggedBackend, opening: Opening
) -> None:
    logged.refusing = True
    async with opening(**logged.managed()) as core:
        message_id = await core.messaging.send(HOME, "refused")
        await row_when(core, message_id, refused)

        found = await eventually(
            lambda: core.store.archive.verified(message_id), "the receipt of what was refused"
        )
        assert found is not None and found.own_leaf
        assert await core.store.archive.refused("policy_denied") == ()
        assert await core.store.outbox.get(message_id) is not None
        assert core.status.archive_alarm is None


async def test_a_refusal_waits_for_its_seal_without_an_alarm(
    logged: LoggedBackend, opening: Opening
) -> None:
    logged.refusing = logged.late = True
    async with opening(**logged.managed()) as core:
        message_id = await core.messaging.send(HOME, "refused")
        row = await row_when(core, message_id, refused)
        assert said(row)[0] == "Not sent" and "Archived as refused" not in said(row)
        logged.seal()
        row = await row_when(core, message_id, lambda row: row.verified)
        assert refused(row) and "Archived as refused" in said(row)
        assert core.status.archive_alarm is None


async def test_a_receipt_that_does_not_fit_what_was_refused_rings(
    logged: LoggedBackend, opening: Opening, expect_log: LogGuard
) -> None:
    expect_log("archive alarm: receipt", logger="app.archive")
    logged.refusing = True
    logged.rewrite = lambda receipt: receipt.replace(b"index 3", b"index 2")
    async with opening(**logged.managed()) as core:
        message_id = await core.messaging.send(HOME, "refused")
        row = await row_when(core, message_id, refused)
        await holds(lambda: core.status.archive_alarm is not None)
        alarm = core.status.archive_alarm
        assert alarm is not None and alarm.kind is AlarmKind.RECEIPT
        assert await core.store.archive.verified(message_id) is None
        assert "Archived as refused" not in said(row)


async def test_without_pinned_keys_a_refusal_is_called_nothing(
    logged: LoggedBackend, opening: Opening
) -> None:
    logged.take_keys("firm")
    logged.refusing = True
    async with opening() as core:
        message_id = await core.messaging.send(HOME, "refused")
        row = await row_when(core, message_id, refused)
        await holds(lambda: core.proofs.keyless)
        assert not row.verified and "Archived as refused" not in said(row)
        assert core.status.archive_alarm is None
