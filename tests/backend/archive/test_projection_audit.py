"""An audit finds each row that shows something else than was archived, and each changed file.

It never fakes a part: it tampers with the real encrypted database as an intruder with its key
would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import Connection

from backend.archive.entries import append_entry, new_salt
from backend.archive.erasure import ErasureOrder, erase
from backend.archive.projection_audit import audit_messages
from backend.archive.tree_audit import Fault
from backend.archive.whole_audit import WholeAudit, audit_whole
from backend.archive.witness_state import Seen
from backend.governance.later import CAUSE_DELIVERY, Again, keep_again
from backend.inbox.erasing import sweep_files
from backend.inbox.events import open_database
from backend.inbox.inbound import record_delete, record_edit, record_reaction
from backend.inbox.receipts import record_receipt
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from contract.policy.model import Decision
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState
from tests.backend.archive.test_erasure import settle, upload
from tests.backend.workspace import (
    ELENA,
    FIRM,
    START_UTC_MS,
    Workspace,
    client_of,
    draft,
    open_workspace,
    submit,
)

KEY = b"k" * 32
FILE = b"file canary"
_GROW_ONLY = (
    "archive_entries",
    "archive_bodies",
    "archive_cosignatures",
    "message_versions",
    "decisions",
)
UNGUARDED = (
    "PRAGMA defer_foreign_keys = ON",
    *(
        f"DROP TRIGGER {table}_refuse_{verb}"
        for table in _GROW_ONLY
        for verb in ("UPDATE", "DELETE")
    ),
)


class _Undone(Exception):
    """Carries what an audit found out of the transaction that is rolled back."""

    def __init__(self, found: WholeAudit) -> None:
        super().__init__("rolled back")
        self.found = found


@dataclass(frozen=True)
class Written:
    """A sealed workspace with a message of every kind, their ids, and what the witness saw."""

    database: Database
    blobs: BlobStore
    seen: Seen
    ids: dict[str, str]

    def audit(self, *statements: str) -> WholeAudit:
        """Audit all of it after statements that are undone; `{name}` is that message's id."""
        told: list[tuple[str, int, int]] = []

        def work(connection: Connection) -> None:
            if statements:
                for statement in (*UNGUARDED, *statements):
                    connection.exec_driver_sql(statement.format(**self.ids))
            raise _Undone(
                audit_whole(connection, self.blobs, self.seen, lambda *said: told.append(said))
            )

        with pytest.raises(_Undone) as undone:
            self.database.write_now(work)
        found = undone.value.found
        if found.ok:
            assert told[-1] == ("files", found.files, found.files)
            assert ("messages", found.messages, found.messages) in told
        return found

    def attachment_id(self, name: str) -> str:
        """Return the id of a message's file."""
        query = f"SELECT attachment_id FROM attachments WHERE message_id = '{self.ids[name]}'"
        return str(self.database.read_now(lambda c: c.exec_driver_sql(query).scalar_one()))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """Yield the workspace, written once: each test undoes what it changes."""
    folder = tmp_path_factory.mktemp("audited")
    seen, ids = asyncio.run(write(folder))
    database = open_database(folder / "backend.db", KEY)
    try:
        yield Written(database, BlobStore(folder / "blobs", KEY), seen, ids)
    finally:
        database.close_now()


async def write(folder: Path) -> tuple[Seen, dict[str, str]]:
    """Write a message of every kind and have all of it sealed."""
    async with open_workspace(folder, KEY) as workspace:
        plain = await workspace.inbound("Plain words", external="ext-plain")
        ids: dict[str, str] = {"plain": plain}
        ids["edited"] = await workspace.inbound("First words", external="ext-edited")
        ids["deleted"] = await workspace.inbound("Taken back", external="ext-deleted")
        ids["erased"] = await workspace.inbound("To be erased", external="ext-erased")
        ids["quoting"] = await workspace.inbound("Quoting", quote="ext-plain")
        services = workspace.services
        await services.database.write(lambda c: change(c, workspace))
        async with client_of(workspace) as client:
            await send(workspace, client, await workspace.conversation_of(plain), ids)
        await services.database.write(lambda c: decide_again(c, ids["sent"], workspace.clock()))
        order = ErasureOrder(
            firm_id=FIRM, actor_id="officer-1", basis="7", message_ids=(ids["erased"],)
        )
        await services.database.write(lambda c: erase(c, order, workspace.clock()))
        sweep_files(services.database, services.blobs)
        await workspace.sealing.sealed()
        seen = workspace.sealing.witness.seen
        assert seen is not None
        return seen, ids


