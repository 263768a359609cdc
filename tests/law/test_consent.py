"""Rules 6 and 7: the recording notice before services, and the client's word that ends messages.

It does not test every word; tests/contract/policy does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import func, select

from backend.delivery.accounts import pause_account
from backend.directory.confirmations import WITHIN_MS
from backend.directory.consents import record_consent
from backend.governance.gaps import enter_gaps
from backend.storage.supervision_tables import optout_confirmations
from backend.storage.tables import archive_bodies, archive_entries, consents, messages
from contract.ids import AccountId
from contract.wire import Channel, ConsentKind, ConsentStatus
from tests.backend.delivery.harness import house
from tests.backend.workspace import ELENA, Workspace
from tests.law.conftest import contact_of, rules_of, send

WORDS = (
    *("stop", "QUIT", "End", "Revoke", "opt out", "Cancel", "UNSUBSCRIBE"),
    "Please stop texting me, thank you",
    "Bitte keine Nachrichten mehr",
    "退订",
)
OFF = select(consents.c.contact_id).where(
    consents.c.channel == Channel.SMS,
    consents.c.kind == ConsentKind.RECORDING,
    consents.c.status == ConsentStatus.OPTED_OUT,
)


async def answer_notice(workspace: Workspace, contact_id: str, status: ConsentStatus) -> None:
    """Record what a client answered to the recording notice."""
    now = workspace.clock()
    await workspace.services.database.write(
        lambda connection: record_consent(
            connection,
            contact_id=contact_id,
            kind=ConsentKind.RECORDING,
            status=status,
            channel=None,
            actor_id=contact_id,
            at_utc_ms=now,
            now_utc_ms=now,
            text_version="de-2",
        )
    )


async def test_rule_06_the_recording_notice_comes_before_order_services(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    """MiFID II 16(7), 2017/565 art. 76: told beforehand; refused means no services here."""
    text = "I have prepared the order as you asked."
    pending = await send(workspace, client, chat, text)
    assert (pending.status_code, rules_of(pending)) == (201, ["consent.recording-pending"])
    contact_id = await contact_of(workspace, chat)
    await answer_notice(workspace, contact_id, ConsentStatus.ACCEPTED)
    told = await send(workspace, client, chat, text)
    assert (told.status_code, rules_of(told)) == (201, [])
    await answer_notice(workspace, contact_id, ConsentStatus.REFUSED)
    refused = await send(workspace, client, chat, text)
    assert (refused.status_code, rules_of(refused)) == (403, ["consent.recording-refused"])
    # Which text was accepted or refused, and when, is in the archive (76(8)(b)).
    query = (
        select(archive_bodies.c.body)
        .join(archive_entries, archive_entries.c.entry_id == archive_bodies.c.entry_id)
        .where(archive_entries.c.kind == "consent")
    )
    bodies = await workspace.services.database.read(lambda c: c.execute(query).scalars().all())
    answers = [msgspec.json.decode(body) for body in bodies]
    assert [one["status"] for one in answers] == ["accepted", "refused"]
    assert {one["text_version"] for one in answers} == {"de-2"}


async def test_rule_06_outages_of_recording_are_evidenced(workspace: Workspace) -> None:
    """2017/565 art. 76(2): a gap in what is recorded comes before Compliance."""
    write = workspace.services.database.write
    await write(lambda c: pause_account(c, AccountId("acc-wa"), "The channel refused our key.", 1))
    assert await write(lambda c: enter_gaps(c, workspace.clock())) >= 1
    kind = await workspace.scalar("SELECT kind FROM review_items")
    assert kind == "capture_gap"
    assert ELENA not in str(await workspace.scalar("SELECT detail FROM review_items"))


async def test_rule_07_the_law_s_words_end_messages_with_one_confirmation(tmp_path: Path) -> None:
    """47 CFR 64.1200(a)(10) and (12): consent off at once, one confirmation in five minutes."""
    async with house(tmp_path) as opened:
        known = await opened.read(lambda c: len(c.execute(OFF).all()))
        for number, word in enumerate(WORDS):
            for again in range(2):
                await opened.happens("acc-sms", said(number, again, word))
        told = select(func.count()).select_from(messages).where(messages.c.text.in_(WORDS))
        await opened.until(lambda c: c.execute(told).scalar_one() == 2 * len(WORDS))
        await opened.until(lambda c: len(c.execute(OFF).all()) == known + len(WORDS))
        confirmations = await opened.read(lambda c: c.execute(select(optout_confirmations)).all())
        assert len(confirmations) == len(WORDS)
        for one in confirmations:
            assert one.send_before_utc_ms - one.opted_out_at_utc_ms == WITHIN_MS == 300_000


def said(number: int, again: int, text: str) -> dict[str, Any]:
    """Return what the SMS channel tells when a stranger writes."""
    key = f"s{number}.{again}"
    sender = {"id_type": "phone", "address": f"+1555000{number:04d}", "name": "Ada"}
    return {
        "type": "message",
        "dedupe_key": key,
        "at_utc_ms": 1_795_000_000_000,
        "sender": sender,
        "external_id": key,
        "text": text,
    }
