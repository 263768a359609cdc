"""Tests that answers to findings travel with their text, across crashes and older files.

They never change the old file: each test works on a copy.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from app.domain.drafts import Draft
from app.domain.submission import submission_of
from app.store.cipher import connect
from app.store.salvage import salvage_outbox
from contract.ids import ConversationId, MessageId
from contract.states import OutboxState
from tests.app.store.values import HOME, OUTBOX_KEY, entry, open_at

_OLD_FILE = Path(__file__).parent / "files" / "outbox-version-2.db"
_ANSWERED = {
    "justification": "ticket 4411",
    "acknowledged": ("conduct.gift",),
    "false_positives": ("identifiers.iban",),
}


def _old_store(folder: Path) -> Path:
    folder.mkdir()
    shutil.copyfile(_OLD_FILE, folder / "outbox.db")
    return folder


async def test_a_genuine_file_of_version_2_keeps_its_sends_and_drafts(tmp_path: Path) -> None:
    store = await open_at(_old_store(tmp_path / "store"))
    first, second = await store.outbox.list_waiting()
    assert (first.text, first.justification, first.hint_json) == (
        "Bonjour",
        "ticket 4411",
        b'{"a":1}',
    )
    assert (second.text, second.state) == ("次の文", OutboxState.REFUSED)
    assert first.acknowledged == first.false_positives == () and first.template_id == ""
    draft = await store.drafts.get(HOME)
    assert draft is not None and draft.text == "half a sentence 😀"
    assert draft.attachment_ids == ("file-1",) and draft.quote_message_id == "q"
    assert await store.archive.get("tree") == b"t"
    await store.drafts.save(replace(draft, justification="because"))
    assert store.notices == ()
    await store.close()
    store = await open_at(tmp_path / "store")
    draft = await store.drafts.get(HOME)
    assert draft is not None and draft.justification == "because"
    await store.close()


def test_a_damaged_file_of_version_2_is_salvaged_into_todays_columns(tmp_path: Path) -> None:
    folder = _old_store(tmp_path / "store")
    with (folder / "outbox.db").open("r+b") as file:
        file.seek(4096 * 15)
        file.write(b"\0" * 4096)
    salvage = salvage_outbox(folder / "outbox.db", OUTBOX_KEY, "20261121T000000Z")
    assert salvage.submissions.read_count == 2 and salvage.drafts.read_count == 1


async def test_answers_of_a_draft_and_of_a_send_survive_a_restart(tmp_path: Path) -> None:
    store = await open_at(tmp_path)
    typed = Draft(HOME, "guaranteed", **_ANSWERED, template_id="t-1")  # type: ignore[arg-type] # mixed
    await store.drafts.save(typed)
    sent = replace(entry("w"), **_ANSWERED, template_id="t-1")  # type: ignore[arg-type] # mixed
    await store.outbox.add(sent)
    await store.close()
    store = await open_at(tmp_path)
    assert await store.drafts.get(HOME) == typed
    kept = await store.outbox.get(MessageId("w"))
    assert kept == sent
    command = submission_of(sent)
    assert (command.justification, command.acknowledged) == ("ticket 4411", ("conduct.gift",))
    assert (command.false_positives, command.template_id) == (("identifiers.iban",), "t-1")
    await store.close()


async def test_a_send_taken_back_gives_its_answers_back_to_the_draft(tmp_path: Path) -> None:
    store = await open_at(tmp_path)
    await store.outbox.add(replace(entry("w"), **_ANSWERED))  # type: ignore[arg-type] # mixed
    await store.outbox.cancel(MessageId("w"))
    draft = await store.drafts.get(HOME)
    assert draft is not None
    assert (draft.justification, draft.acknowledged) == ("ticket 4411", ("conduct.gift",))
    assert draft.false_positives == ("identifiers.iban",)
    await store.close()


async def test_a_moved_draft_joins_what_is_there_and_leaves_its_answers_behind(
    tmp_path: Path,
) -> None:
    there = ConversationId("there")
    store = await open_at(tmp_path)
    await store.drafts.save(Draft(HOME, "second", justification="because"))
    await store.drafts.save(Draft(there, "first"))
    await store.drafts.move(HOME, there, 7)
    assert await store.drafts.get(HOME) is None
    moved = await store.drafts.get(there)
    assert moved is not None and moved.text == "first\nsecond" and moved.justification == ""
    await store.close()


async def test_an_upgraded_file_and_a_new_one_have_their_columns_in_one_order(
    tmp_path: Path,
) -> None:
    """Else the salvage of an upgraded file would put values into wrong columns."""
    await (await open_at(_old_store(tmp_path / "old"))).close()
    await (await open_at(tmp_path / "new")).close()

    def columns(folder: Path, table: str) -> list[str]:
        connection = connect(folder / "outbox.db", OUTBOX_KEY)
        try:
            return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        finally:
            connection.close()

    for table in ("outbox", "drafts", "uploads"):
        assert columns(tmp_path / "old", table) == columns(tmp_path / "new", table)