def change(connection: Connection, workspace: Workspace) -> None:
    """Have the client edit, delete and react."""
    now_utc_ms = workspace.clock()
    record_edit(
        connection,
        account_id="acc-wa",
        external_message_id="ext-edited",
        text="Second words",
        occurred_at_utc_ms=START_UTC_MS,
        received_at_utc_ms=now_utc_ms,
    )
    record_delete(
        connection,
        account_id="acc-wa",
        external_message_id="ext-deleted",
        occurred_at_utc_ms=START_UTC_MS,
        received_at_utc_ms=now_utc_ms,
    )
    for emoji in ("👍", "🎉"):
        record_reaction(
            connection,
            account_id="acc-wa",
            external_message_id="ext-plain",
            actor_id=ELENA,
            emoji=emoji,
            occurred_at_utc_ms=START_UTC_MS,
            received_at_utc_ms=now_utc_ms,
        )


def decide_again(connection: Connection, message_id: str, now_utc_ms: int) -> None:
    """Evaluate a message again, as before its delivery, and archive what came of it."""
    stored = connection.exec_driver_sql(
        "SELECT decision FROM decisions WHERE message_id = ?", (message_id,)
    ).scalar_one()
    again = Again(msgspec.json.decode(stored, type=Decision), (), "")
    archived = append_entry(
        connection,
        kind="stopped",
        actor_id="backend",
        conversation_id="",
        message_id=message_id,
        revision=0,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json({"evaluation": again.hash, "reason": ""}),
        firm_id=FIRM,
        now_utc_ms=now_utc_ms,
    )
    keep_again(connection, FIRM, message_id, CAUSE_DELIVERY, again, archived.entry_id, now_utc_ms)


async def send(
    workspace: Workspace, client: httpx.AsyncClient, home: str, ids: dict[str, str]
) -> None:
    """Send a text with a file that is read, and one with a file that is refused."""
    sent = draft("Sent", clock=workspace.clock, attachment_ids=(await upload(client, FILE),))
    assert (await submit(client, home, sent)).status_code in (201, 202)
    other = await upload(client, b"refused " + FILE)
    refused = draft(
        "guaranteed profit 4111 1111 1111 1111", clock=workspace.clock, attachment_ids=(other,)
    )
    assert (await submit(client, home, refused)).status_code == 403
    ids |= {"sent": sent.message_id, "refused": refused.message_id}
    await settle(workspace, sent.message_id)

    def read(connection: Connection) -> None:
        connection.exec_driver_sql(
            "UPDATE messages SET external_id = 'ext-sent', state = 'sent' WHERE message_id = ?",
            (sent.message_id,),
        )
        record_receipt(
            connection,
            account_id="acc-wa",
            reported=DeliveryState.READ,
            at_utc_ms=START_UTC_MS,
            now_utc_ms=workspace.clock(),
            external_id="ext-sent",
        )

    await workspace.services.database.write(read)


