"""Proofs of the way in: nothing lost, nothing doubled, nothing hidden.

It never reaches a real channel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from backend.archive.verify import verify_archive
from backend.channels.contract import Account, RawItem
from backend.channels.sandbox.peer import Utterance
from backend.delivery.accounts import governed_accounts
from backend.delivery.optout import opts_out
from backend.delivery.pump import store_raw
from backend.storage.supervision_tables import optout_confirmations
from backend.storage.tables import (
    archive_entries,
    attachments,
    consents,
    inbound_raw,
    messages,
    reactions,
)
from contract.states import DeliveryState
from contract.wire import MessageKind
from tests.backend.delivery.harness import House, house

MARCUS: dict[str, Any] = {"id_type": "phone", "address": "+4915100000231", "name": "Marcus Feld"}
GRETA: dict[str, Any] = {"id_type": "mxid", "address": "@greta:sommer.example", "name": ""}


def _message(external_id: str, text: str, sender: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "message",
        "dedupe_key": external_id,
        "at_utc_ms": 1_795_000_000_000,
        "sender": sender,
        "external_id": external_id,
        "text": text,
    }


async def _row(h: House, text: str) -> Any:
    query = select(messages).where(messages.c.text == text)
    return await h.until(lambda c: c.execute(query).first())


async def test_client_message_is_archived_shown_and_counted_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        for _ in range(3):
            await h.happens("acc-wa", _message("w1", "said thrice", MARCUS))
        await h.happens("acc-wa", _message("w2", "the last", MARCUS))
        await _row(h, "the last")
        count = select(func.count()).where(messages.c.text == "said thrice")
        assert await h.read(lambda c: c.execute(count).scalar()) == 1
        assert (await h.read(verify_archive)).ok


async def test_file_of_a_client_is_fetched_before_the_message_is_recorded(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        account = (await h.read(_accounts))["acc-wa"]
        utterance = Utterance(
            address=MARCUS["address"],
            id_type="phone",
            name="Marcus Feld",
            text="the form",
            files=(("form.txt", "text/plain", b"signed"),),
        )
        await h.peer.say(account, utterance)
        row = await _row(h, "the form")
        found = await h.read(lambda c: _files(c, row.message_id))
        assert found == [("form.txt", 6)]


async def test_names_a_client_chose_are_made_fit_to_be_shown_and_saved(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        account = (await h.read(_accounts))["acc-wa"]
        utterance = Utterance(
            address="+15550002222",
            id_type="phone",
            name="Bank\u202e \u200bof <b>Aare</b>",
            text="see the form",
            files=(("../..\\\u202efdp.exe", "text/html\r\nSet-Cookie: a=b", b"MZ"),),
        )
        await h.peer.say(account, utterance)
        row = await _row(h, "see the form")
        assert row.author_name == "Bank of <b>Aare</b>"
        assert await h.read(lambda c: _files(c, row.message_id)) == [("_._.._fdp.exe", 2)]
        media_type = select(attachments.c.media_type).where(
            attachments.c.message_id == row.message_id
        )
        assert await h.read(lambda c: c.execute(media_type).scalar()) == "application/octet-stream"


async def test_unknown_event_is_archived_and_shown_as_unsupported(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        poll = _message("w3", "", MARCUS) | {"type": "poll"}
        await h.happens("acc-wa", poll)
        row = await _row(h, "poll")
        assert row.kind == MessageKind.UNSUPPORTED


async def test_edit_reaction_and_deletion_follow_the_message(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.happens("acc-matrix", _message("m1", "at four", GRETA))
        base = {"at_utc_ms": 1_795_000_100_000, "sender": GRETA, "external_id": "m1"}
        await h.happens(
            "acc-matrix", base | {"type": "edited", "dedupe_key": "e1", "text": "at five"}
        )
        row = await _row(h, "at five")
        await h.happens(
            "acc-matrix", base | {"type": "reaction", "dedupe_key": "r1", "emoji": "👍"}
        )
        emoji = select(reactions.c.emoji).where(reactions.c.message_id == row.message_id)
        await h.until(lambda c: c.execute(emoji).scalar())
        await h.happens("acc-matrix", base | {"type": "deleted", "dedupe_key": "d1"})
        gone = select(messages.c.deleted).where(messages.c.message_id == row.message_id)
        await h.until(lambda c: c.execute(gone).scalar())
        kinds = select(archive_entries.c.kind).where(archive_entries.c.message_id == row.message_id)
        assert await h.read(lambda c: list(c.execute(kinds).scalars())) == [
            "message_in",
            "edited",
            "reaction",
            "deleted",
        ]


async def test_client_changes_neither_our_words_nor_those_of_another_chat(tmp_path: Path) -> None:
    mallory = {"id_type": "mxid", "address": "@mallory:evil.example", "name": "Mallory"}
    async with house(tmp_path) as h:
        ours = await h.submit(await h.chat("con-greta", "matrix"), "we sell nothing")
        sent = await h.until_state(ours, DeliveryState.DELIVERED, DeliveryState.READ)
        await h.happens("acc-matrix", _message("m1", "at four", GRETA))
        hers = await _row(h, "at four")
        base = {"type": "edited", "at_utc_ms": 1_795_000_100_000, "text": "forged"}
        for number, (external_id, sender) in enumerate(
            ((sent.external_id, GRETA), ("m1", mallory)), start=1
        ):
            event = base | {"external_id": external_id, "sender": sender}
            await h.happens("acc-matrix", event | {"dedupe_key": f"f{number}"})
            await h.happens("acc-matrix", event | {"type": "deleted", "dedupe_key": f"g{number}"})
        unmatched = select(func.count()).where(archive_entries.c.kind == "unmatched")
        await h.until(lambda c: c.execute(unmatched).scalar() == 4)
        assert [(await h.row(ours)).text, (await h.row(ours)).deleted] == ["we sell nothing", False]
        row = await h.row(hers.message_id)
        assert (row.text, row.deleted) == ("at four", False)


async def test_quote_shows_nothing_of_another_chat(tmp_path: Path) -> None:
    stranger = {"id_type": "mxid", "address": "@mallory:evil.example", "name": "Mallory"}
    async with house(tmp_path) as h:
        await h.happens("acc-matrix", _message("m1", "for Greta's eyes", GRETA))
        await _row(h, "for Greta's eyes")
        said = _message("m2", "what was that?", stranger) | {"quote_external_id": "m1"}
        await h.happens("acc-matrix", said)
        assert (await _row(h, "what was that?")).quote_message_id is None


async def test_stop_by_text_message_opts_the_client_out(tmp_path: Path) -> None:
    stranger = {"id_type": "phone", "address": "+15550001111", "name": "Ada"}
    async with house(tmp_path) as h:
        await h.happens("acc-sms", _message("s1", "Stop.", stranger))
        row = await _row(h, "Stop.")
        status = select(consents.c.status).where(
            consents.c.contact_id == row.author_id, consents.c.channel == "sms"
        )
        assert await h.until(lambda c: set(c.execute(status).scalars())) == {"opted_out"}


async def test_opt_out_is_confirmed_once_to_the_client(tmp_path: Path) -> None:
    stranger = {"id_type": "phone", "address": "+41790009999", "name": ""}
    async with house(tmp_path) as h:
        await h.happens("acc-sms", _message("s1", "STOP", stranger))
        confirmation = select(optout_confirmations.c.message_id)
        message_id = await h.until(lambda c: c.execute(confirmation).scalar())
        await h.until_state(str(message_id), DeliveryState.SENT, DeliveryState.DELIVERED)
        await h.happens("acc-sms", _message("s2", "stop it", stranger))
        await h.happens("acc-sms", _message("s3", "Unsubscribe", stranger))
        await _row(h, "Unsubscribe")
        (told,) = await h.received()
        assert "unsubscribed" in told
        assert len(await h.read(lambda c: c.execute(confirmation).all())) == 1
        assert (await h.read(verify_archive)).ok


async def test_message_of_a_group_names_who_speaks_and_stays_in_the_group(tmp_path: Path) -> None:
    dana = {"id_type": "user_id", "address": "42", "name": "Dana Ortiz"}
    async with house(tmp_path) as h:
        said = _message("t1", "All signed", dana) | {"chat": "-1001900000077"}
        await h.happens("acc-telegram", said)
        row = await _row(h, "All signed")
        assert row.author_name == "Dana Ortiz"
        assert row.conversation_id == await h.chat("con-ardent", "telegram")


def test_words_that_opt_out() -> None:
    for text in ("STOP", " stop! ", "Opt-out", "unsubscribe", "Please stop texting me"):
        assert opts_out(text), text
    for text in ("The stop loss is at 90", "end of month is fine", "cancel the lunch"):
        assert not opts_out(text), text


async def test_raw_bytes_left_by_a_crash_are_read_at_the_next_start(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        account = (await h.read(_accounts))["acc-wa"]
    # Between the commit of the bytes and their reading: only the store ran.
    async with house(tmp_path) as h:
        await h.runtime.stop_delivery()
        item = RawItem(
            dedupe_key="crash:1",
            body=b'{"type":"message","dedupe_key":"c1","at_utc_ms":5,"external_id":"c1",'
            b'"text":"after the crash","sender":{"id_type":"phone","address":"+4915100000231"}}',
        )
        for _ in range(2):
            await h.write(lambda c: store_raw(c, account, [item], "crash:1", 1_795_000_000_000))
        rows = select(func.count()).where(inbound_raw.c.parsed.is_(False))
        assert await h.read(lambda c: c.execute(rows).scalar()) == 1
    async with house(tmp_path) as h:
        await _row(h, "after the crash")


async def test_receipt_that_is_faster_than_our_commit_is_not_lost(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.happens(
            "acc-signal",
            {
                "type": "receipt",
                "dedupe_key": "x:read",
                "at_utc_ms": 1_795_000_000_000,
                "sender": {"id_type": "uuid", "address": "?"},
                "state": "read",
                "external_id": "not yet known",
            },
        )
        waiting = select(inbound_raw.c.dedupe_key).where(inbound_raw.c.parsed.is_(False))
        await h.until(lambda c: c.execute(waiting).first())
        # Others are not held up by it.
        message_id = await h.submit(await h.chat("con-sofia", "signal"), "hello")
        await h.until_state(message_id, DeliveryState.READ)


def _accounts(connection: Connection) -> dict[str, Account]:
    return {account.account_id: account for account in governed_accounts(connection)}


def _files(connection: Connection, message_id: str) -> list[tuple[str, int]]:
    rows = connection.execute(
        select(attachments.c.name, attachments.c.size_bytes).where(
            attachments.c.message_id == message_id
        )
    )
    return [(row.name, row.size_bytes) for row in rows]
