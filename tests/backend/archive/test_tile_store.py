"""The log's published files can be audited alone, are brought up to date, and survive crashes.

It never has an audit of its own: the product's files and those of another maker's log are read
with the same code.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from backend.archive.entries import NewEntry, append_entries
from backend.archive.log import read_head
from backend.archive.tile_audit import TileAudit, audit_tiles
from backend.archive.tile_cache import TileCache
from backend.archive.tile_places import TileBucket, TileFolder, TilePlace
from backend.archive.tile_store import (
    CHECKPOINT,
    TilePublisher,
    TilesRefused,
    publish_tiles,
)
from backend.archive.worm import S3Client
from contract.ids import uuid7
from contract.receipts.errors import TileError
from contract.receipts.keys import VerifierKey
from contract.receipts.leaf import Envelope, body_commitment, leaf_hash
from contract.receipts.merkle import build_inclusion, verify_inclusion
from contract.receipts.signers import Ed25519Signer
from contract.receipts.tiles import Tile, nodes_from, parse_bundle
from tests.backend.archive.object_store import BUCKET, object_store
from tests.backend.workspace import FIRM, START_UTC_MS, Workspace, open_workspace
from tests.support.log_guard import LogGuard
from tests.support.vectors import require_vectors

TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


class Counting(TileFolder):
    """A folder that counts what is asked of it, and fails at a write when told."""

    def __init__(self, folder: Path, fail_at: int = 0) -> None:
        super().__init__(folder)
        self.reads: list[str] = []
        self.writes: list[str] = []
        self.fail_at = fail_at

    def read(self, name: str) -> bytes | None:
        """Read, and note it."""
        self.reads.append(name)
        return super().read(name)

    def write(self, name: str, data: bytes) -> None:
        """Write, and note it; the last write before a crash leaves its file behind."""
        self.writes.append(name)
        super().write(name, data)
        if len(self.writes) == self.fail_at:
            raise OSError(28, "no space left")


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace whose log holds 600 entries."""
    async with open_workspace(tmp_path / "data") as opened:
        await grow(opened, 599)
        yield opened


async def grow(workspace: Workspace, count: int) -> None:
    """Add entries and have them sealed."""

    def work(connection: Connection) -> None:
        salt, body = b"s" * 32, b"{}"
        new = [
            Envelope(
                firm_id=FIRM,
                entry_id=uuid7(
                    START_UTC_MS,
                    number.to_bytes(5, "big") + workspace.clock().to_bytes(8, "big")[3:],
                ),
                kind="diagnostics",
                actor_id="test",
                conversation_id="",
                message_id="",
                revision=0,
                occurred_at_utc_ms=START_UTC_MS,
                body_commitment=body_commitment(salt, body),
            )
            for number in range(count)
        ]
        append_entries(connection, [NewEntry(each, salt, body) for each in new], START_UTC_MS)

    await workspace.services.database.write(work)
    await workspace.sealing.sealed()


def audited(workspace: Workspace, place: TilePlace) -> TileAudit:
    """Audit a place with the workspace's own keys."""
    sealing = workspace.sealing
    return audit_tiles(place, sealing.signer.verifier_key, (sealing.witness.key,), 1)


async def published(workspace: Workspace, place: TilePlace) -> int:
    """Publish and return how many files were written."""
    done = await asyncio.to_thread(publish_tiles, workspace.services.database, place)
    head = await workspace.services.database.read(read_head)
    assert done.size == head.sealed_size
    return done.written


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


