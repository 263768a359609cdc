"""Each imported file is an entry that commits to its hash, is exported and is audited.

It never imports messages: importers do, after they have recorded their file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from backend.archive.entries import read_entry
from backend.archive.export import ExportOrder, export_archive
from backend.archive.imports import ImportedFile, audit_imports, record_import
from backend.archive.selection import Selection
from backend.archive.tree_audit import Fault
from backend.archive.whole_audit import audit_whole
from contract.ids import EntryId
from contract.receipts.leaf import body_commitment
from contract.receipts.saved import verify_saved
from tests.backend.workspace import ELENA, FIRM, Workspace, open_workspace

FILE = ImportedFile(
    account_id="acc-imessage",
    importer="imessage_db",
    file_name="chat.db",
    file_sha256=hashlib.sha256(b"the file").hexdigest(),
    size_bytes=8,
    message_count=2,
)


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield an open workspace."""
    async with open_workspace(tmp_path / "data") as opened:
        yield opened


async def imported(workspace: Workspace, file: ImportedFile = FILE) -> EntryId | None:
    """Record a file and have it sealed."""
    now_utc_ms = workspace.clock()
    found = await workspace.services.database.write(
        lambda c: record_import(c, FIRM, ELENA, file, now_utc_ms)
    )
    await workspace.sealing.sealed()
    return found


async def test_leaf_commits_to_the_files_hash_without_telling_it(workspace: Workspace) -> None:
    entry_id = await imported(workspace)
    assert entry_id is not None
    entry = await workspace.services.database.read(lambda c: read_entry(c, entry_id))
    assert entry is not None and entry.salt is not None and entry.body is not None
    assert entry.kind == "import_file" and entry.sealed
    assert json.loads(entry.body) == {
        "account_id": "acc-imessage",
        "file_name": "chat.db",
        "file_sha256": FILE.file_sha256,
        "importer": "imessage_db",
        "message_count": 2,
        "size_bytes": 8,
    }
    assert FILE.file_sha256.encode() not in entry.leaf and b"chat.db" not in entry.leaf
    told = json.loads(entry.leaf)
    digest = bytes.fromhex(FILE.file_sha256)
    assert told["attachment_commitments"] == [body_commitment(entry.salt, digest)]
    assert told["actor_id"] == ELENA


async def test_same_file_is_recorded_once_for_an_account(workspace: Workspace) -> None:
    first = await imported(workspace)
    assert await imported(workspace, replace(FILE, file_name="copy of chat.db")) is None
    other = await imported(workspace, replace(FILE, account_id="acc-wa"))
    assert other is not None and other != first


async def test_audit_and_export_show_it(workspace: Workspace, tmp_path: Path) -> None:
    entry_id = await imported(workspace)
    services, seen = workspace.services, workspace.sealing.witness.seen
    found = await services.database.read(
        lambda c: audit_whole(c, services.blobs, seen, lambda *_: None)
    )
    assert (found.log.fault, found.imports) == ("", 1)
    order = ExportOrder(
        folder=tmp_path / "export",
        file_format="jsonl",
        selection=Selection(kinds=("import_file",)),
        client="",
        firm_id=FIRM,
        actor_id="officer-1",
    )
    export_archive(services.database, lambda _: b"", order, workspace.clock())
    (line,) = (tmp_path / "export" / "entries.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert (told["entry_id"], told["kind"]) == (entry_id, "import_file")
    assert json.loads(told["body"])["file_sha256"] == FILE.file_sha256
    (saved,) = (tmp_path / "export" / "entries").iterdir()
    proven, leaf = verify_saved(saved.read_bytes())
    assert proven.leaf_index == told["index"] and json.loads(leaf) == told["envelope"]


async def test_leaf_that_commits_to_another_file_is_found(workspace: Workspace) -> None:
    entry_id = await imported(workspace)
    assert entry_id is not None
    entry = await workspace.services.database.read(lambda c: read_entry(c, entry_id))
    assert entry is not None
    other = entry.leaf.replace(b'"attachment_commitments":["', b'"attachment_commitments":["00')

    def tamper(connection: Connection) -> int:
        connection.exec_driver_sql("DROP TRIGGER archive_entries_refuse_UPDATE")
        connection.exec_driver_sql(
            "UPDATE archive_entries SET leaf = ? WHERE entry_id = ?", (other, entry_id)
        )
        return audit_imports(connection)

    with pytest.raises(Fault, match="another file"):
        await workspace.services.database.write(tamper)


async def test_nonsense_for_a_hash_is_refused(workspace: Workspace) -> None:
    for digest in ("", "AB" * 32, "ab" * 31, "zz" * 32):
        with pytest.raises(ValueError, match="64 lower-case"):
            await imported(workspace, replace(FILE, file_sha256=digest))
