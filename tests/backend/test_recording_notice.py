"""Clients are told of recording, or asked, at the first contact; what they answer is archived.

It never fakes a part: events are applied to the real encrypted database.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, select, update

from backend.archive.projection_audit import audit_messages
from backend.channels import events
from backend.channels.contract import Account
from backend.delivery.applying import apply_event
from backend.delivery.optout import opt_out_source
from backend.directory.account_changes import change_account
from backend.directory.consent_answers import Answer, answer_in
from backend.directory.consent_texts import add_text, shipped_texts, text_for
from backend.governance.consent_first import RULE_ID
from backend.governance.stops import stop_if_forbidden
from backend.storage import tables
from contract.ids import AccountId, MessageId
from contract.problems import Problem
from contract.states import DeliveryState
from contract.wire import Channel, ConsentKind, Conversation, IdempotencyClass
from tests.backend.workspace import (
    FIRM,
    POLICY,
    Workspace,
    client_of,
    draft,
    open_workspace,
    submit,
)

LANGUAGES = {"en", "de", "fr", "it", "es", "pt", "ja", "zh-Hans", "zh-Hant"}
ACCOUNT = Account(
    account_id=AccountId("acc-signal"),
    channel=Channel.SIGNAL,
    connector="sandbox",
    idempotency=IdempotencyClass.NONE,
)


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace with a Signal account for clients nobody knows."""
    async with open_workspace(tmp_path) as opened:
        yield opened


async def ask_by(workspace: Workspace, mode: str, **changes: object) -> None:
    """Set how the account treats clients at the first contact."""
    await workspace.services.database.write(
        lambda c: change_account(
            c, "acc-signal", "admin", workspace.clock(), consent_mode=mode, **changes
        )
    )


async def says(workspace: Workspace, text: str, *, who: str = "client-1", chat: str = "") -> str:
    """Have a client write; returns the conversation."""
    now = workspace.clock()
    event = events.MessageIn(
        dedupe_key=f"d{now}",
        at_utc_ms=now,
        sender=events.Sender(id_type="uuid", address=who, name="Anna"),
        external_id=f"x{now}",
        text=text,
        chat=chat,
    )
    words = functools.partial(opt_out_source, POLICY.server)
    await workspace.services.database.write(
        lambda c: apply_event(c, ACCOUNT, event, (), now, now, words)
    )
    await workspace.sealing.sealed()
    found = f"SELECT conversation_id FROM messages WHERE external_id = 'x{now}'"
    return str(await workspace.scalar(found))


async def went_out(workspace: Workspace) -> list[str]:
    """Return the texts queued for clients, oldest first."""
    sql = "SELECT text FROM messages WHERE direction = 'out' ORDER BY place_index"
    return await workspace.services.database.read(
        lambda c: [str(row[0]) for row in c.exec_driver_sql(sql)]
    )


async def consent(workspace: Workspace) -> tuple[str, str]:
    """Return status and version of the recording notice on the channel."""
    columns = tables.consents.c
    query = select(columns.status, columns.text_version).where(
        columns.kind == ConsentKind.RECORDING.value, columns.channel == Channel.SIGNAL.value
    )
    row = await workspace.services.database.read(lambda c: c.execute(query).one_or_none())
    return ("", "") if row is None else (row.status, row.text_version)


async def try_to_write(workspace: Workspace, home: str) -> tuple[int, str]:
    """Submit a message; returns the status and the first finding's rule."""
    async with client_of(workspace) as elena:
        answer = await submit(elena, home, draft("Hello Anna", clock=workspace.clock))
    if answer.status_code < 300:
        return answer.status_code, ""
    return answer.status_code, msgspec.json.decode(answer.content, type=Problem).findings[0].rule_id


def test_texts_come_in_every_language_and_wait_for_counsel() -> None:
    for kind in ("notice", "opt_in"):
        found = [text for text in shipped_texts() if text.kind == kind]
        assert {text.language for text in found} == LANGUAGES
        assert all("{firm}" in text.body and text.review for text in found)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("YES!", Answer.ACCEPTED),
        ("Sì", Answer.ACCEPTED),
        ("同意", Answer.ACCEPTED),
        ("不同意", Answer.REFUSED),
        ("Nein, danke", Answer.REFUSED),
        ("Yes, but call me first", None),
        ("START", Answer.AGAIN),
    ],
)
def test_an_answer_is_the_whole_message(said: str, meant: Answer | None) -> None:
    assert answer_in(said) is meant


async def test_notice_goes_once_in_the_clients_language(workspace: Workspace) -> None:
    await ask_by(workspace, "notice")
    home = await says(workspace, "お世話になっております")
    (notice,) = await went_out(workspace)
    assert "記録" in notice
    assert "Test firm" in notice
    assert await consent(workspace) == ("notified", "notice/all/ja/shipped-1")
    await says(workspace, "はい")
    assert len(await went_out(workspace)) == 1
    assert (await consent(workspace))[0] == "notified"
    assert await try_to_write(workspace, home) == (201, "")
    assert await workspace.services.database.read(audit_messages) == 4


