"""What an employee changes waits its turn, and goes only while it may.

It never stops a vendor or a backend: the sandbox is asked for its faults.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from backend.archive.entries import entries_of_message
from backend.archive.erasure import ErasureOrder, erase
from backend.archive.projection_audit import audit_messages
from backend.archive.verify import verify_archive
from backend.channels.contract import Account
from backend.channels.rates import Rate, RateLimits
from backend.channels.sandbox.outbound import SandboxOutbound
from backend.delivery.accounts import pause_account, resume_account
from backend.delivery.opting_out import OptOut, opt_out
from backend.delivery.pacing import Pacing
from backend.directory.account_changes import change_account
from backend.directory.consents import record_consent
from backend.refusals import Refused
from backend.sample_side import SampleSide
from backend.services import system_clock_utc_ms
from backend.storage.change_tables import message_changes
from backend.storage.tables import messages
from contract.ids import AccountId, ConversationId, MessageId
from contract.wire import Channel, ConsentKind, ConsentStatus
from tests.backend.delivery.harness import House, house
from tests.backend.delivery.test_changes import OUT, edited, reacted, settled, taken_back


async def said_by_client(home: House, chat: str) -> MessageId:
    """Return a message that the client wrote."""
    columns = messages.c
    query = select(columns.message_id).where(
        columns.conversation_id == chat,
        columns.direction == "in",
        columns.external_id.is_not(None),
    )
    return MessageId(await home.read(lambda c: c.execute(query).scalars().first() or ""))


async def paused(home: House, account_id: str) -> None:
    """Stop sending from an account."""
    await home.write(lambda c: pause_account(c, AccountId(account_id), "Test", 1))


def leaving(chat: str) -> OptOut:
    """Return the opt-out of the client on Signal."""
    now = system_clock_utc_ms()
    return OptOut(
        contact_id="con-sofia",
        conversation_id=chat,
        channel=Channel.SIGNAL,
        source="test",
        at_utc_ms=now,
    )


async def test_after_an_opt_out_nothing_that_waits_is_told_but_a_deletion(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        chat = await home.chat("con-sofia", "signal")
        first, second = await home.submit(chat, "One"), await home.submit(chat, "Two")
        row = await home.until_state(first, *OUT)
        await home.until_state(second, *OUT)
        said = await said_by_client(home, chat)
        await paused(home, row.account_id)
        await edited(home, first, "Other words")
        await reacted(home, said, "👍")
        await taken_back(home, second)
        await home.write(lambda c: opt_out(c, leaving(chat), system_clock_utc_ms(), confirm=False))
        await home.write(lambda c: resume_account(c, AccountId(row.account_id)))
        assert await settled(home) == {"edit": "failed", "react": "failed", "delete": "done"}
        phone = {each["text"]: each["deleted"] for each in await home.peer.phones()}
        assert "Other words" not in phone
        assert phone["Two"]
        assert "still sees the earlier words" in (await home.row(first)).change_note
        why = select(message_changes.c.detail).where(message_changes.c.kind == "react")
        assert "Nothing may go" in str(await home.read(lambda c: c.execute(why).scalar()))
        kinds = [one.kind for one in await home.read(lambda c: entries_of_message(c, first))]
        assert "stopped" in kinds
        assert await home.read(lambda c: audit_messages(c) > 0)
        assert (await home.read(verify_archive)).ok


async def test_who_opted_out_or_is_to_be_asked_first_gets_no_reaction(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        chat = await home.chat("con-sofia", "signal")
        said = await said_by_client(home, chat)
        account_id = (await home.row(said)).account_id
        await home.write(lambda c: change_account(c, account_id, "admin", 1, consent_mode="opt_in"))
        await home.write(
            lambda c: record_consent(
                c,
                contact_id="con-sofia",
                kind=ConsentKind.RECORDING,
                status=ConsentStatus.NOTIFIED,
                channel=Channel.SIGNAL,
                actor_id="admin",
                at_utc_ms=1,
                now_utc_ms=1,
                text_version="test",
            )
        )
        with pytest.raises(Refused, match="Nothing may go"):
            await reacted(home, said, "👍")
        await home.write(lambda c: change_account(c, account_id, "admin", 1, consent_mode="none"))
        await home.write(lambda c: opt_out(c, leaving(chat), system_clock_utc_ms(), confirm=False))
        with pytest.raises(Refused, match="Nothing may go"):
            await reacted(home, said, "👍")


async def test_erased_words_are_in_no_change_that_waits_or_was_told(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        chat = await home.chat("con-sofia", "signal")
        told, waits = await home.submit(chat, "One"), await home.submit(chat, "Two")
        row = await home.until_state(told, *OUT)
        await home.until_state(waits, *OUT)
        await edited(home, told, "Canary, told")
        await settled(home)
        await paused(home, row.account_id)
        await edited(home, waits, "Canary, waiting")
        order = ErasureOrder(
            firm_id=row.firm_id,
            actor_id="officer-1",
            basis="request 1",
            message_ids=(told, waits),
            within_retention=True,
        )
        await home.until_sealed(waits)
        await home.write(lambda c: erase(c, order, system_clock_utc_ms()))
        values = select(message_changes.c.value)
        assert set(await home.read(lambda c: c.execute(values).scalars().all())) == {""}
        await home.write(lambda c: resume_account(c, AccountId(row.account_id)))
        assert await settled(home) == {"edit": "failed"}
        assert "Canary, waiting" not in [each["text"] for each in await home.peer.phones()]


async def test_changes_keep_to_the_pace_of_the_chat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    at_utc_ms: list[int] = []
    really_take = Pacing.take

    def take(
        self: Pacing, account: Account, chat: ConversationId, now_utc_ms: int, *, group: bool
    ) -> None:
        seen.append("its turn")
        at_utc_ms.append(now_utc_ms)
        really_take(self, account, chat, now_utc_ms, group=group)

    def rates(side: SampleSide, account: Account) -> RateLimits:
        return RateLimits(chat=Rate(every_ms=700))

    def noting(name: str) -> None:
        real = getattr(SandboxOutbound, name)

        async def call(self: SandboxOutbound, *args: Any) -> Any:
            seen.append(name)
            return await real(self, *args)

        monkeypatch.setattr(SandboxOutbound, name, call)

    monkeypatch.setattr(SampleSide, "rates", rates)
    monkeypatch.setattr(Pacing, "take", take)
    noting("send")
    noting("edit")
    async with house(tmp_path) as home:
        message_id = await home.submit(await home.chat("con-sofia", "signal"), "One")
        await home.until_state(message_id, *OUT)
        await edited(home, message_id, "Two", 1)
        await edited(home, message_id, "Three", 2)
        assert await settled(home) == {"edit": "done"}
    assert seen == ["its turn", "send", "its turn", "edit", "its turn", "edit"]
    assert min(later - earlier for earlier, later in itertools.pairwise(at_utc_ms)) >= 700


async def test_paused_account_with_many_changes_holds_up_no_other(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        other = await said_by_client(home, await home.chat("con-hana", "line"))
        row = await home.row(other)
        await paused(home, row.account_id)
        waiting = [
            {
                "change_id": f"read.{n}",
                "firm_id": row.firm_id,
                "message_id": other,
                "conversation_id": row.conversation_id,
                "account_id": row.account_id,
                "kind": "read",
                "lane_order": n,
                "created_at_utc_ms": system_clock_utc_ms(),
            }
            for n in range(150)
        ]
        await home.write(lambda c: c.execute(insert(message_changes), waiting))
        await reacted(
            home, await said_by_client(home, await home.chat("con-sofia", "signal")), "👍"
        )
        state = select(message_changes.c.state).where(message_changes.c.kind == "react")
        assert await home.until(lambda c: c.execute(state).scalar() in ("done", "failed"))
