"""Periods are data, the longest wins, a hold wins over all, and an expiry is an entry.

It never waits for a period: the clock of the call is moved.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import pytest
from sqlalchemy import Connection

from backend.archive.entries import read_entry
from backend.archive.erasure import ErasureOrder, ErasureRefused, erase
from backend.archive.expiry import expire, find_expired
from backend.archive.holds import HoldError, all_holds, place_hold, release_holds
from backend.archive.retention import (
    RetentionClass,
    RetentionError,
    Schedule,
    add_months,
    assign_class,
    known_classes,
    set_class,
    shipped_classes,
    withdraw_class,
)
from backend.inbox.inbound import record_edit
from contract.ids import MessageId
from tests.backend.workspace import FIRM, SOFIA, Workspace

T = TypeVar("T")
OFFICER = "officer-1"
YEAR_MS = 366 * 86_400_000
SHORT = RetentionClass(class_id="short", title="Short", keep_months=12, source="test")


async def write(workspace: Workspace, work: Callable[[Connection], T]) -> T:
    """Run one transaction."""
    return await workspace.services.database.write(work)


async def keep_for_a_year(workspace: Workspace, scope: str = "firm", scope_id: str = "") -> None:
    """Set the short class and let it apply."""

    def work(connection: Connection) -> None:
        set_class(connection, FIRM, SHORT, OFFICER, workspace.clock())
        assign_class(connection, FIRM, scope, scope_id, "short", OFFICER, workspace.clock())

    await write(workspace, work)


async def client_of_message(workspace: Workspace, message_id: MessageId) -> str:
    """Return the contact a message's conversation is with."""
    return str(
        await workspace.scalar(
            "SELECT contact_id FROM conversation_contacts JOIN messages USING (conversation_id)"
            f" WHERE message_id = '{message_id}'"
        )
    )


