"""Rules 3, 4, 12 and 13: what is said to clients, who approves it first, and who looks at it.

It does not test the word lists; tests/contract/policy does.
"""

from __future__ import annotations

import json
from functools import partial

import httpx
import msgspec

from backend.archive.entries import entries_of_message
from backend.archive.retention import shipped_classes
from backend.archive.verify import read_envelope
from backend.directory.gifts import record_gift
from backend.governance.settings import RULE_PER_MILLE, rule_rate_name, write_setting
from contract.supervision import ReviewItem, ReviewPage
from tests.backend.policies import give_role
from tests.backend.workspace import ELENA, FIRM, KENTA, Workspace, client_of
from tests.law.conftest import DAY_MS, another_client, contact_of, rules_of, run, send

OUTLOOK = "our outlook for the coming quarter favours short bonds, and here is why we think so"
COMPLAINT = "I understand that your complaint is about the custody fees of last year."


async def test_rule_03_more_than_25_retail_clients_in_30_days_need_approval(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    """FINRA 2210(a)(5) and (b)(1): the 26th retail investor makes it a retail communication."""
    chats = [await another_client(workspace, number) for number in range(26)]
    await run(workspace, "UPDATE contacts SET retail = 1")
    for chat in chats[:25]:
        answer = await send(workspace, client, chat, OUTLOOK)
        assert (answer.status_code, answer.json()["message"]["state"]) == (201, "archived")
    held = await send(workspace, client, chats[25], OUTLOOK)
    assert held.json()["message"]["state"] == "held"
    assert "recipients.retail-reach" in rules_of(held)
    # Other words are another communication, and after 30 days the count begins anew.
    other = await send(workspace, client, chats[25], "Your statement for October is in the portal.")
    assert other.json()["message"]["state"] == "archived"
    workspace.clock.at_utc_ms += 31 * DAY_MS
    later = await another_client(workspace, 99)
    await run(workspace, "UPDATE contacts SET retail = 1")
    assert (await send(workspace, client, later, OUTLOOK)).status_code == 201


async def test_rule_04_complaints_instructions_and_funds_are_identified_and_reviewed(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    """FINRA 3110(b)(4), .06 and .07: identified; a review names reviewer, item, date, action."""
    await give_role(workspace, KENTA, "compliance")

    async def sample(rule_id: str) -> None:
        name = rule_rate_name(rule_id)
        await workspace.services.database.write(
            lambda c: write_setting(c, FIRM, name, 1_000, KENTA, workspace.clock())
        )

    assert rule_rate_name("identified.complaint").startswith(RULE_PER_MILLE)
    kinds = ("complaint", "instruction", "funds")
    for kind in kinds:
        await sample(f"identified.{kind}")
    for text in (COMPLAINT, "Please sell 500 shares at market.", "Please wire the funds today."):
        answer = await send(workspace, client, chat, text)
        assert answer.status_code == 201
        assert not any(rule.startswith("identified.") for rule in rules_of(answer))

    async with client_of(workspace, KENTA) as compliance:
        page = msgspec.json.decode((await compliance.get("/v1/reviews")).content, type=ReviewPage)
        named = {rule for item in page.reviews for rule in item.rule_ids}
        assert {f"identified.{kind}" for kind in kinds} <= named
        item = next(one for one in page.reviews if "identified.complaint" in one.rule_ids)
        path = f"/v1/reviews/{item.review_id}"
        opened = msgspec.json.decode((await compliance.get(path)).content, type=ReviewItem)
        assert (opened.closed, opened.steps) == (False, ())  # opening alone is no review
        answer = await compliance.post(
            f"{path}/actions",
            json={"step": "cleared", "note": "Filed as a complaint."},
            headers={"Idempotency-Key": "review-1"},
        )
        assert answer.status_code in {200, 201}, answer.text
        reviewed = msgspec.json.decode((await compliance.get(path)).content, type=ReviewItem)
    (step,) = reviewed.steps
    assert reviewed.closed
    assert (step.reviewer_id, step.step, step.at_utc_ms > 0) == (KENTA, "cleared", True)
    entry = await workspace.scalar(
        f"SELECT kind FROM archive_entries WHERE entry_id = '{step.entry_id}'"
    )
    assert entry == "review"
    assert (await client.get("/v1/reviews")).status_code == 403


async def test_rule_12_hong_kong_orders_are_kept_and_third_parties_confirmed(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    """HK SFC 18EC30: order messages two years; third-party transfers confirmed elsewhere."""
    kept = {one.class_id: one.keep_months for one in shipped_classes()}
    assert kept["hk-sfc"] == 24
    text = "Shall the transfer go to your son's account?"
    refused = await send(workspace, client, chat, text)
    assert refused.status_code == 403
    assert "conduct.third-party-transfer" in rules_of(refused)
    reason = "Confirmed by phone on the recorded line, 14:05."
    sent = await send(workspace, client, chat, text, justification=reason)
    assert sent.status_code == 201
    read = workspace.services.database.read
    message_id = sent.json()["message"]["message_id"]
    (entry,) = await read(partial(entries_of_message, message_id=message_id))
    assert json.loads(entry.body or b"")["justification"] == reason
    assert read_envelope(entry.leaf).decision_hash


async def test_rule_13_gifts_above_300_usd_a_person_and_year_wait_for_a_supervisor(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    """FINRA 3220 as from 30 March 2026: 300 USD a person and year, counted over all givers."""
    contact_id = await contact_of(workspace, chat)
    assert (
        await send(workspace, client, chat, "A 300 USD gift card is on its way.")
    ).status_code == 201
    alone = await send(workspace, client, chat, "A 301 USD gift card is on its way.")
    assert alone.json()["message"]["state"] == "held"
    now = workspace.clock()
    await workspace.services.database.write(
        lambda connection: record_gift(
            connection,
            contact_id=contact_id,
            employee_id=ELENA,
            amount_minor=25_000,
            currency="USD",
            given_at_utc_ms=now,
            now_utc_ms=now,
        )
    )
    within = await send(workspace, client, chat, "And a 50 USD gift card for the season.")
    above = await send(workspace, client, chat, "And a 51 USD gift card for the season.")
    assert within.json()["message"]["state"] == "archived"
    assert above.json()["message"]["state"] == "held"
    assert "conduct.gift" in rules_of(above)
    workspace.clock.at_utc_ms += 366 * DAY_MS
    await workspace.inbound("Happy new year")
    fresh = await send(workspace, client, chat, "A 51 USD gift card for the new year.")
    assert fresh.json()["message"]["state"] == "archived"
