"""Compliance's queue: who may work on it, what is logged, and what is no review.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from backend.archive.entries import read_entry
from backend.archive.verify import verify_archive
from backend.delivery.accounts import pause_account
from backend.governance.settings import SettingError, write_setting
from backend.governance.watch import GovernanceWatch
from contract.ids import AccountId
from contract.supervision import ReviewItem, ReviewKind, ReviewPage
from tests.backend.policies import give_role, small_policy, under
from tests.backend.workspace import (
    ELENA,
    FIRM,
    KENTA,
    Workspace,
    client_of,
    draft,
    open_workspace,
    submit,
)
from tests.support.log_guard import LogGuard


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace in which Kenta is of Compliance and one message went against a rule."""
    async with open_workspace(tmp_path) as opened:
        under(opened, small_policy())
        await give_role(opened, KENTA, "compliance")
        for name in ("review.random_per_mille", "review.rule_per_mille"):
            await set_figure(opened, name, 0)
        chat = await opened.conversation_of(await opened.inbound("Good morning"))
        async with client_of(opened) as elena:
            command = draft("A guarantee.", justification="As agreed.", clock=opened.clock)
            assert (await submit(elena, chat, command)).status_code == 201
        yield opened


@pytest.fixture
async def kenta(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client signed in as Kenta."""
    async with client_of(workspace, KENTA) as opened:
        yield opened


async def set_figure(workspace: Workspace, name: str, value: int) -> None:
    """Set a figure of Compliance's."""
    now = workspace.clock()
    await workspace.services.database.write(
        lambda connection: write_setting(connection, FIRM, name, value, "compliance", now)
    )


async def page(client: httpx.AsyncClient, **asked: str) -> ReviewPage:
    """Read the queue."""
    answer = await client.get("/v1/reviews", params=asked)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=ReviewPage)


async def step(
    client: httpx.AsyncClient, item: ReviewItem, name: str, note: str = "", key: str = "k1"
) -> httpx.Response:
    """Take a step of a review."""
    return await client.post(
        f"/v1/reviews/{item.review_id}/actions",
        json={"step": name, "note": note},
        headers={"Idempotency-Key": key},
    )


async def test_looking_is_no_review_and_a_step_is_archived(
    workspace: Workspace, kenta: httpx.AsyncClient
) -> None:
    shown = await page(kenta)
    before = await workspace.scalar("SELECT count(*) FROM archive_entries")
    (item,) = shown.reviews
    assert (shown.open, item.kind, item.rule_ids) == (1, ReviewKind.OVERRIDE, ("test.justify",))
    assert (item.employee_name, item.text) == ("Elena Marchetti", "A guarantee.")
    assert item.justification == "As agreed."
    assert (await kenta.get(f"/v1/reviews/{item.review_id}")).json()["text"] == item.text
    assert await workspace.scalar("SELECT count(*) FROM archive_entries") == before
    assert (await page(kenta)).reviews == (item,)
    noted = await step(kenta, item, "commented", "Asked Elena.")
    assert not msgspec.json.decode(noted.content, type=ReviewItem).closed
    closed = await step(kenta, item, "cleared", key="k2")
    again = await step(kenta, item, "cleared", key="k2")
    assert closed.content == again.content
    done = msgspec.json.decode(closed.content, type=ReviewItem)
    assert [entry.step for entry in done.steps] == ["commented", "cleared"]
    assert {entry.reviewer_name for entry in done.steps} == {"Kenta Tan"}
    assert done.closed
    entry_id = done.steps[1].entry_id
    entry = await workspace.services.database.read(lambda c: read_entry(c, entry_id))
    assert entry is not None
    assert entry.kind == "review"
    body = msgspec.json.decode(entry.body or b"")
    assert (body["action"], body["item"]) == ("cleared", item.review_id)
    assert not (await page(kenta)).reviews
    assert (await page(kenta, state="closed", kind="override")).reviews == (done,)
    assert (await step(kenta, item, "escalated", "Late", key="k3")).status_code == 409
    assert (await workspace.services.database.read(verify_archive)).ok


async def test_only_compliance_works_on_it_and_nobody_on_their_own(
    workspace: Workspace, kenta: httpx.AsyncClient
) -> None:
    (item,) = (await page(kenta)).reviews
    async with client_of(workspace) as elena:
        for path in ("/v1/reviews", f"/v1/reviews/{item.review_id}"):
            assert (await elena.get(path)).status_code == 403
        assert (await step(elena, item, "cleared")).status_code == 403
        await give_role(workspace, ELENA, "compliance")
        assert (await step(elena, item, "cleared", key="k2")).status_code == 403
    assert (await step(kenta, item, "escalated")).status_code == 400
    assert (await kenta.get("/v1/reviews/nothing")).status_code == 404
    assert (await kenta.get("/v1/reviews", params={"kind": "gossip"})).status_code == 400


async def test_pages_follow_each_other(workspace: Workspace, kenta: httpx.AsyncClient) -> None:
    chat = str(await workspace.scalar("SELECT conversation_id FROM conversations"))
    async with client_of(workspace) as elena:
        for _ in range(3):
            command = draft("A guarantee.", justification="As agreed.", clock=workspace.clock)
            await submit(elena, chat, command)
    first = await page(kenta, limit="3")
    second = await page(kenta, limit="3", cursor=first.next_cursor)
    assert (len(first.reviews), len(second.reviews), second.next_cursor) == (3, 1, "")
    assert first.open == 4


async def test_capture_gaps_are_entered_once(
    workspace: Workspace, kenta: httpx.AsyncClient, expect_log: LogGuard
) -> None:
    expect_log("a client raised an alarm", logger="parley.backend.archive")
    await workspace.services.database.write(
        lambda c: pause_account(c, AccountId("acc-wa"), "The number was moved.", 5)
    )
    alert = {"kind": "gap", "detail_code": "tree_shrank"}
    answer = await kenta.post(
        "/v1/archive/alerts", json=alert, headers={"Idempotency-Key": "alert-1"}
    )
    assert answer.status_code == 200, answer.text
    watch = GovernanceWatch(workspace.services.database, now=workspace.clock)
    for _ in range(2):
        await watch.look()
    gaps = (await page(kenta, kind="capture_gap")).reviews
    assert len(gaps) == 2
    assert any("acc-wa" in gap.detail for gap in gaps)


async def test_figures_are_checked_and_archived(workspace: Workspace) -> None:
    for name, value in (("gossip", 1), ("approval_hours", 0), ("review.random_per_mille", 1001)):
        with pytest.raises(SettingError):
            await set_figure(workspace, name, value)
    await set_figure(workspace, "approval_hours", 2)
    settings = "SELECT count(*) FROM archive_entries WHERE kind = 'setting'"
    assert await workspace.scalar(settings) == 3
