"""Proofs of the way out: order, faults, idempotency classes, dead workers.

It never reaches a real channel.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from backend.archive.verify import verify_archive
from backend.channels.sandbox.faults import Fault, FaultKind
from backend.delivery.accounts import pause_account, pauses, resume_account
from backend.delivery.claims import claim_heads
from backend.directory.walls import set_wall
from backend.services import system_clock_utc_ms
from backend.storage.tables import attempts, jobs, messages
from contract.ids import AccountId
from contract.states import DeliveryState
from tests.backend.delivery.harness import House, house
from tests.support.log_guard import LogGuard

S = DeliveryState
GRETA = ("con-greta", "matrix")  # server-side key
MARCUS = ("con-marcus", "whatsapp")  # echo of our key
SOFIA = ("con-sofia", "signal")  # no key at all


@pytest.mark.parametrize(
    ("client", "last"),
    [(GRETA, S.READ), (MARCUS, S.READ), (SOFIA, S.READ), (("con-hana", "line"), S.SENT)],
)
async def test_message_reaches_the_client_once_and_its_receipts_come_back(
    tmp_path: Path, client: tuple[str, str], last: DeliveryState
) -> None:
    async with house(tmp_path) as h:
        message_id = await h.submit(await h.chat(*client), "Good morning")
        row = await h.until_state(message_id, last)
        assert await h.received() == ["Good morning"]
        assert row.external_id
        assert (await h.read(verify_archive)).ok


async def test_messages_of_a_conversation_arrive_in_order(tmp_path: Path) -> None:
    texts = [f"line {n}" for n in range(12)]
    async with house(tmp_path) as h:
        conversation_id = await h.chat(*GRETA)
        sent = [await h.submit(conversation_id, text) for text in texts]
        await h.until_state(sent[-1], S.SENT, S.READ)
        assert await h.received() == texts


async def test_retryable_fault_is_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.peer.ask_fault(Fault(kind=FaultKind.RETRYABLE, count=1))
        message_id = await h.submit(await h.chat(*SOFIA), "again")
        await h.until_state(message_id, S.READ)
        assert await h.received() == ["again"]
        outcomes = select(attempts.c.outcome).order_by(attempts.c.n)
        assert await h.read(lambda c: c.execute(outcomes).scalars().all()) == [
            "Retryable",
            "accepted",
        ]


async def test_wall_stops_every_message_that_waits_behind_another(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.write(lambda c: pause_account(c, AccountId("acc-matrix"), "", 0))
        chat = await h.chat(*GRETA)
        waiting = [await h.submit(chat, text) for text in ("first", "second", "third")]
        now = system_clock_utc_ms()
        await h.write(
            lambda c: set_wall(
                c,
                employee_id="emp-em",
                contact_id=GRETA[0],
                up=True,
                actor_id="compliance",
                now_utc_ms=now,
            )
        )
        await h.write(lambda c: resume_account(c, AccountId("acc-matrix")))
        for message_id in waiting:
            await h.until_state(message_id, S.FAILED)
        assert await h.received() == []


async def test_rate_limit_holds_its_conversation_only(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.peer.ask_fault(
            Fault(kind=FaultKind.RATE_LIMITED, seconds=3600, account_id="acc-signal")
        )
        slow = await h.submit(await h.chat(*SOFIA), "slow")
        behind = await h.submit(await h.chat(*SOFIA), "behind")
        fast = await h.submit(await h.chat(*GRETA), "fast")
        await h.until_state(fast, S.READ)
        row = await h.until_state(slow, S.QUEUED)
        assert row.state_detail
        assert (await h.row(behind)).state == S.ARCHIVED
        assert await h.received() == ["fast"]


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.WINDOW_EXPIRED,
        FaultKind.CONSENT_MISSING,
        FaultKind.RECIPIENT_INVALID,
        FaultKind.CONTENT_INVALID,
        FaultKind.IDENTITY_CHANGED,
    ],
)
async def test_refused_message_fails_with_a_reason_and_frees_the_lane(
    tmp_path: Path, kind: FaultKind
) -> None:
    async with house(tmp_path) as h:
        await h.peer.ask_fault(Fault(kind=kind))
        refused = await h.submit(await h.chat(*GRETA), "refused")
        behind = await h.submit(await h.chat(*GRETA), "behind")
        await h.until_state(behind, S.READ)
        row = await h.row(refused)
        assert row.state == S.FAILED
        assert row.state_detail.endswith(".")
        assert await h.received() == ["behind"]


async def test_faulty_account_is_paused_until_it_is_resumed(
    tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log("a delivery did not succeed")
    async with house(tmp_path) as h:
        await h.peer.ask_fault(Fault(kind=FaultKind.ACCOUNT_FAULT, account_id="acc-matrix"))
        message_id = await h.submit(await h.chat(*GRETA), "paused")
        await h.until(pauses)
        assert (await h.until_state(message_id, S.QUEUED)).state_detail
        await h.write(lambda c: resume_account(c, AccountId("acc-matrix")))
        await h.until_state(message_id, S.READ)
        assert await h.received() == ["paused"]


async def test_unknown_outcome_with_a_server_key_is_sent_again_and_arrives_once(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        await h.peer.ask_fault(Fault(kind=FaultKind.TIMEOUT_AFTER_WRITE))
        message_id = await h.submit(await h.chat(*GRETA), "once")
        await h.until_state(message_id, S.READ)
        assert await h.received() == ["once"]


async def test_unknown_outcome_with_an_echo_is_settled_by_the_receipt(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.peer.ask_fault(Fault(kind=FaultKind.TIMEOUT_AFTER_WRITE))
        message_id = await h.submit(await h.chat(*MARCUS), "echoed")
        await h.until_state(message_id, S.READ)
        assert await h.received() == ["echoed"]


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_AFTER_WRITE, FaultKind.TIMEOUT_LOST])
@pytest.mark.parametrize("client", [SOFIA, MARCUS])
async def test_unknown_outcome_without_word_waits_for_the_employee_and_holds_the_lane(
    tmp_path: Path, client: tuple[str, str], kind: FaultKind
) -> None:
    async with house(tmp_path, pace=3600.0) as h:
        await h.peer.ask_fault(Fault(kind=kind))
        message_id = await h.submit(await h.chat(*client), "who knows")
        behind = await h.submit(await h.chat(*client), "behind")
        row = await h.until_state(message_id, S.UNKNOWN)
        assert "not known" in row.state_detail
        assert len(await h.received()) == (1 if kind is FaultKind.TIMEOUT_AFTER_WRITE else 0)
        assert (await h.row(behind)).state == S.ARCHIVED


async def _die_while_sending(h: House, client: tuple[str, str]) -> str:
    """Submit with the worker stopped, and claim as a worker that dies right after."""
    assert h.runtime.worker is not None
    h.runtime.worker.stop()
    message_id = await h.submit(await h.chat(*client), "half sent")
    await h.until_sealed(message_id)
    claims = await h.write(
        lambda c: claim_heads(c, "dead worker", frozenset(), 8, system_clock_utc_ms())
    )
    assert [claim.message_id for claim in claims] == [message_id]
    return message_id


async def test_attempt_of_a_dead_worker_is_repeated_with_a_server_key(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        message_id = await _die_while_sending(h, GRETA)
    async with house(tmp_path) as h:
        await h.until_state(message_id, S.READ)
        assert await h.received() == ["half sent"]


@pytest.mark.parametrize("client", [SOFIA, MARCUS])
async def test_attempt_of_a_dead_worker_is_unknown_on_other_channels(
    tmp_path: Path, client: tuple[str, str]
) -> None:
    async with house(tmp_path) as h:
        message_id = await _die_while_sending(h, client)
    async with house(tmp_path) as h:
        await h.until_state(message_id, S.UNKNOWN)
        assert await h.received() == []


async def test_job_without_its_archive_entry_is_never_claimed(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert h.runtime.worker is not None
        h.runtime.worker.stop()
        message_id = await h.submit(await h.chat(*GRETA), "not archived")
        await h.until_sealed(message_id)

        def misplace(connection: Connection) -> int:
            connection.execute(
                update(jobs).where(jobs.c.message_id == message_id).values(lane_order=10**9)
            )
            now_utc_ms = system_clock_utc_ms()
            return len(claim_heads(connection, "me", frozenset(), 8, now_utc_ms))

        assert await h.write(misplace) == 0


async def test_message_changed_after_it_was_archived_never_leaves(
    tmp_path: Path, expect_log: LogGuard
) -> None:
    """Whoever owns the database can't archive one text and have another delivered."""
    expect_log("changed after it was archived", logger="backend.delivery.worker")
    async with house(tmp_path) as h:
        assert h.runtime.worker is not None
        h.runtime.worker.stop()
        chat = await h.chat(*GRETA)
        changed, sound = await h.submit(chat, "as archived"), await h.submit(chat, "sound")
        await h.until_sealed(sound)
        row = messages.c.message_id == changed
        await h.write(lambda c: c.execute(update(messages).where(row).values(text="other")))
    async with house(tmp_path) as h:
        await h.until_state(sound, S.READ)
        assert (await h.row(changed)).state == S.FAILED
        assert await h.received() == ["sound"]