def test_sound_workspace_passes(written: Written) -> None:
    found = written.audit()
    assert (found.log.fault, found.messages, found.files) == ("", 7, 2)
    assert found.log.sealed == found.log.entries


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE messages SET text = 'Other' WHERE message_id = '{plain}'", "its text"),
        ("UPDATE messages SET text = 'First words' WHERE message_id = '{edited}'", "its text"),
        ("UPDATE messages SET text = 'Other' WHERE message_id = '{deleted}'", "its text"),
        ("UPDATE messages SET text = 'Other' WHERE message_id = '{erased}'", "still shown"),
        ("UPDATE messages SET text = 'Other' WHERE message_id = '{refused}'", "its text"),
        ("UPDATE messages SET deleted = 0 WHERE message_id = '{deleted}'", "taken back"),
        ("UPDATE messages SET deleted = 1 WHERE message_id = '{plain}'", "taken back"),
        ("UPDATE messages SET edited_at_utc_ms = 1 WHERE message_id = '{edited}'", "its edit"),
        ("UPDATE messages SET revision = 5 WHERE message_id = '{edited}'", "its revision"),
        ("UPDATE messages SET versions_archived = 1 WHERE message_id = '{edited}'", "versions"),
        (
            "UPDATE messages SET entry_id = (SELECT entry_id FROM message_versions"
            " WHERE message_id = '{edited}' AND n = 1) WHERE message_id = '{edited}'",
            "newest version",
        ),
        ("UPDATE message_versions SET at_utc_ms = 1 WHERE n = 2", "list of versions"),
        ("DELETE FROM message_versions WHERE n = 2", "list of versions"),
        ("UPDATE messages SET quote_message_id = NULL WHERE message_id = '{quoting}'", "quotes"),
        ("UPDATE messages SET author_name = 'X' WHERE message_id = '{plain}'", "author's name"),
        ("UPDATE messages SET author_id = 'X' WHERE message_id = '{plain}'", "its author"),
        ("UPDATE messages SET external_id = 'X' WHERE message_id = '{plain}'", "channel's id"),
        ("UPDATE messages SET direction = 'in' WHERE message_id = '{sent}'", "direction"),
        ("UPDATE messages SET origin = 'imported' WHERE message_id = '{plain}'", "origin"),
        ("UPDATE messages SET occurred_at_utc_ms = 1 WHERE message_id = '{plain}'", "its time"),
        ("UPDATE messages SET place_at_utc_ms = 1 WHERE message_id = '{plain}'", "its place"),
        ("UPDATE messages SET place_index = 1 WHERE message_id = '{quoting}'", "its place"),
        (
            "INSERT INTO conversations (conversation_id, firm_id, channel, account_id, thread_key,"
            " title, initials) SELECT 'x', firm_id, channel, account_id, 'x', title, ''"
            " FROM conversations LIMIT 1;"
            "UPDATE messages SET conversation_id = 'x' WHERE message_id = '{plain}'",
            "another conversation",
        ),
        ("UPDATE messages SET state = 'sent' WHERE message_id = '{refused}'", "refused"),
        ("UPDATE messages SET state = 'blocked' WHERE message_id = '{sent}'", "allowed"),
        ("UPDATE messages SET state = NULL WHERE message_id = '{sent}'", "delivery state"),
        ("UPDATE reactions SET emoji = '👎'", "reactions"),
        ("DELETE FROM reactions", "reactions"),
        (
            "DELETE FROM message_versions WHERE message_id = '{quoting}';"
            "DELETE FROM messages WHERE message_id = '{quoting}'",
            "shown nowhere",
        ),
    ],
)
def test_changed_message_is_found(written: Written, statement: str, fault: str) -> None:
    found = written.audit(*statement.split(";"))
    assert fault in found.log.fault, found.log.fault
    assert not found.ok
    assert found.log.fault_index is not None


