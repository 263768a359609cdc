"""Native mode: read-only for whom it holds, live echoes as the employee's own, silence watched.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from backend.archive.projection_audit import audit_messages
from backend.channels import events
from backend.channels.contract import Account
from backend.delivery.applying import apply_event
from backend.directory.modes import set_mode
from backend.directory.native_capture import HOUR_MS, native_accounts, note_capture, set_limit
from backend.governance.watch import GovernanceWatch
from backend.inbox.events import read_events
from contract.events import AccountsChanged, EventBody
from contract.ids import AccountId
from contract.problems import Problem, ProblemCode
from contract.wire import Channel, Conversation, IdempotencyClass, Me, MessagePage, Mode
from tests.backend.workspace import (
    AUDITOR,
    ELENA,
    FIRM,
    HANA,
    Workspace,
    client_of,
    draft,
    open_workspace,
    submit,
)

ACCOUNT = Account(
    account_id=AccountId("acc-wa"),
    channel=Channel.WHATSAPP,
    connector="sandbox",
    idempotency=IdempotencyClass.CLIENT_ECHO,
)
CLIENT = events.Sender(id_type=HANA.id_type, address=HANA.address)


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace whose WhatsApp number is Elena's alone."""
    async with open_workspace(tmp_path) as opened:
        await opened.services.database.write(
            lambda c: c.exec_driver_sql(
                "DELETE FROM account_members WHERE employee_id = ?", (AUDITOR,)
            )
        )
        yield opened


async def happens(workspace: Workspace, event: events.InboundEvent) -> None:
    """Have the channel tell something."""
    now = workspace.clock()
    await workspace.services.database.write(
        lambda c: apply_event(c, ACCOUNT, event, (), now, now, lambda *_: None)
    )
    await workspace.sealing.sealed()


async def work_natively(workspace: Workspace, mode: Mode = Mode.NATIVE) -> None:
    """Have Elena work natively on WhatsApp, or governed again."""
    await workspace.services.database.write(
        lambda c: set_mode(c, ELENA, Channel.WHATSAPP, mode, "admin", workspace.clock())
    )


async def test_an_employee_on_native_reads_only_until_governed_again(workspace: Workspace) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Good morning"))
    await work_natively(workspace)
    async with client_of(workspace) as elena:
        read = await elena.get(f"/v1/conversations/{home}")
        talk = msgspec.json.decode(read.content, type=Conversation)
        assert (talk.mode, talk.send) == (Mode.NATIVE, None)
        refused = await submit(elena, home, draft("Hello", clock=workspace.clock))
        problem = msgspec.json.decode(refused.content, type=Problem)
        assert problem.code == ProblemCode.READ_ONLY
        me = msgspec.json.decode((await elena.get("/v1/me")).content, type=Me)
        modes = {str(account.account_id): account.mode for account in me.accounts}
        assert (modes["acc-wa"], modes["acc-signal"]) == (Mode.NATIVE, Mode.GOVERNED)
        await work_natively(workspace, Mode.GOVERNED)
        sent = await submit(elena, home, draft("Hello", clock=workspace.clock))
        assert sent.status_code == 201, sent.text
    assert await workspace.scalar("SELECT count(*) FROM archive_entries WHERE kind = 'mode'") == 2


async def test_what_the_employee_writes_in_the_app_is_recorded_live_as_theirs(
    workspace: Workspace,
) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Good morning"))
    echo = events.MessageEcho(
        dedupe_key="e1",
        at_utc_ms=workspace.clock(),
        sender=CLIENT,
        external_id="wamid.e1",
        text="From my phone",
    )
    await happens(workspace, echo)
    await happens(workspace, echo)
    await happens(
        workspace,
        events.Edited(
            dedupe_key="e2",
            at_utc_ms=workspace.clock(),
            sender=CLIENT,
            external_id="wamid.e1",
            text="From my own phone",
        ),
    )
    async with client_of(workspace) as elena:
        read = await elena.get(f"/v1/conversations/{home}/messages")
    newest, _ = msgspec.json.decode(read.content, type=MessagePage).messages
    assert (newest.text, newest.origin, newest.author_id) == (
        "From my own phone",
        "native",
        ELENA,
    )
    kinds = "SELECT count(*) FROM archive_entries WHERE kind IN ('native', 'edited')"
    assert await workspace.scalar(kinds) == 2
    assert await workspace.services.database.read(audit_messages) == 2


async def test_history_told_afterwards_stands_where_it_happened(workspace: Workspace) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Good morning"))
    days_ago = workspace.clock() - 3 * 24 * HOUR_MS
    await happens(
        workspace,
        events.MessageEcho(
            dedupe_key="h1",
            at_utc_ms=days_ago,
            sender=CLIENT,
            external_id="wamid.h1",
            text="Three days ago",
        ),
    )
    async with client_of(workspace) as elena:
        read = await elena.get(f"/v1/conversations/{home}/messages")
    _, oldest = msgspec.json.decode(read.content, type=MessagePage).messages
    assert (oldest.origin, oldest.place_at_utc_ms) == ("imported", days_ago)


async def test_capture_is_noted_and_told(workspace: Workspace) -> None:
    await work_natively(workspace)
    upto = workspace.clock()
    await happens(
        workspace,
        events.MessageIn(
            dedupe_key="m1", at_utc_ms=upto, sender=CLIENT, external_id="m1", text="Hello"
        ),
    )
    async with client_of(workspace) as elena:
        me = msgspec.json.decode((await elena.get("/v1/me")).content, type=Me)
    account = next(one for one in me.accounts if one.account_id == "acc-wa")
    assert (account.captured_upto_utc_ms, account.silent_after_h) == (upto, 168)
    assert (account.captured_at_utc_ms or 0) > upto
    stored = await workspace.services.database.read(lambda c: read_events(c, ELENA, 0, 100))
    bodies = [msgspec.json.decode(event.body, type=EventBody) for event in stored]
    assert sum(isinstance(body, AccountsChanged) for body in bodies) == 2  # the mode, the capture
    governed = await workspace.services.database.write(
        lambda c: note_capture(c, "acc-signal", upto, upto)
    )
    assert not governed


async def test_silence_over_its_limit_is_told_to_compliance_once(workspace: Workspace) -> None:
    database, start = workspace.services.database, workspace.clock()
    watch = GovernanceWatch(database, now=workspace.clock)

    def gaps() -> str:
        return "SELECT count(*) FROM review_items WHERE subject LIKE 'silent:%'"

    await database.write(lambda c: set_limit(c, "acc-imessage", 24, "admin", start))
    await watch.look()  # an account never captured counts from here
    workspace.clock.at_utc_ms = start + 23 * HOUR_MS
    await watch.look()
    assert await workspace.scalar(gaps()) == 0
    workspace.clock.at_utc_ms = start + 25 * HOUR_MS
    await watch.look()
    await watch.look()
    assert await workspace.scalar(gaps()) == 1
    await database.write(
        lambda c: note_capture(c, "acc-imessage", workspace.clock(), workspace.clock())
    )
    await watch.look()
    (account,) = await database.read(lambda c: native_accounts(c, FIRM))
    assert not account.is_silent(workspace.clock())
    workspace.clock.at_utc_ms += 25 * HOUR_MS
    await watch.look()
    assert await workspace.scalar(gaps()) == 2