async def test_nothing_but_the_question_goes_out_before_it_is_accepted(
    workspace: Workspace,
) -> None:
    await ask_by(workspace, "opt_in", language="de")
    home = await says(workspace, "Guten Tag")
    (question,) = await went_out(workspace)
    assert "JA" in question
    assert await try_to_write(workspace, home) == (403, RULE_ID)
    async with client_of(workspace) as elena:
        read = await elena.get(f"/v1/conversations/{home}")
        talk = msgspec.json.decode(read.content, type=Conversation)
    assert (talk.consent_first, talk.awaiting, "pending" in talk.tags) == (True, True, True)
    assert await workspace.scalar("SELECT count(*) FROM jobs") == 1
    await says(workspace, "Ja, gerne")
    assert await consent(workspace) == ("accepted", "opt_in/all/de/shipped-1")
    assert await try_to_write(workspace, home) == (201, "")
    body = await workspace.services.database.read(_last_consent)
    assert (body["status"], body["text_version"]) == ("accepted", "opt_in/all/de/shipped-1")


def _last_consent(connection: Connection) -> dict[str, str]:
    sql = (
        "SELECT b.body FROM archive_bodies b JOIN archive_entries e USING (entry_id)"
        " WHERE e.kind = 'consent' ORDER BY e.sequence DESC LIMIT 1"
    )
    return msgspec.json.decode(connection.exec_driver_sql(sql).scalar_one(), type=dict[str, str])


async def test_the_question_itself_is_let_through_and_what_waits_is_stopped_by_a_refusal(
    workspace: Workspace,
) -> None:
    await ask_by(workspace, "opt_in")
    home = await says(workspace, "Hello")
    await says(workspace, "Yes")
    assert await try_to_write(workspace, home) == (201, "")
    question, waits = await workspace.services.database.read(
        lambda c: [
            MessageId(row[0])
            for row in c.exec_driver_sql("SELECT message_id FROM jobs ORDER BY lane_order")
        ]
    )
    await workspace.services.database.write(_asked_again)
    await says(workspace, "NO")
    assert (await consent(workspace))[0] == "refused"
    state = f"SELECT state FROM messages WHERE message_id = '{waits}'"
    assert await workspace.scalar(state) == DeliveryState.FAILED
    stopped = await workspace.services.database.write(
        lambda c: stop_if_forbidden(c, POLICY, question, workspace.clock())
    )
    assert not stopped
    assert await try_to_write(workspace, home) == (403, RULE_ID)


def _asked_again(connection: Connection) -> None:
    columns = tables.consents.c
    connection.execute(
        update(tables.consents)
        .where(columns.kind == ConsentKind.RECORDING.value)
        .values(status="pending")
    )


async def test_opting_out_goes_first_and_start_asks_anew(workspace: Workspace) -> None:
    await ask_by(workspace, "opt_in")
    home = await says(workspace, "STOP")
    (confirmation,) = await went_out(workspace)
    assert "unsubscribed" in confirmation
    assert (await try_to_write(workspace, home))[0] == 403
    await says(workspace, "yes")
    assert (await consent(workspace))[0] == "opted_out"
    await says(workspace, "START")
    assert "YES" in (await went_out(workspace))[-1]
    assert (await consent(workspace))[0] == "pending"


async def test_first_word_of_the_employee_brings_the_question_and_is_refused(
    workspace: Workspace,
) -> None:
    home = await says(workspace, "Hello")
    await ask_by(workspace, "opt_in")
    assert await try_to_write(workspace, home) == (403, RULE_ID)
    assert "YES" in (await went_out(workspace))[0]
    assert await workspace.scalar("SELECT count(*) FROM jobs") == 1


async def test_groups_are_neither_asked_nor_written_to_where_clients_are_asked_first(
    workspace: Workspace,
) -> None:
    await ask_by(workspace, "opt_in")
    home = await says(workspace, "Hello all", chat="group-1")
    await says(workspace, "yes", chat="group-1")
    assert not await went_out(workspace)
    assert await try_to_write(workspace, home) == (403, RULE_ID)
    assert (await consent(workspace))[0] != "accepted"
    assert len(await went_out(workspace)) == 1  # the refused text, kept as refused


async def test_a_firms_own_text_counts_before_the_shipped_one_and_versions_only_grow(
    workspace: Workspace,
) -> None:
    def add(connection: Connection) -> list[str]:
        made = []
        for body in ("{firm} records this.", "{firm} keeps this."):
            made.append(
                add_text(
                    connection,
                    FIRM,
                    kind="notice",
                    channel=Channel.SIGNAL,
                    language="en",
                    body=body,
                    review="",
                    actor_id="counsel",
                    now_utc_ms=workspace.clock(),
                ).version_id
            )
        return made

    made = await workspace.services.database.write(add)
    assert made == ["notice/signal/en/1", "notice/signal/en/2"]
    for channel, language, wanted in (
        (Channel.SIGNAL, "en", "notice/signal/en/2"),
        (Channel.SMS, "en", "notice/all/en/shipped-1"),
        (Channel.SIGNAL, "de-CH", "notice/all/de/shipped-1"),
        (Channel.SIGNAL, "zh", "notice/all/zh-Hans/shipped-1"),
        (Channel.SIGNAL, "zh-TW", "notice/all/zh-Hant/shipped-1"),
        (Channel.SIGNAL, "tr", "notice/signal/en/2"),
    ):
        look = functools.partial(
            text_for, firm_id=FIRM, kind="notice", channel=channel, language=language
        )
        assert (await workspace.services.database.read(look)).version_id == wanted
