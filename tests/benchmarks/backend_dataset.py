"""Builds the embedded backend's data folder with a million archived messages to be synced.

It never serves it: a real backend process does, and it finds tables, log and files as its own.

Usage: python -m tests.benchmarks.backend_dataset [--messages N] [--conversations N] --out DIR
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, Table, insert

from backend.archive.entries import NewEntry, append_entries
from backend.archive.log import commit_batch, read_head, take_lead
from backend.archive.nodes import NodeCache
from backend.directory import sample
from backend.inbox import search_index
from backend.inbox.search_index import index_some
from backend.sample_workspace import open_sample
from backend.storage import tables
from backend.storage.bulk import insert_rows
from backend.storage.database import Database
from backend.workspace import DATABASE_FILE
from contract.ids import EntryId
from contract.receipts.bodies import message_body
from contract.receipts.leaf import Envelope, body_commitment
from contract.receipts.signers import Signer
from contract.wire import Contact, Conversation, Message
from tests.benchmarks import dataset_rows, dataset_texts
from tests.benchmarks.dataset_rows import EMPLOYEE_ID, Bank
from tests.benchmarks.measuring import SEED
from tests.support.served_backend import KEY
from tests.support.surroundings import ROOT

MESSAGES = 1_000_000
CONVERSATIONS = 10_000
KEPT = ROOT / "out" / "bench-data"
_MESSAGES_PER_COMMIT = 8_000
_LEAVES_PER_COMMIT = 16_384
_ENTRIES_INDEXED = 2_000
_SOURCES = (dataset_rows, dataset_texts, tables, search_index, sample)


def ready(messages: int = MESSAGES, conversations: int = CONVERSATIONS) -> Path:
    """Return the data set kept in out/bench-data, built when it is not there or out of date."""
    source = Path(__file__).read_bytes()
    source += b"".join(Path(str(each.__file__)).read_bytes() for each in _SOURCES)
    key = hashlib.sha256(source).hexdigest()[:12]
    target = KEPT / f"backend-{messages}-{conversations}-{key}"
    if not target.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"backend-{messages}-{conversations}-*"):
            shutil.rmtree(old)
        print(f"Building the backend's data set of {messages:,} messages, once.", flush=True)
        build(target, messages, conversations)
    return target


def build(target: Path, messages: int, conversations: int) -> None:
    """Build a data set in a folder that is not there yet."""
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    workspace = open_sample(part, KEY)
    workspace.database.close_now()
    workspace.lock.close()
    bank = Bank(messages, conversations, time.time_ns() // 1_000_000, SEED)
    database = Database.open(part / DATABASE_FILE, KEY)
    try:
        database.write_now(lambda connection: _add_people(connection, bank))
        stream = bank.messages()
        while batch := list(itertools.islice(stream, _MESSAGES_PER_COMMIT)):
            database.write_now(_adding(batch))
        while database.write_now(lambda connection: index_some(connection, _ENTRIES_INDEXED)):
            pass
        database.write_now(lambda connection: _settle_conversations(connection, bank))
        grow_log(database, workspace.signer)
    finally:
        database.close_now()
    part.rename(target)


def grow_log(database: Database, signer: Signer) -> None:
    """Take every waiting entry into the log, as told of: the witness seals it at the start."""
    epoch = database.write_now(take_lead)
    cache = NodeCache()

    def grow(connection: Connection) -> bool:
        batch = commit_batch(
            connection, epoch, signer, cache, time.time_ns() // 1_000_000, _LEAVES_PER_COMMIT
        )
        if batch is not None:
            cache.add(batch.nodes)
        return batch is not None

    while database.write_now(grow):
        pass

    def told(connection: Connection) -> None:
        size = read_head(connection).size
        connection.execute(tables.archive_head.update().values(announced_size=size))

    database.write_now(told)


def add_messages(connection: Connection, batch: Sequence[Message]) -> None:
    """Add messages with their archive entries, versions, files and reactions."""
    firm = _firm(connection)
    homes = connection.exec_driver_sql("SELECT conversation_id, account_id FROM conversations")
    accounts = {row[0]: row[1] for row in homes}
    entries = [_entry(message, firm) for message in batch]
    recorded = append_entries(connection, entries, batch[-1].place_at_utc_ms)
    for table, columns, rows in (
        (
            tables.messages,
            _MESSAGE_COLUMNS,
            [
                _message_row(message, firm, accounts[message.conversation_id], *done[:2])
                for message, done in zip(batch, recorded, strict=True)
            ],
        ),
        (
            tables.message_versions,
            ("message_id", "n", "firm_id", "kind", "entry_id", "at_utc_ms"),
            [
                (m.message_id, 1, firm, f"message_{m.direction}", done.entry_id, m.place_at_utc_ms)
                for m, done in zip(batch, recorded, strict=True)
            ],
        ),
    ):
        insert_rows(connection, table, columns, rows)
    _add_extras(connection, firm, batch)


_MESSAGE_COLUMNS = (
    "message_id",
    "firm_id",
    "conversation_id",
    "account_id",
    "version",
    "direction",
    "text",
    "author_id",
    "author_name",
    "place_at_utc_ms",
    "place_index",
    "occurred_at_utc_ms",
    "state_at_utc_ms",
    "entry_id",
)


def _message_row(
    message: Message, firm: str, account_id: str, sequence: int, entry_id: EntryId
) -> tuple[int | str | bytes, ...]:
    home, place = message.conversation_id, message.place_at_utc_ms
    return (
        *(message.message_id, firm, home, account_id, message.version, message.direction.value),
        *(message.text, message.author_id, message.author_name, place, sequence, place),
        *(message.state_at_utc_ms, entry_id),
    )


def _add_extras(connection: Connection, firm: str, batch: Sequence[Message]) -> None:
    marks = [
        {"state": message.state.value, "quote": quote, "id": message.message_id}
        for message in batch
        for quote in [None if message.quote is None else message.quote.message_id]
        if message.state is not None
    ]
    if marks:
        rows = [(each["state"], each["quote"], each["id"]) for each in marks]
        sql = "UPDATE messages SET state = ?, quote_message_id = ? WHERE message_id = ?"
        connection.exec_driver_sql(sql, rows)
    files = [
        {
            "attachment_id": file.attachment_id,
            "firm_id": firm,
            "owner_id": "",
            "message_id": message.message_id,
            "name": file.name,
            "media_type": file.media_type,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
            "scan": file.scan,
            "complete": True,
            "offset_bytes": file.size_bytes,
            "created_at_utc_ms": message.place_at_utc_ms,
        }
        for message in batch
        for file in message.attachments
    ]
    emojis = [
        {
            "message_id": message.message_id,
            "actor_id": message.author_id,
            "emoji": reaction.emoji,
            "firm_id": firm,
            "at_utc_ms": message.place_at_utc_ms,
        }
        for message in batch
        for reaction in message.reactions
    ]
    for table, values in ((tables.attachments, files), (tables.reactions, emojis)):
        _insert_all(connection, table, values)


def _entry(message: Message, firm: str) -> NewEntry:
    salt = hashlib.sha256(message.message_id.encode()).digest()
    quoted = "" if message.quote is None else message.quote.message_id
    body = message_body(message.text, quoted, [file.sha256 for file in message.attachments])
    envelope = Envelope(
        firm_id=firm,
        entry_id=f"{message.message_id[:-4]}0000" if message.archive is None else _id_of(message),
        kind=f"message_{message.direction}",
        actor_id=message.author_id,
        conversation_id=message.conversation_id,
        message_id=message.message_id,
        revision=message.revision,
        occurred_at_utc_ms=message.occurred_at_utc_ms,
        body_commitment=body_commitment(salt, body),
    )
    return NewEntry(envelope, salt, body)


def _id_of(message: Message) -> str:
    assert message.archive is not None
    return message.archive.entry_id


def _adding(batch: Sequence[Message]) -> Callable[[Connection], None]:
    return lambda connection: add_messages(connection, batch)


def _firm(connection: Connection) -> str:
    return str(connection.exec_driver_sql("SELECT firm_id FROM firms").scalar_one())


def _add_people(connection: Connection, bank: Bank) -> None:
    firm = _firm(connection)
    people = bank.contacts()
    homes = bank.conversations()
    _insert_all(connection, tables.contacts, [_contact_row(each, firm) for each in people])
    _insert_all(
        connection,
        tables.contact_points,
        [
            {
                "contact_point_id": each.points[0].contact_point_id,
                "firm_id": firm,
                "contact_id": each.contact_id,
                "channel": each.points[0].channel.value,
                "id_type": "phone",
                "address": f"+4179{number:07d}",
                "label": each.points[0].label,
            }
            for number, each in enumerate(people)
        ],
    )
    book = [
        {"employee_id": EMPLOYEE_ID, "contact_id": each.contact_id, "firm_id": firm}
        for each in people
    ]
    _insert_all(connection, tables.employee_contacts, book)
    _insert_all(connection, tables.conversations, [_home_row(each, firm) for each in homes])
    members = [
        {"conversation_id": each.conversation_id, "employee_id": EMPLOYEE_ID, "firm_id": firm}
        for each in homes
    ]
    _insert_all(connection, tables.conversation_members, members)
    points = {each.contact_id: each.points[0].contact_point_id for each in people}
    participants = [
        {
            "conversation_id": home.conversation_id,
            "contact_point_id": points[contact_id],
            "contact_id": contact_id,
            "firm_id": firm,
            "position": position,
        }
        for home in homes
        for position, contact_id in enumerate(home.contact_ids)
    ]
    _insert_all(connection, tables.conversation_contacts, participants)


def _contact_row(contact: Contact, firm: str) -> dict[str, object]:
    return {
        "contact_id": contact.contact_id,
        "firm_id": firm,
        "display_name": contact.display_name,
        "initials": contact.initials,
        "organisation": contact.organisation,
        "city": contact.city,
        "language": contact.language,
        "color": contact.color,
    }


def _home_row(home: Conversation, firm: str) -> dict[str, object]:
    return {
        "conversation_id": home.conversation_id,
        "firm_id": firm,
        "channel": home.channel.value,
        "account_id": home.account_id,
        "thread_key": home.conversation_id,
        "title": home.title,
        "is_group": home.group,
        "color": home.color,
        "initials": home.initials,
    }


def _settle_conversations(connection: Connection, bank: Bank) -> None:
    homes = bank.conversations()
    connection.exec_driver_sql(
        "UPDATE conversations SET version = ?, last_activity_utc_ms = ?, preview_message_id = ?,"
        " awaiting = ?, window_closes_at_utc_ms = ?, message_count = ?, archived_count = ?"
        " WHERE conversation_id = ?",
        [
            (
                *(each.version, each.last_activity_utc_ms),
                None if each.preview is None else each.preview.message_id,
                *(each.awaiting, each.window_closes_at_utc_ms),
                *(each.message_count, each.archived_count, each.conversation_id),
            )
            for each in homes
        ],
    )
    connection.exec_driver_sql(
        "UPDATE conversation_members SET unread_count = ?, read_upto_utc_ms = ?"
        " WHERE conversation_id = ?",
        [(each.unread_count, each.read_upto_utc_ms, each.conversation_id) for each in homes],
    )


def _insert_all(
    connection: Connection, table: Table, values: Sequence[Mapping[str, object]]
) -> None:
    if values:
        connection.execute(insert(table), list(values))


def main() -> None:
    """Build a data set where it is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    build(given.out, given.messages, given.conversations)


if __name__ == "__main__":
    main()
