"""Every sealed communication reaches every journal sink, at least once, under one Message-ID.

It never fakes the sink: a real SMTP server takes, refuses and drops.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Connection

from backend.archive.journal import Journal
from backend.archive.journal_queue import DAY_MS, journal_confirmed_at
from backend.archive.reconcile import Reconciliation, listed_ids, reconcile, send_again
from backend.archive.selection import COMMUNICATIONS, Selection, sealed_records
from backend.archive.sinks import SinkError, SinkSettings, add_sink, sink_named, stop_sink
from backend.delivery.files import DeliveryFiles
from backend.inbox.inbound import record_delete, record_edit, record_inbound
from tests.backend.archive.mail_server import Mailbox, mail_server, self_signed
from tests.backend.workspace import FIRM, HANA, Workspace, client_of, draft, submit
from tests.support.log_guard import LogGuard


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Yield a running SMTP server."""
    async with mail_server(Mailbox()) as running:
        yield running


def settings(mailbox: Mailbox, **changes: object) -> SinkSettings:
    """Return a sink at the server, without TLS: it is loopback."""
    known: dict[str, object] = {
        "name": "partner",
        "host": "127.0.0.1",
        "port": mailbox.port,
        "security": "none",
        "sender": "journal@firm.example",
        "recipients": ("intake@archive.example",),
        "domain": "im.firm.example",
    }
    return SinkSettings(**(known | changes))  # type: ignore[arg-type]  # told by each test


async def add(workspace: Workspace, said: SinkSettings) -> Journal:
    """Store a sink and return the journal that serves it."""
    database = workspace.services.database
    await database.write(lambda c: add_sink(c, FIRM, said, workspace.clock()))
    files = DeliveryFiles(database, workspace.services.blobs)
    return Journal(database, files.read, now=workspace.clock)


async def reconciled(
    workspace: Workspace, listed: frozenset[str] | None = None, name: str = "partner"
) -> Reconciliation:
    """Compare with a sink's list, or with its answers."""
    return await workspace.services.database.write(
        lambda c: reconcile(c, sink_named(c, name), listed, workspace.clock())
    )


def parse(mail: bytes) -> tuple[EmailMessage, str, EmailMessage]:
    """Return a report, its body and the original in it."""
    report = email.message_from_bytes(mail, policy=email.policy.default)
    assert isinstance(report, EmailMessage)
    body, attached = report.iter_parts()
    original = attached.get_content()
    assert isinstance(original, EmailMessage)
    return report, body.get_content(), original


