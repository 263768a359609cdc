"""What an employee changes about messages that are out reaches the client's phone, archived first.

It never stops a vendor or a backend: the sandbox is asked for its faults.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, select

from backend.archive.entries import entries_of_message
from backend.archive.projection_audit import audit_messages
from backend.directory.people import read_me
from backend.inbox.changing import edit, queue_read, react, take_back
from backend.inbox.idempotency import CommandKey, Reply
from backend.inbox.submission import Submission
from backend.refusals import Refused
from backend.services import system_clock_utc_ms
from backend.storage.change_tables import message_changes
from backend.storage.tables import messages
from contract.changes import SetReaction, TakeBack
from contract.ids import MessageId, idempotency_key
from contract.states import DeliveryState
from contract.wire import Me, Message, SubmitMessage, Submitted
from tests.backend.delivery.harness import House, house

OUT = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.ACCEPTED)
CARD = "My card is 4111 1111 1111 1111."


async def edited(
    home: House, message_id: MessageId, text: str, revision: int = 1, quote: str | None = None
) -> Reply:
    """Edit a message as the app would."""
    now_utc_ms = system_clock_utc_ms()
    command = msgspec.convert(
        {
            "message_id": message_id,
            "revision": revision,
            "text": text,
            "salt": os.urandom(32).hex(),
            "composed_at_utc_ms": now_utc_ms,
            "quote_message_id": quote,
        },
        SubmitMessage,
    )
    key = CommandKey.of(idempotency_key(message_id, revision), "", text.encode())
    policy = home.runtime.workspace.policy
    submission = Submission("", command, key)
    return await home.write(lambda c: edit(c, policy, elena(c), submission, now_utc_ms))


def elena(connection: Connection) -> Me:
    """Return the employee who writes."""
    me = read_me(connection, "emp-em")
    assert me is not None
    return me


async def taken_back(home: House, message_id: MessageId) -> Message:
    """Take a message back as the app would, whatever its revision is by now."""
    now = system_clock_utc_ms()
    command = TakeBack(revision=1_000, asked_at_utc_ms=now)
    return await home.write(lambda c: take_back(c, elena(c), message_id, command, now))


async def reacted(home: House, message_id: MessageId, emoji: str) -> Message:
    """Set a reaction as the app would."""
    command, now = SetReaction(emoji=emoji, asked_at_utc_ms=1), system_clock_utc_ms()
    return await home.write(lambda c: react(c, elena(c), message_id, command, now))


async def settled(home: House) -> dict[str, str]:
    """Wait until nothing is to be told; return the state of each change."""

    def look(connection: Connection) -> dict[str, str]:
        rows = connection.execute(select(message_changes.c.kind, message_changes.c.state)).all()
        if any(row.state == "ready" for row in rows):
            return {}
        return {row.kind: row.state for row in rows}

    return await home.until(look)


async def line_of(home: House, row_of: Callable[[dict[str, object]], bool]) -> dict[str, object]:
    """Return the newest line on a client's phone that fits."""
    return next(row for row in reversed(await home.peer.phones()) if row_of(row))


async def test_edit_is_archived_then_shown_to_the_client(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        message_id = await home.submit(await home.chat("con-sofia", "signal"), "Frist words")
        await home.until_state(message_id, *OUT)
        reply = await edited(home, message_id, "First words")
        assert reply.status == 202
        shown = msgspec.json.decode(reply.body, type=Submitted).message
        assert (shown.text, shown.revision, shown.versions_archived) == ("First words", 1, 2)
        assert await settled(home) == {"edit": "done"}
        row = await line_of(home, lambda each: str(each["text"]).endswith("words"))
        assert row["text"] == "First words"
        entries = await home.read(lambda c: entries_of_message(c, message_id))
        bodies = [entry.body or b"" for entry in entries if entry.kind in ("message_out", "edited")]
        assert b"Frist words" in bodies[0]
        assert b"First words" in bodies[1]
        assert await home.read(lambda c: audit_messages(c) > 0)


async def test_forbidden_edit_is_archived_and_changes_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        message_id = await home.submit(await home.chat("con-sofia", "signal"), "All is well")
        await home.until_state(message_id, *OUT)
        reply = await edited(home, message_id, CARD)
        assert reply.status == 403
        assert b"policy_denied" in reply.body
        assert (await home.row(message_id)).text == "All is well"
        kinds = [
            entry.kind for entry in await home.read(lambda c: entries_of_message(c, message_id))
        ]
        assert "edit_refused" in kinds
        assert (await edited(home, message_id, "All is very well", 2)).status == 202
        assert await settled(home) == {"edit": "done"}
        assert await home.read(lambda c: audit_messages(c) > 0)


async def test_taken_back_message_leaves_the_phone_and_stays_in_the_archive(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        message_id = await home.submit(await home.chat("con-sofia", "signal"), "Not this")
        await home.until_state(message_id, *OUT)
        assert (await taken_back(home, message_id)).deleted
        assert await settled(home) == {"delete": "done"}
        assert (await line_of(home, lambda each: each["text"] == "Not this"))["deleted"]
        entries = await home.read(lambda c: entries_of_message(c, message_id))
        assert any(b"Not this" in (entry.body or b"") for entry in entries)
        with pytest.raises(Refused, match="does not have this message"):
            await edited(home, message_id, "Again", 5)
        assert await home.read(lambda c: audit_messages(c) > 0)


async def test_reaction_and_read_mark_reach_the_client(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        chat = await home.chat("con-sofia", "signal")
        newest = select(messages.c.message_id).where(
            messages.c.conversation_id == chat,
            messages.c.direction == "in",
            messages.c.external_id.is_not(None),
        )
        said = await home.read(
            lambda c: (
                c.execute(newest.order_by(messages.c.place_at_utc_ms.desc())).scalars().first()
            )
        )
        assert said is not None
        message_id = MessageId(said)
        shown = await reacted(home, message_id, "👍")
        assert [(each.emoji, each.mine) for each in shown.reactions] == [("👍", True)]
        await home.write(lambda c: queue_read(c, chat, system_clock_utc_ms()))
        await home.write(lambda c: queue_read(c, chat, system_clock_utc_ms()))
        states = await settled(home)
        assert set(states) == {"react", "read"}
        for words in ("<b>words</b>", "🅱🆄🆈", "👍👍", "ok"):
            with pytest.raises(Refused, match="one emoji"):
                await reacted(home, message_id, words)
        for one in ("👩\u200d👩\u200d👧", "👍🏽", "🇨🇭", "❤️"):
            assert (await reacted(home, message_id, one)).reactions[0].emoji == one
        assert not (await reacted(home, message_id, "")).reactions


async def test_vendor_that_refuses_is_told_in_words(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        message_id = await home.submit(await home.chat("con-sofia", "signal"), "Good morning")
        row = await home.until_state(message_id, *OUT)
        account = home.sandbox.accounts[row.account_id]
        await home.peer.change(account, row.external_id, "text", "Good morning")
        await home.write(
            lambda c: c.exec_driver_sql(
                "UPDATE messages SET external_id = 'gone' WHERE message_id = ?", (message_id,)
            )
        )
        await edited(home, message_id, "Good evening")
        assert await settled(home) == {"edit": "failed"}
        assert (await home.row(message_id)).change_note == (
            "The client still sees the earlier words. The message is no longer on the channel."
        )


async def test_channel_without_edits_refuses_them(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        message_id = await home.submit(await home.chat("con-hana", "line"), "Good morning")
        await home.until_state(message_id, *OUT)
        with pytest.raises(Refused, match="does not let a sent message be changed"):
            await edited(home, message_id, "Good evening")
