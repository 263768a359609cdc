"""A database that an older release wrote is upgraded in place, with all it had archived.

It never makes an old file: each in data/ was written by the release itself, then decrypted and
packed, because an encrypted one can't be made small.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from backend.archive.entries import archive_size, entries_of_message
from backend.archive.log import read_head
from backend.archive.whole_audit import WholeAudit, audit_whole
from backend.storage.blobs import BlobStore
from backend.storage.tables import SCHEMA_VERSION
from tests.backend.workspace import ELENA, client_of, draft, open_workspace, submit

KEY = bytes(range(32))
DATA = Path(__file__).parent / "data"
RELEASED = {1: 8, 2: 9, 3: 9, 4: 9}  # how many entries each file holds


def unpack(version: int, folder: Path) -> None:
    """Put a release's database, and its witness's memory, into a folder: encrypted again."""
    with tarfile.open(DATA / f"schema_{version}.tar.gz") as packed:
        for member in packed.getmembers():
            file = packed.extractfile(member)
            assert file is not None
            path = folder / member.name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(file.read())
    plain = folder / "plain.db"
    connection = sqlcipher.connect(str(plain))
    assert connection.execute("PRAGMA user_version").fetchone()[0] == version
    kept = folder / "backend.db"
    connection.execute(f"ATTACH '{kept}' AS kept KEY \"x'{KEY.hex()}'\"")
    connection.execute("SELECT sqlcipher_export('kept')")
    connection.execute(f"PRAGMA kept.user_version = {version}")
    connection.close()
    plain.unlink()


def test_every_released_schema_has_its_file() -> None:
    assert set(RELEASED) >= set(range(1, SCHEMA_VERSION))


@pytest.mark.parametrize("version", RELEASED)
async def test_old_database_is_upgraded_sealed_and_sound(version: int, tmp_path: Path) -> None:
    unpack(version, tmp_path)
    async with open_workspace(tmp_path, KEY) as workspace:
        database = workspace.services.database
        workspace.clock.at_utc_ms += 1_000
        upgraded = await workspace.scalar("PRAGMA user_version")
        assert upgraded == SCHEMA_VERSION
        await workspace.sealing.sealed()
        assert await database.read(archive_size) == RELEASED[version]
        assert (await database.read(read_head)).sealed_size == RELEASED[version]
        edited = str(
            await workspace.scalar("SELECT message_id FROM messages WHERE text = 'First words'")
        )
        original, newer = await database.read(lambda c: entries_of_message(c, edited))
        assert b"Frist words" in (original.body or b"")
        assert b"First words" in (newer.body or b"")
        async with client_of(workspace, ELENA) as client:
            home = str(await workspace.scalar("SELECT conversation_id FROM conversations"))
            answer = await submit(client, home, draft("Sent after", clock=workspace.clock))
            assert answer.status_code == 201, answer.text
        await workspace.sealing.sealed()
        seen, blobs = workspace.sealing.witness.seen, BlobStore(tmp_path / "blobs", KEY)

        def whole(connection: Connection) -> WholeAudit:
            return audit_whole(connection, blobs, seen, lambda *_: None)

        found = await database.read(whole)
        assert (found.log.fault, found.messages) == ("", 6)
        with pytest.raises(IntegrityError, match="only grow"):
            await database.write(
                lambda c: c.exec_driver_sql("UPDATE archive_entries SET kind = 'x'")
            )


async def test_upgrade_happens_once(tmp_path: Path) -> None:
    unpack(1, tmp_path)
    for _ in range(2):
        async with open_workspace(tmp_path, KEY) as workspace:
            assert await workspace.scalar("SELECT count(*) FROM firms") == 1
            await workspace.sealing.sealed()