async def test_report_names_the_parties_and_holds_the_original(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    await workspace.inbound("Grüße\n.und ein Punkt 長")
    await workspace.sealing.sealed()
    journal = await add(workspace, settings(mailbox))
    assert await journal.send_due() == 1
    report, body, original = parse(mailbox.mails[0])
    assert body.splitlines()[:3] == [
        "Sender: 819000000112@whatsapp.im.firm.example",
        "Subject: whatsapp: Hana Watanabe",
        f"Message-ID: {original['Message-ID']}",
    ]
    assert "To: emp-elena@employees.im.firm.example" in body
    assert original.get_content().replace("\r\n", "\n") == "Grüße\n.und ein Punkt 長\n"
    assert report["Message-ID"] == str(original["Message-ID"]).replace("<", "<report.")
    assert len(original.get_all("X-Parley-Entry-Id", [])) == 1
    assert mailbox.taken[0].rcpt_tos == ["intake@archive.example"]


async def test_submission_goes_with_its_file_and_outcome(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    first = await workspace.inbound("Hello")
    conversation_id = await workspace.conversation_of(first)
    async with client_of(workspace) as client:
        answer = await submit(client, conversation_id, draft("Good morning", clock=workspace.clock))
        assert answer.status_code in (201, 202)
    await workspace.sealing.sealed()
    journal = await add(workspace, settings(mailbox))
    await journal.send_due()
    _, body, original = parse(mailbox.mails[-1])
    assert original["X-Parley-Outcome"] == "sent"
    assert original["From"] == "Elena Marchetti <emp-elena@employees.im.firm.example>"
    assert "To: 819000000112@whatsapp.im.firm.example" in body


async def test_edit_and_deletion_follow_the_first_version(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    await workspace.inbound("First", external="ext-1")
    database, now = workspace.services.database, workspace.clock()

    def change(connection: Connection) -> None:
        record_edit(
            connection,
            account_id="acc-wa",
            external_message_id="ext-1",
            text="Second",
            occurred_at_utc_ms=now,
            received_at_utc_ms=now,
        )
        record_delete(
            connection,
            account_id="acc-wa",
            external_message_id="ext-1",
            occurred_at_utc_ms=now,
            received_at_utc_ms=now,
        )

    await database.write(change)
    await workspace.sealing.sealed()
    journal = await add(workspace, settings(mailbox))
    assert await journal.send_due() == 3
    originals = [parse(mail)[2] for mail in mailbox.mails]
    assert [mail["X-Parley-Kind"] for mail in originals] == ["message_in", "edited", "deleted"]
    assert {mail["In-Reply-To"] for mail in originals[1:]} == {originals[0]["Message-ID"]}
    assert "taken back" in originals[2].get_content()


async def test_refused_mail_is_tried_again_until_it_is_taken(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    await workspace.inbound("Try me")
    await workspace.sealing.sealed()
    journal = await add(workspace, settings(mailbox))
    mailbox.answers = ["554 no", "451 later"]
    assert await journal.send_due() == 0
    (missing,) = (await reconciled(workspace)).missing
    assert (missing.detail, missing.attempts) == ("smtp_554", 1)
    assert await journal.send_due() == 0, "it waits its turn"
    workspace.clock.at_utc_ms += 3_600_000
    assert await journal.send_due() == 0
    workspace.clock.at_utc_ms += 3_600_000
    assert await journal.send_due() == 1
    assert (await reconciled(workspace)).missing == ()


async def test_line_dropped_inside_data_loses_nothing(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    for number in range(3):
        await workspace.inbound(f"Message {number}")
    await workspace.sealing.sealed()
    journal = await add(workspace, settings(mailbox))
    mailbox.answers = ["", "drop"]
    assert await journal.send_due() == 1
    assert "partner takes no mail" in journal.problems[0]
    workspace.clock.at_utc_ms += 3_600_000
    assert await journal.send_due() == 2
    assert journal.problems == ()
    assert len({parse(mail)[0]["Message-ID"] for mail in mailbox.mails}) == 3


async def test_mail_taken_but_not_confirmed_comes_again_with_the_same_bytes(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    await workspace.inbound("Once or twice")
    await workspace.sealing.sealed()
    journal = await add(workspace, settings(mailbox))
    mailbox.answers = ["take_and_drop"]
    assert await journal.send_due() == 0
    workspace.clock.at_utc_ms += 3_600_000
    assert await journal.send_due() == 1
    first, second = mailbox.mails
    assert first == second


async def test_silent_sink_rests_and_health_names_it(workspace: Workspace) -> None:
    await workspace.inbound("Nobody listens")
    await workspace.sealing.sealed()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody else gets this port meanwhile
        gone = Mailbox(port=silent.getsockname()[1])
        journal = await add(workspace, settings(gone))
        assert await journal.send_due() == 0
    assert journal.problems == ("journal sink partner takes no mail: no_connection",)
    sink = await workspace.services.database.read(lambda c: sink_named(c, "partner"))
    assert (sink.failures, sink.retry_at_utc_ms > workspace.clock.at_utc_ms) == (1, True)


async def test_starttls_is_never_left_out(workspace: Workspace, mailbox: Mailbox) -> None:
    await workspace.inbound("In clear? No.")
    await workspace.sealing.sealed()
    journal = await add(workspace, settings(mailbox, security="starttls"))
    assert await journal.send_due() == 0
    assert mailbox.taken == []
    assert "starttls_not_offered" in journal.problems[0]


async def test_unsealed_entry_is_not_sent(workspace: Workspace, mailbox: Mailbox) -> None:
    await workspace.sealing.sealed()
    await workspace.sealing.pause()
    now = workspace.clock()
    await workspace.services.database.write(
        lambda c: record_inbound(
            c,
            account_id="acc-wa",
            external_message_id="ext-1",
            contact_point=HANA,
            sender_name="Hana Watanabe",
            text="Not yet",
            occurred_at_utc_ms=now,
            received_at_utc_ms=now,
        )
    )
    journal = await add(workspace, settings(mailbox))
    assert await journal.send_due() == 0
    workspace.sealing.go()
    await workspace.sealing.sealed()
    assert await journal.send_due() == 1


async def test_reconciliation_finds_what_the_sink_lost(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    for number in range(3):
        await workspace.inbound(f"Message {number}")
    await workspace.sealing.sealed()
    journal = await add(workspace, settings(mailbox))
    await journal.send_due()
    reports = [parse(mail) for mail in mailbox.mails]
    csv = f"id,when\n{reports[0][0]['Message-ID']},1\n{reports[1][2]['Message-ID']},2\n<x@y.z>,3\n"
    found = await reconciled(workspace, listed_ids(csv))
    assert (found.confirmed, found.foreign) == (2, 1)
    (missing,) = found.missing
    assert missing.mail_id == reports[2][0]["Message-ID"]
    again = await workspace.services.database.write(
        lambda c: send_again(c, sink_named(c, "partner"), found.missing)
    )
    assert again == 1
    assert await journal.send_due() == 1
    assert mailbox.mails[3] == mailbox.mails[2]


async def test_mail_too_old_for_the_sink_is_named_not_sent(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    await workspace.inbound("Old")
    await workspace.sealing.sealed()
    workspace.clock.at_utc_ms += 31 * DAY_MS
    journal = await add(workspace, settings(mailbox, max_age_days=30))
    assert await journal.send_due() == 0
    (missing,) = (await reconciled(workspace)).missing
    assert (missing.state, missing.too_old_to_send, missing.age_days) == ("too_old", True, 31)


async def test_each_participant_gets_a_copy_of_the_original(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    await workspace.inbound("For mailboxes")
    await workspace.sealing.sealed()
    said = settings(
        mailbox,
        form="original",
        per_participant=True,
        recipients=("{participant}@import.firm.example",),
    )
    journal = await add(workspace, said)
    taken = await journal.send_due()
    receivers = {mail.rcpt_tos[0] for mail in mailbox.taken}
    assert taken == len(receivers) > 1
    assert "emp-elena@import.firm.example" in receivers
    mails = [email.message_from_bytes(mail, policy=email.policy.default) for mail in mailbox.mails]
    assert len({mail["Message-ID"] for mail in mails}) == taken
    assert all(mail["From"] and mail["To"] and mail["Date"] for mail in mails)


async def test_two_sinks_are_served_apart_and_the_slower_one_decides(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    await workspace.inbound("Twice")
    await workspace.sealing.sealed()
    async with mail_server(Mailbox(refuse="451 full")) as other:
        await add(workspace, settings(other, name="other"))
        journal = await add(workspace, settings(mailbox))
        assert await journal.send_due() == 1
        database = workspace.services.database
        (record,) = await database.read(
            lambda c: sealed_records(c, Selection(kinds=COMMUNICATIONS), 10)
        )
        assert await database.read(lambda c: journal_confirmed_at(c, record.entry_id)) is None
        other.refuse = ""
        workspace.clock.at_utc_ms += 3_600_000
        assert await journal.send_due() == 1
        assert await database.read(lambda c: journal_confirmed_at(c, record.entry_id))


async def test_stopped_sink_gets_nothing_more(workspace: Workspace, mailbox: Mailbox) -> None:
    journal = await add(workspace, settings(mailbox))
    await workspace.inbound("Too late")
    await workspace.sealing.sealed()
    assert await workspace.services.database.write(lambda c: stop_sink(c, "partner"))
    assert await journal.send_due() == 0


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"port": 0}, "port"),
        ({"recipients": ()}, "recipient"),
        ({"sender": "nobody"}, "addresses"),
        ({"recipients": ("a@b.example\r\nBcc: c@d.example",)}, "addresses"),
        ({"domain": "no dots"}, "domain"),
        ({"password": "secret"}, "TLS"),
        ({"per_participant": True}, "original form"),
        ({"recipients": ("{participant}@b.example",)}, "each participant"),
    ],
)
async def test_sink_that_can_not_work_is_refused(
    workspace: Workspace, mailbox: Mailbox, changes: dict[str, object], fault: str
) -> None:
    with pytest.raises(SinkError, match=fault):
        await add(workspace, settings(mailbox, **changes))


async def test_starttls_checks_the_servers_certificate(
    workspace: Workspace, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log("SMTP session exception", logger="mail.log")
    await workspace.inbound("Sealed envelope")
    certificate, context = self_signed(tmp_path)
    async with mail_server(Mailbox(), context) as secured:
        stranger = await add(workspace, settings(secured, name="stranger", security="starttls"))
        assert await stranger.send_due() == 0
        assert "tls_failed" in stranger.problems[0]
        await workspace.services.database.write(lambda c: stop_sink(c, "stranger"))
        known = settings(secured, security="starttls", ca_file=str(certificate))
        journal = await add(workspace, known)
        assert await journal.send_due() == 1


async def test_running_journal_sends_what_is_sealed_meanwhile(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    journal = await add(workspace, settings(mailbox))
    running = asyncio.create_task(journal.run())
    try:
        for number in range(3):
            await workspace.inbound(f"Message {number}")
        async with asyncio.timeout(60):
            while len(mailbox.taken) < 3:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert len(set(mailbox.mails)) == 3


async def test_cancelled_journal_does_not_wait_for_a_silent_server(
    workspace: Workspace, mailbox: Mailbox
) -> None:
    await workspace.inbound("Hanging")
    journal = await add(workspace, settings(mailbox))
    mailbox.answers = ["take_and_wait"]
    threads = ThreadPoolExecutor(max_workers=1)
    asyncio.get_running_loop().set_default_executor(threads)
    running = asyncio.create_task(journal.run())
    async with asyncio.timeout(60):
        await mailbox.waiting.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.to_thread(int)  # the one thread is free again