async def test_published_log_is_audited_from_its_files_alone(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "tiles"
    assert await published(workspace, TileFolder(folder)) == 8
    assert sorted(files_of(folder)) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    found = audited(workspace, TileFolder(folder))
    assert (found.fault, found.entries, found.size) == ("", 600, 600)
    assert found.witnesses == (workspace.sealing.witness.key.name,)
    stranger = Ed25519Signer("stranger", b"s" * 32).verifier_key
    assert "does not hold" in audit_tiles(TileFolder(folder), stranger).fault


async def test_publishing_again_writes_what_is_new_alone(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "tiles"
    await published(workspace, TileFolder(folder))
    assert await published(workspace, TileFolder(folder)) == 0
    await grow(workspace, 200)
    place = Counting(folder)
    assert await published(workspace, place) == 6
    assert place.writes == [
        "tile/entries/002",
        "tile/0/002",
        "tile/entries/003.p/32",
        "tile/0/003.p/32",
        "tile/1/000.p/3",
        "checkpoint",
    ]
    assert not any(name.startswith("tile/0/002.p") for name in files_of(folder))
    assert audited(workspace, TileFolder(folder)).ok


async def test_crash_after_any_write_is_made_good_by_the_next_run(
    workspace: Workspace, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    await published(workspace, TileFolder(whole))
    for fail_at in range(1, 9):
        folder = tmp_path / f"crashed-{fail_at}"
        with pytest.raises(OSError, match="no space"):
            await published(workspace, Counting(folder, fail_at))
        assert (folder / CHECKPOINT).exists() == (fail_at == 8)
        await published(workspace, TileFolder(folder))
        assert files_of(folder) == files_of(whole)


async def test_another_log_or_a_longer_one_is_never_written_over(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "tiles"
    await published(workspace, TileFolder(folder))
    async with open_workspace(tmp_path / "other") as other:
        await other.inbound("Another log")
        with pytest.raises(TilesRefused, match="More is published"):
            await published(other, TileFolder(folder))
        await grow(other, 700)
        with pytest.raises(TilesRefused, match="Another log"):
            await published(other, TileFolder(folder))
        (folder / CHECKPOINT).unlink()
        with pytest.raises(TilesRefused, match="other bytes"):
            await published(other, TileFolder(folder))
    (folder / CHECKPOINT).write_bytes(b"nonsense")
    with pytest.raises(TilesRefused, match="Another log"):
        await published(workspace, TileFolder(folder))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("tile/0/001", "does not hold the hashes"),
        ("tile/0/002.p/88", "does not hold the hashes"),
        ("tile/1/000.p/2", "does not hold the hashes"),
        ("tile/entries/000", "tile/0/000 does not hold the hashes"),
        ("tile/entries/002.p/88", "does not hold the hashes"),
        ("checkpoint", "the checkpoint does not hold"),
    ],
)
async def test_changed_short_or_lost_file_is_named(
    workspace: Workspace, tmp_path: Path, name: str, fault: str
) -> None:
    folder = tmp_path / "tiles"
    await published(workspace, TileFolder(folder))
    path = folder / name
    honest = path.read_bytes()
    for at in (3, len(honest) // 2, len(honest) - 2):
        path.write_bytes(honest[:at] + bytes([honest[at] ^ 1]) + honest[at + 1 :])
        found = audited(workspace, TileFolder(folder))
        assert not found.ok
        assert fault in found.fault or "bundle" in found.fault
    path.write_bytes(honest[:-7])
    assert not audited(workspace, TileFolder(folder)).ok
    path.unlink()
    assert not audited(workspace, TileFolder(folder)).ok
    path.write_bytes(honest)
    assert audited(workspace, TileFolder(folder)).ok


async def test_entries_replaced_with_their_tiles_do_not_have_the_root(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "tiles"
    place = TileFolder(folder)
    await published(workspace, place)
    bundle = folder / "tile/entries/002.p/88"
    forged = bundle.read_bytes().replace(b"diagnostics", b"diagnostic5", 1)
    bundle.write_bytes(forged)
    hashes = b"".join(leaf_hash(entry) for entry in parse_bundle(forged, 88))
    (folder / "tile/0/002.p/88").write_bytes(hashes)
    assert "the root that the checkpoint names" in audited(workspace, place).fault


async def test_reader_between_two_checkpoints_finds_the_full_tile(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "tiles"
    await published(workspace, TileFolder(folder))
    older = (folder / CHECKPOINT).read_bytes()
    await grow(workspace, 200)
    await published(workspace, TileFolder(folder))
    (folder / CHECKPOINT).write_bytes(older)
    found = audited(workspace, TileFolder(folder))
    assert (found.fault, found.size) == ("", 600)


async def test_proofs_are_built_from_the_files_through_a_bounded_cache(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "tiles"
    await published(workspace, TileFolder(folder))
    place = Counting(folder)
    cache = TileCache(place, most_bytes=8_192)
    found = audited(workspace, TileFolder(folder))
    node = nodes_from(cache, found.size)
    entries = parse_bundle((folder / "tile/entries/000").read_bytes())
    for index in (0, 1, 255, 3):
        proof = build_inclusion(index, found.size, node)
        verify_inclusion(index, found.size, leaf_hash(entries[index]), proof, found.root)
        assert cache.size_bytes <= 8_192
    roomy = TileCache(place)
    for _ in range(3):
        build_inclusion(0, found.size, nodes_from(roomy, found.size))
    assert place.reads.count("tile/0/000") < 20
    before = len(place.reads)
    roomy(Tile(0, 0))
    assert len(place.reads) == before
    with pytest.raises(TileError, match="missing"):
        cache(Tile(0, 9))


async def test_publisher_follows_each_seal_and_waits_for_its_place(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: LogGuard
) -> None:
    expect_log("tiles not published", logger="backend.archive.tile_store")
    monkeypatch.setattr("backend.archive.tile_store.RETRY_S", 0.01)
    folder = tmp_path / "tiles"
    folder.write_bytes(b"in the way")
    publisher = TilePublisher(workspace.services.database, TileFolder(folder))
    task = asyncio.create_task(publisher.run())
    try:
        async with asyncio.timeout(60):
            while not publisher.problems:
                await asyncio.sleep(0.005)
            folder.unlink()
            for size in (600, 601, 602):
                while (
                    not (folder / CHECKPOINT).exists()
                    or audited(workspace, TileFolder(folder)).size != size
                ):
                    await asyncio.sleep(0.005)
                assert audited(workspace, TileFolder(folder)).ok
                await workspace.inbound("One more")
        assert publisher.problems == ()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def store() -> Iterator[S3Client]:
    """Yield a running object store."""
    with object_store() as client:
        yield client


async def test_bucket_holds_the_same_files(
    workspace: Workspace, store: S3Client, tmp_path: Path
) -> None:
    bucket = TileBucket(store, BUCKET, "logs/one")
    assert await published(workspace, bucket) == 8
    assert audited(workspace, bucket).ok
    await grow(workspace, 200)
    await published(workspace, bucket)
    await published(workspace, TileFolder(tmp_path / "tiles"))
    listed = store.list_objects_v2(Bucket=BUCKET)["Contents"]  # type: ignore[attr-defined]  # boto3's own
    names = sorted(item["Key"].removeprefix("logs/one/") for item in listed)
    same = files_of(tmp_path / "tiles")
    assert [name for name in names if name != "tile/1/000.p/2"] == sorted(same)
    assert all(bucket.read(name) == data for name, data in same.items())
    assert audited(workspace, bucket).ok
    with pytest.raises(OSError, match="can't be used"):
        TileBucket(store, "no-such-bucket").write("x", b"x")


@pytest.mark.parametrize("size", range(16))
def test_log_of_another_maker_is_audited_at_each_of_its_checkpoints(
    size: int, tmp_path: Path
) -> None:
    folder = tmp_path / "mirror"
    shutil.copytree(require_vectors("tlog") / "tessera-log", folder)
    shutil.copy(folder / f"checkpoint.{size}", folder / CHECKPOINT)
    key = VerifierKey.parse(TESSERA_KEY)
    found = audit_tiles(TileFolder(folder), key)
    assert (found.fault, found.size, found.entries) == ("", size, size)
    if size:
        bundle = folder / f"tile/entries/000.p/{size}"
        bundle.write_bytes(bundle.read_bytes()[:-1] + b"\xff")
        assert not audit_tiles(TileFolder(folder), key).ok
