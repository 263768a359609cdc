"""An export holds what was asked for, a receipt for each entry, a manifest, and is an entry.

It never trusts the exporter: each file is hashed and each receipt checked from the folder alone.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from backend.archive.entries import read_entry
from backend.archive.erasure import ErasureOrder, erase
from backend.archive.export import (
    MANIFEST,
    UNFINISHED,
    ExportOrder,
    ExportRefused,
    Manifest,
    export_archive,
)
from backend.archive.selection import Selection, conversations_of_client
from backend.inbox.uploads import stored_parts
from contract.receipts.saved import FILE_ENDING, verify_saved
from tests.backend.workspace import FIRM, SOFIA, Workspace, open_workspace


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace with two clients' messages."""
    async with open_workspace(tmp_path / "data") as opened:
        await opened.inbound("From Hana")
        await opened.inbound("From Sofia", account="acc-signal", point=SOFIA)
        yield opened


def export(
    workspace: Workspace,
    folder: Path,
    file_format: str = "jsonl",
    selection: Selection | None = None,
    client: str = "",
) -> Manifest:
    """Export into a folder."""
    services = workspace.services

    def read_file(attachment_id: str) -> bytes:
        parts = services.database.read_now(lambda c: stored_parts(c, attachment_id))
        return b"".join(
            b for part in parts for b in services.blobs.read(attachment_id, *part, *part)
        )

    order = ExportOrder(
        folder=folder,
        file_format=file_format,
        selection=selection or Selection(),
        client=client,
        firm_id=FIRM,
        actor_id="officer-1",
    )
    return export_archive(services.database, read_file, order, workspace.clock())


def check(folder: Path) -> dict[str, bytes]:
    """Check an export by its folder alone; returns the leaf of each receipt."""
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == set(manifest.files) | {MANIFEST}
    leaves = {}
    for name, digest in manifest.files.items():
        data = (folder / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
        if name.endswith(FILE_ENDING):
            _, leaves[name] = verify_saved(data)
    assert len(leaves) == manifest.count
    return leaves


async def test_everything_is_exported_and_proven(workspace: Workspace, tmp_path: Path) -> None:
    manifest = export(workspace, tmp_path / "out")
    leaves = check(tmp_path / "out")
    lines = (tmp_path / "out" / "entries.jsonl").read_bytes().splitlines()
    entries = [msgspec.json.decode(line) for line in lines]
    assert [entry["index"] for entry in entries] == list(range(manifest.count))
    assert {"From Hana", "From Sofia"} <= {
        msgspec.json.decode(entry["body"]).get("text") for entry in entries
    }
    assert len(leaves) == len(entries)
    assert not list(tmp_path.glob(f"*{UNFINISHED}"))


async def test_export_is_an_entry_with_the_manifests_hash(
    workspace: Workspace, tmp_path: Path
) -> None:
    manifest = export(workspace, tmp_path / "out")
    entry = await workspace.services.database.read(
        lambda c: read_entry(c, manifest.export_entry_id)
    )
    assert entry is not None
    assert entry.kind == "export"
    said = msgspec.json.decode(entry.body or b"")
    told = (tmp_path / "out" / MANIFEST).read_bytes()
    assert said["manifest_sha256"] == hashlib.sha256(told).hexdigest()


async def test_mails_of_one_client_alone(workspace: Workspace, tmp_path: Path) -> None:
    database = workspace.services.database
    contact_id = str(
        await workspace.scalar("SELECT contact_id FROM contacts WHERE display_name = 'Someone'")
    )
    ids = await database.read(lambda c: conversations_of_client(c, contact_id))
    chosen = Selection(conversation_ids=ids)
    manifest = export(workspace, tmp_path / "out", "eml", chosen, contact_id)
    check(tmp_path / "out")
    assert (manifest.count, manifest.client) == (1, contact_id)
    (path,) = (tmp_path / "out").rglob("*.eml")
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail["X-Parley-Archive-Index"] == str(manifest.first_index)
    assert b"From Sofia" in path.read_bytes()


async def test_period_leaves_out_what_came_before_and_after(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = workspace.clock()
    await workspace.inbound("Inside")
    last = workspace.clock()
    await workspace.inbound("After")
    chosen = Selection(from_utc_ms=first, to_utc_ms=last)
    manifest = export(workspace, tmp_path / "out", "eml", chosen)
    assert (manifest.count, manifest.first_index) == (1, manifest.last_index)
    empty = export(workspace, tmp_path / "none", "jsonl", Selection(to_utc_ms=1))
    assert (empty.count, empty.first_index) == (0, None)
    check(tmp_path / "none")


async def test_erased_entry_is_exported_as_proof_without_words(
    workspace: Workspace, tmp_path: Path
) -> None:
    message_id = await workspace.inbound("canary-words")
    order = ErasureOrder(
        firm_id=FIRM, actor_id="officer", basis="request", message_ids=(message_id,)
    )
    await workspace.services.database.write(lambda c: erase(c, order, workspace.clock()))
    await workspace.sealing.sealed()
    for file_format in ("eml", "jsonl"):
        folder = tmp_path / file_format
        assert export(workspace, folder, file_format).erased == 1
        check(folder)
        assert not any(
            b"canary-words" in path.read_bytes() for path in folder.rglob("*") if path.is_file()
        )


async def test_existing_folder_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportRefused, match="exists"):
        export(workspace, tmp_path / "out")
    with pytest.raises(ExportRefused, match="format"):
        export(workspace, tmp_path / "other", "pdf")