def at(text: str) -> int:
    """Return UTC milliseconds of an ISO time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_shipped_classes_hold_the_rules_periods() -> None:
    months = {
        each.class_id: (each.keep_months, each.accessible_months) for each in shipped_classes()
    }
    assert months["us-broker-dealer"] == (36, 24)
    assert months["finra-4511"][0] == 72
    assert months["complaints"][0] == 48
    assert (months["mifid-ii"][0], months["mifid-ii-on-request"][0]) == (60, 84)
    assert months["hk-sfc"][0] == 24
    assert all(each.source for each in shipped_classes())


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2024-02-29T12:00:00", 12, "2025-02-28T12:00:00"),
        ("2024-02-29T12:00:00", 48, "2028-02-29T12:00:00"),
        ("2026-11-30T23:59:59", 3, "2027-02-28T23:59:59"),
        ("2026-01-31T00:00:00", -2, "2025-11-30T00:00:00"),
    ],
)
def test_months_end_on_the_calendar(start: str, months: int, end: str) -> None:
    assert add_months(at(start) + 7, months) == at(end) + 7


async def test_without_a_class_nothing_expires(workspace: Workspace) -> None:
    await workspace.inbound("For good")
    later = workspace.clock() + 100 * YEAR_MS
    assert await write(workspace, lambda c: expire(c, FIRM, OFFICER, later)) is None


async def test_the_longest_period_wins(workspace: Workspace) -> None:
    message_id = await workspace.inbound("Both")
    client = await client_of_message(workspace, message_id)
    await keep_for_a_year(workspace)
    longer = RetentionClass(class_id="long", title="Long", keep_months=60, source="test")

    def work(connection: Connection) -> int | None:
        set_class(connection, FIRM, longer, OFFICER, workspace.clock())
        assign_class(connection, FIRM, "client", client, "long", OFFICER, workspace.clock())
        conversation_id = connection.exec_driver_sql(
            "SELECT conversation_id FROM messages"
        ).scalar_one()
        schedule = Schedule(connection, FIRM)
        assert schedule.kept_until("message_in", "", "", at("2026-01-01")) == at("2027-01-01")
        return schedule.kept_until("message_in", conversation_id, message_id, at("2026-01-01"))

    assert await write(workspace, work) == at("2031-01-01")


async def test_expired_message_goes_and_the_run_is_an_entry(workspace: Workspace) -> None:
    old = await workspace.inbound("Old words")
    await keep_for_a_year(workspace)
    later = workspace.clock() + YEAR_MS
    found = await write(workspace, lambda c: find_expired(c, FIRM, later, 100))
    assert found.message_ids == (old,)
    erased = await write(workspace, lambda c: expire(c, FIRM, OFFICER, later))
    assert erased is not None
    order = await workspace.services.database.read(lambda c: read_entry(c, erased.order_entry_id))
    assert order is not None
    assert order.kind == "expiry"
    assert old in msgspec.json.decode(order.body or b"")["messages"]
    assert (
        await workspace.scalar(
            "SELECT count(*) FROM archive_bodies WHERE instr(body, CAST('Old words' AS BLOB))"
        )
        == 0
    )
    assert await write(workspace, lambda c: expire(c, FIRM, OFFICER, later)) is None


async def test_message_stays_until_its_last_version_may_go(workspace: Workspace) -> None:
    await workspace.inbound("First", external="ext-1")
    await keep_for_a_year(workspace)
    edited_at = workspace.clock() + YEAR_MS // 2
    await write(
        workspace,
        lambda c: record_edit(
            c,
            account_id="acc-wa",
            external_message_id="ext-1",
            text="Second",
            occurred_at_utc_ms=edited_at,
            received_at_utc_ms=edited_at,
        ),
    )
    await workspace.sealing.sealed()
    first_over = workspace.clock() + YEAR_MS
    found = await write(workspace, lambda c: find_expired(c, FIRM, first_over, 100))
    assert found.message_ids == ()
    all_over = edited_at + YEAR_MS
    assert (await write(workspace, lambda c: find_expired(c, FIRM, all_over, 100))).message_ids


@pytest.mark.parametrize("scope", ["firm", "client", "conversation", "message", "entry"])
async def test_hold_wins_over_expiry_until_it_is_released(workspace: Workspace, scope: str) -> None:
    message_id = await workspace.inbound("Held")
    other = await workspace.inbound("Not held", account="acc-signal", point=SOFIA)
    await keep_for_a_year(workspace)
    entry_id = await workspace.scalar(
        f"SELECT entry_id FROM messages WHERE message_id = '{message_id}'"
    )
    ids = {
        "firm": "",
        "client": await client_of_message(workspace, message_id),
        "conversation": await workspace.conversation_of(message_id),
        "message": message_id,
        "entry": str(entry_id),
    }
    now = workspace.clock()
    await write(workspace, lambda c: place_hold(c, FIRM, "M-1", scope, ids[scope], OFFICER, now))
    later = now + YEAR_MS
    found = await write(workspace, lambda c: find_expired(c, FIRM, later, 100))
    assert message_id not in found.message_ids
    assert (other in found.message_ids) == (scope != "firm")
    assert found.held >= 1
    assert await write(workspace, lambda c: release_holds(c, FIRM, "M-1", OFFICER, later)) == 1
    found = await write(workspace, lambda c: find_expired(c, FIRM, later, 100))
    assert message_id in found.message_ids


async def test_holds_are_archived_and_their_record_stays(workspace: Workspace) -> None:
    now = workspace.clock()
    await write(workspace, lambda c: place_hold(c, FIRM, "M-7", "firm", "", OFFICER, now))
    await write(workspace, lambda c: release_holds(c, FIRM, "M-7", OFFICER, now + 1))
    assert await write(workspace, lambda c: release_holds(c, FIRM, "M-7", OFFICER, now)) == 0
    (hold,) = await workspace.services.database.read(lambda c: all_holds(c, FIRM))
    assert (hold.matter, hold.released_at_utc_ms) == ("M-7", now + 1)
    kinds = "SELECT count(*) FROM archive_entries WHERE kind IN ('hold', 'hold_release')"
    assert await workspace.scalar(kinds) == 2


@pytest.mark.parametrize(
    ("matter", "scope", "scope_id"),
    [(" ", "firm", ""), ("M", "firm", "x"), ("M", "client", "nobody"), ("M", "planet", "x")],
)
async def test_hold_on_nothing_is_refused(
    workspace: Workspace, matter: str, scope: str, scope_id: str
) -> None:
    with pytest.raises(HoldError):
        await write(workspace, lambda c: place_hold(c, FIRM, matter, scope, scope_id, OFFICER, 1))


async def test_period_is_shortened_only_when_confirmed(workspace: Workspace) -> None:
    await keep_for_a_year(workspace)
    shorter = RetentionClass(class_id="short", title="Short", keep_months=6, source="test")
    with pytest.raises(RetentionError, match="shorten"):
        await write(workspace, lambda c: set_class(c, FIRM, shorter, OFFICER, 1))
    assert await write(
        workspace,
        lambda c: set_class(c, FIRM, shorter, OFFICER, workspace.clock(), may_shorten=True),
    )
    (known,) = await workspace.services.database.read(lambda c: known_classes(c, FIRM))
    assert known == shorter


async def test_changes_are_archived_once(workspace: Workspace) -> None:
    await keep_for_a_year(workspace)
    await keep_for_a_year(workspace)
    changes = "SELECT count(*) FROM archive_entries WHERE kind = 'retention'"
    assert await workspace.scalar(changes) == 2
    now = workspace.clock()
    assert await write(
        workspace, lambda c: withdraw_class(c, FIRM, "firm", "", "short", OFFICER, now)
    )
    assert not await write(
        workspace, lambda c: withdraw_class(c, FIRM, "firm", "", "short", OFFICER, now)
    )
    assert await workspace.scalar(changes) == 3


@pytest.mark.parametrize(
    ("scope", "scope_id", "class_id"),
    [("firm", "x", "short"), ("client", "", "short"), ("moon", "x", "short"), ("firm", "", "?")],
)
async def test_assignment_to_nothing_is_refused(
    workspace: Workspace, scope: str, scope_id: str, class_id: str
) -> None:
    await write(workspace, lambda c: set_class(c, FIRM, SHORT, OFFICER, workspace.clock()))
    with pytest.raises(RetentionError):
        await write(
            workspace, lambda c: assign_class(c, FIRM, scope, scope_id, class_id, OFFICER, 1)
        )


async def test_period_is_not_shortened_by_changing_an_entrys_time(workspace: Workspace) -> None:
    """The row's time is nobody's word; the witness has signed when it saw the entry."""
    await keep_for_a_year(workspace)
    message_id = await workspace.inbound("Keep me")

    def backdate(connection: Connection) -> None:
        connection.exec_driver_sql("DROP TRIGGER archive_entries_refuse_UPDATE")
        connection.exec_driver_sql("UPDATE archive_entries SET archived_at_utc_ms = 1000")

    await write(workspace, backdate)
    now = workspace.clock()
    assert (await write(workspace, lambda c: find_expired(c, FIRM, now, 10))).message_ids == ()
    order = ErasureOrder(
        firm_id=FIRM, actor_id=OFFICER, basis="a request", message_ids=(message_id,)
    )
    with pytest.raises(ErasureRefused, match="period still runs"):
        await write(workspace, lambda c: erase(c, order, now))
    later = now + YEAR_MS
    found = await write(workspace, lambda c: find_expired(c, FIRM, later, 10))
    assert found.message_ids == (message_id,)
