"""Shows that the client finds what an intruder with the database's key changed behind its back.

They change the stopped backend's real files, never an answer and never the client.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from app.core import Core
from app.domain.archive import AlarmKind, Finding
from app.domain.timeline import TimelineRow
from backend.storage.database import Database
from backend.workspace import DATABASE_FILE
from contract.ids import ConversationId
from contract.receipts.canonical import canonical_json
from contract.wire import Channel, Direction
from tests.app.archive.real_backend import Real, pins
from tests.app.core_world import conversation_on, holds, row_when
from tests.support.log_guard import LogGuard
from tests.support.served_backend import KEY, verify_archive

pytestmark = pytest.mark.slow
ALARMED = {AlarmKind.RECEIPT, AlarmKind.WITNESS, AlarmKind.FORK, AlarmKind.GAP}
Change = Callable[[Connection, str], None]
BODY = canonical_json({"attachments": [], "quote": "", "text": "not what was said"})


def _row(connection: Connection, message_id: str) -> None:
    """Another text, with a salt, commitment and leaf that fit it."""
    salt = bytes(32)
    leaf = connection.exec_driver_sql(
        "SELECT leaf FROM archive_entries WHERE message_id = ?", (message_id,)
    ).scalar_one()
    envelope = msgspec.json.decode(leaf)
    envelope["body_commitment"] = hashlib.sha256(salt + BODY).hexdigest()
    forged = canonical_json(envelope)
    digest = hashlib.sha256(b"\x00" + forged).digest()
    connection.exec_driver_sql(
        "UPDATE archive_entries SET leaf = ?, leaf_hash = ? WHERE message_id = ?",
        (forged, digest, message_id),
    )
    _body(connection, message_id)


def _body(connection: Connection, message_id: str) -> None:
    """Another text in the body and in what is shown, the leaf untouched."""
    connection.exec_driver_sql(
        "UPDATE archive_bodies SET body = ?, salt = zeroblob(32) WHERE entry_id ="
        " (SELECT entry_id FROM archive_entries WHERE message_id = ?)",
        (BODY, message_id),
    )
    _shown(connection, message_id)


def _shown(connection: Connection, message_id: str) -> None:
    """Another text in what is shown alone."""
    connection.exec_driver_sql(
        "UPDATE messages SET text = 'not what was said', version = version + 1"
        " WHERE message_id = ?",
        (message_id,),
    )


def _tile(connection: Connection, message_id: str) -> None:
    connection.exec_driver_sql("UPDATE archive_nodes SET hash = zeroblob(32)")


def _checkpoint(connection: Connection, message_id: str) -> None:
    connection.exec_driver_sql(
        "UPDATE archive_checkpoints SET note = CAST(replace(CAST(note AS TEXT),"
        " substr(CAST(note AS TEXT), -12, 4), 'AAAA') AS BLOB)"
    )


def _witness(connection: Connection, message_id: str) -> None:
    connection.exec_driver_sql(
        "UPDATE archive_cosignatures SET line ="
        " substr(line, 1, length(line) - 12) || 'AAAA' || substr(line, -8)"
    )


def tamper(data_dir: Path, change: Change, message_id: str) -> None:
    """Change a stopped backend's database, its triggers taken away."""

    def work(connection: Connection) -> None:
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'archive%refuse%'"
        ).scalars()
        for name in names.all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        change(connection, message_id)

    database = Database.open(data_dir / DATABASE_FILE, KEY)
    try:
        database.write_now(work)
    finally:
        database.close_now()


async def _a_clients_message(core: Core, chat: ConversationId) -> TimelineRow:
    """Return a message of the client's, which nobody here has built a leaf of."""
    window = await core.store.timeline.around(chat)
    return next(
        row
        for row in window.rows
        if row.message.direction is Direction.IN and row.message.archive is not None
    )


@pytest.mark.parametrize("change", [_row, _body, _shown, _tile, _checkpoint, _witness])
async def test_what_was_changed_in_the_database_is_found_at_the_next_check(
    real: Real, expect_log: LogGuard, change: Change
) -> None:
    expect_log("archive alarm", logger="app.archive")
    async with real.core() as core:
        chat = await conversation_on(core, Channel.LINE)
        await row_when(core, await core.messaging.send(chat, "kept"), lambda row: row.verified)
        row = await _a_clients_message(core, chat)
        assert (await core.proofs.receipts.check(row.message)).finding is Finding.VERIFIED
        keys = await pins(core)
    real.backend.stop()
    tamper(real.backend.data_dir, change, row.message.message_id)
    if change is not _shown:
        assert not verify_archive(real.backend.data_dir)["ok"]
    real.restart()
    async with real.core(**keys) as core:
        document = await core.api.inbox.message(row.message.message_id)
        view = await core.proofs.receipts.check(document)
        assert view.finding is Finding.FAILED
        await holds(
            lambda: core.status.archive_alarm is not None and core.status.archive_alarm.told
        )
        alarm = core.status.archive_alarm
        assert alarm is not None and alarm.kind in ALARMED
