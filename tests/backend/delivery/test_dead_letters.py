"""Proofs of dead letters: listed, tried again on somebody's word, never what may have arrived.

It never reaches a real channel.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from backend.archive.entries import entries_of_message
from backend.channels.sandbox.faults import Fault, FaultKind
from backend.delivery.dead_letters import (
    KIND_RETRIED,
    RetryRefused,
    dead_letters,
    retry_dead_letter,
)
from backend.directory.people import read_me
from backend.inbox.resolution import resolve_unknown
from backend.services import system_clock_utc_ms
from backend.storage.tables import attempts
from contract.states import DeliveryState
from tests.backend.delivery.harness import House, house

S = DeliveryState
GRETA = ("con-greta", "matrix")
SOFIA = ("con-sofia", "signal")


async def retry(h: House, message_id: str, why: str = "The client has a new phone.") -> None:
    """Have an administrator try a letter again."""
    now_utc_ms = system_clock_utc_ms()
    await h.write(lambda c: retry_dead_letter(c, message_id, "ada", why, now_utc_ms))


async def test_failed_letter_is_tried_again_and_an_unknown_one_never(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.peer.ask_fault(Fault(kind=FaultKind.RECIPIENT_INVALID, account_id="acc-matrix"))
        await h.peer.ask_fault(Fault(kind=FaultKind.TIMEOUT_LOST, account_id="acc-signal"))
        failed = await h.submit(await h.chat(*GRETA), "failed")
        unknown = await h.submit(await h.chat(*SOFIA), "unknown")
        await h.until_state(failed, S.FAILED)
        await h.until_state(unknown, S.UNKNOWN)
        listed = {each["message_id"]: each["may_be_retried"] for each in await h.read(dead_letters)}
        assert listed == {failed: True, unknown: False}

        with pytest.raises(RetryRefused, match="Say why"):
            await retry(h, failed, " ")
        with pytest.raises(RetryRefused, match="no such message"):
            await retry(h, "nothing")
        with pytest.raises(RetryRefused, match="Only the employee can decide"):
            await retry(h, unknown)

        await retry(h, failed)
        await h.until_state(failed, S.READ)
        entries = await h.read(lambda c: entries_of_message(c, failed))
        (retried,) = [entry for entry in entries if entry.kind == KIND_RETRIED]
        assert msgspec.json.decode(retried.leaf)["actor_id"] == "ada"
        assert msgspec.json.decode(retried.body or b"")["why"] == "The client has a new phone."
        with pytest.raises(RetryRefused, match="has not failed"):
            await retry(h, failed)

        now_utc_ms = system_clock_utc_ms()
        me = await h.read(lambda c: read_me(c, "emp-em"))
        assert me is not None
        await h.write(lambda c: resolve_unknown(c, me, unknown, "give_up", now_utc_ms))
        with pytest.raises(RetryRefused, match="gave this up"):
            await retry(h, unknown)
        outcomes = select(attempts.c.outcome).order_by(attempts.c.started_at_utc_ms)
        assert sorted(await h.read(lambda c: c.execute(outcomes).scalars().all())) == [
            "RecipientInvalid",
            "accepted",
            "unknown",
        ]
        assert await h.received() == ["failed"]