def test_delivery_that_no_receipt_reports_is_found(written: Written) -> None:
    """Hide the receipt with its message: the log's own audit is left out here."""

    def work(connection: Connection) -> None:
        for statement in UNGUARDED:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(
            "UPDATE archive_entries SET message_id = '' WHERE kind = 'receipt'"
        )
        audit_messages(connection)

    with pytest.raises(Fault, match="no archived receipt says"):
        written.database.write_now(work)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE decisions SET decision = x'7B7D' WHERE message_id = '{sent}'", "can't be read"),
        (
            "UPDATE decisions SET decision = (SELECT decision FROM decisions"
            " WHERE message_id = '{refused}') WHERE message_id = '{sent}'",
            "not the one its hash names",
        ),
        ("UPDATE decisions SET action = 'allow' WHERE message_id = '{refused}'", "its hash names"),
        (
            "UPDATE decisions SET (decision, decision_hash, action) = (SELECT decision,"
            " decision_hash, action FROM decisions WHERE message_id = '{sent}')"
            " WHERE message_id = '{refused}'",
            "archive commits to",
        ),
        ("DELETE FROM decisions WHERE message_id = '{refused}'", "missing"),
        ("UPDATE decisions SET justification = 'x' WHERE message_id = '{sent}'", "the reason"),
        ("UPDATE decisions SET employee_id = 'x' WHERE message_id = '{sent}'", "by another"),
        ("UPDATE decisions SET decided_at_utc_ms = 1 WHERE message_id = '{sent}'", "another time"),
        ("UPDATE later_decisions SET decision = x'7B7D'", "can't be read"),
        ("UPDATE later_decisions SET action = 'block'", "its hash names"),
        ("UPDATE later_decisions SET entry_id = 'x'", "never archived"),
        (
            "UPDATE later_decisions SET (decision, decision_hash, action) = (SELECT decision,"
            " decision_hash, action FROM decisions WHERE message_id = '{refused}')",
            "not the one that was archived",
        ),
        (
            "UPDATE decisions SET decision_id = 'x', message_id = 'y'"
            " WHERE message_id = '{refused}'",
            "belongs to no message",
        ),
    ],
)
def test_changed_decision_is_found(written: Written, statement: str, fault: str) -> None:
    found = written.audit(statement)
    assert fault in found.log.fault, found.log.fault


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE attachments SET sha256 = 'ab' WHERE message_id = '{sent}'", "its files"),
        ("UPDATE attachments SET sha256 = 'ab' WHERE message_id = '{refused}'", "its files"),
        ("UPDATE attachments SET message_id = NULL WHERE message_id = '{sent}'", "its files"),
        ("UPDATE attachments SET complete = 0 WHERE message_id = '{sent}'", "not whole"),
        ("UPDATE attachments SET size_bytes = 3", "stored size"),
        ("DELETE FROM attachment_parts", "stored size"),
        ("UPDATE attachment_parts SET start_byte = 1", "a part of it is missing"),
    ],
)
def test_changed_file_row_is_found(written: Written, statement: str, fault: str) -> None:
    found = written.audit(statement)
    assert fault in found.log.fault, found.log.fault


def test_changed_or_lost_bytes_of_a_file_are_found(written: Written) -> None:
    attachment_id = written.attachment_id("sent")
    changed: tuple[tuple[bytes | None, str], ...] = (
        (FILE[::-1], "not those archived"),
        (FILE[:-1] + b"!", "not those archived"),
        (None, "missing or were changed"),
    )
    for data, fault in changed:
        if data is None:
            written.blobs.remove(attachment_id, 0)
        else:
            written.blobs.put(attachment_id, 0, data)
        found = written.audit()
        assert fault in found.log.fault
        assert attachment_id in found.log.fault
    written.blobs.put(attachment_id, 0, FILE)
    assert written.audit().ok


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE archive_entries SET archived_at_utc_ms = 1 WHERE sequence = 2", "its id"),
        (
            "UPDATE archive_entries SET archived_at_utc_ms = archived_at_utc_ms + 1"
            " WHERE kind = 'message_in'",
            "its id",
        ),
        (
            "UPDATE archive_entries SET archived_at_utc_ms = archived_at_utc_ms + 200000000"
            " WHERE kind = 'message_out'",
            "witnesses' signatures",
        ),
        (
            "UPDATE archive_entries SET archived_at_utc_ms = archived_at_utc_ms - 1"
            " WHERE kind = 'message_out'",
            "differ",
        ),
    ],
)
def test_changed_time_of_archiving_is_found(written: Written, statement: str, fault: str) -> None:
    found = written.audit(statement)
    assert fault in found.log.fault, found.log.fault


def test_row_without_an_entry_is_found(written: Written) -> None:
    found = written.audit(
        "INSERT INTO messages (message_id, firm_id, conversation_id, account_id, direction, text,"
        " author_id, author_name, place_at_utc_ms, place_index, occurred_at_utc_ms, entry_id)"
        " SELECT 'invented', firm_id, conversation_id, account_id, direction, text, author_id,"
        " author_name, place_at_utc_ms, place_index, occurred_at_utc_ms, entry_id FROM messages"
        " WHERE message_id = '{plain}'"
    )
    assert "has no entry" in found.log.fault


def test_many_messages_are_walked_in_pages(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.archive.projection_rows.PAGE", 2)
    monkeypatch.setattr("backend.archive.blob_audit._PAGE", 1)
    monkeypatch.setattr("backend.archive.time_audit._PAGE", 3)
    assert written.audit().ok
