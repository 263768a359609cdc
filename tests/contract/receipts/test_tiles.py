"""Tiles are addressed, cut and read as C2SP tlog-tiles says.

It reads nothing from a disk but the published log.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.receipts import (
    Checkpoint,
    FaultCode,
    TileError,
    VerifierKey,
    format_checkpoint,
    open_checkpoint,
    verify_consistency,
    verify_growth,
    verify_inclusion,
)
from contract.receipts.leaf import leaf_hash
from contract.receipts.merkle import build_consistency, build_inclusion, range_root
from contract.receipts.tiles import (
    Tile,
    bundle_path,
    format_bundle,
    format_tile,
    node_in_tile,
    nodes_from,
    parse_bundle,
    parse_tile,
    parse_tile_path,
    tile_holding,
    tile_path,
    tiles_of_growth,
)
from contract.receipts.trees import MemoryTree
from tests.support.vectors import require_vectors

LOG_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
TREE = MemoryTree([leaf_hash(str(index).encode()) for index in range(70_000)])


def _cut(tile: Tile) -> bytes:
    first = tile.position * 256
    hashes = [TREE.node(tile.level * 8, first + at) for at in range(tile.width)]
    return format_tile(hashes)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999), "tile/0/999"),
        (Tile(1, 1000), "tile/1/x001/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(2, 1234067, 12), "tile/2/x001/x234/067.p/12"),
        (Tile(63, 5, 1), "tile/63/005.p/1"),
    ],
)
def test_addresses_are_written_as_the_specification_says(tile: Tile, path: str) -> None:
    assert tile_path(tile) == path
    assert parse_tile_path(path) == (tile, False)


def test_bundles_are_addressed_like_their_tiles() -> None:
    assert bundle_path(Tile(0, 1234067, 7)) == "tile/entries/x001/x234/067.p/7"
    assert parse_tile_path("tile/entries/x001/x234/067.p/7") == (Tile(0, 1234067, 7), True)
    with pytest.raises(TileError):
        bundle_path(Tile(1, 0))


@given(st.integers(0, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_every_address_is_read_back(level: int, position: int, width: int) -> None:
    tile = Tile(level, position, width)
    assert parse_tile_path(tile_path(tile)) == (tile, False)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/000",
        "tile/0/1000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/-1/000",
        "tile/0/../000",
        "/tile/0/000",
        "0/000",
        "tile/entries/0",
        "tile/0/000 ",
    ],
)
def test_no_other_spelling_of_an_address_is_read(path: str) -> None:
    with pytest.raises(TileError) as caught:
        parse_tile_path(path)
    assert caught.value.code is FaultCode.TILE_MALFORMED


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    tiles = list(tiles_of_growth(0, 70_000))
    full = [tile for tile in tiles if tile.width == 256]
    assert [sum(tile.level == level for tile in full) for level in range(3)] == [273, 1, 0]
    partial = [tile for tile in tiles if tile.width < 256]
    assert partial == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles_of_growth(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of_growth(5, 5)) == []
    with pytest.raises(TileError):
        list(tiles_of_growth(5, 4))


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_growth_names_every_tile_that_changed(one: int, other: int) -> None:
    old, new = sorted((one, other))
    written = set(tiles_of_growth(old, new))
    assert written == set(tiles_of_growth(0, new)) - set(tiles_of_growth(0, old))


@given(st.integers(1, 70_000), st.data())
def test_proofs_are_built_from_tiles_alone(size: int, data: st.DataObject) -> None:
    served = set(tiles_of_growth(0, size))
    read: list[Tile] = []

    def fetch(tile: Tile) -> bytes:
        assert tile in served
        read.append(tile)
        return _cut(tile)

    node = nodes_from(fetch, size)
    index, size1 = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root = TREE.root(size)
    assert range_root(0, size, node) == root
    verify_inclusion(index, size, TREE.node(0, index), build_inclusion(index, size, node), root)
    proof = build_consistency(size1, size, node)
    verify_consistency(size1, size, proof, TREE.root(size1), root)
    assert len(set(read)) <= 9


def test_a_wider_tile_serves_and_a_narrower_one_is_refused() -> None:
    tile = Tile(0, 3, 9)
    assert tile_holding(3, 96, 777) == tile
    for width, serves in ((9, True), (200, True), (8, False)):

        def read(asked: Tile, width: int = width) -> bytes:
            return _cut(asked._replace(width=width))

        node = nodes_from(read, 777)
        if serves:
            assert node(3, 96) == TREE.node(3, 96)
        else:
            with pytest.raises(TileError):
                node(3, 96)
    with pytest.raises(TileError):
        node_in_tile(_cut(tile), 4, 48)


@pytest.mark.parametrize(("level", "index"), [(0, 10), (1, 5), (4, 0), (-1, 0), (0, -1)])
def test_a_node_that_is_not_complete_is_in_no_tile(level: int, index: int) -> None:
    with pytest.raises(TileError):
        tile_holding(level, index, 10)


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=256))
def test_bundles_are_read_back_whole_or_not_at_all(entries: list[bytes]) -> None:
    data = format_bundle(entries)
    assert parse_bundle(data, len(entries)) == entries
    for wrong in (data[:-1], data + b"\0", data + b"\0\1"):
        with pytest.raises(TileError):
            parse_bundle(wrong, len(entries))
    for width in (len(entries) - 1, len(entries) + 1):
        with pytest.raises(TileError):
            parse_bundle(data, width)


def test_tiles_and_bundles_out_of_bounds_are_refused() -> None:
    assert parse_bundle(format_bundle([bytes(65_535)]), 1) == [bytes(65_535)]
    for entries in ([], [b""] * 257, [bytes(65_536)]):
        with pytest.raises(TileError):
            format_bundle(entries)
    for data in (b"", bytes(31), bytes(257 * 32)):
        with pytest.raises(TileError):
            parse_tile(data)
    for hashes in ([], [bytes(31)], [bytes(32)] * 257):
        with pytest.raises(TileError):
            format_tile(hashes)
    with pytest.raises(TileError):
        tile_path(Tile(0, -1))


def test_the_published_log_holds_at_each_of_its_sixteen_checkpoints() -> None:
    folder = require_vectors("tlog/tessera-log")
    key = VerifierKey.parse(LOG_KEY)
    checkpoints: list[Checkpoint] = []
    for size in range(16):
        opened = open_checkpoint((folder / f"checkpoint.{size}").read_bytes(), key)
        checkpoint = opened.checkpoint
        assert checkpoint.size == size
        assert format_checkpoint(checkpoint) == opened.text
        node = nodes_from(lambda tile: (folder / tile_path(tile)).read_bytes(), size)
        assert range_root(0, size, node) == checkpoint.root
        bundle = Tile(0, 0, size)
        data = (folder / bundle_path(bundle)).read_bytes() if size else b""
        for index, entry in enumerate(parse_bundle(data, size)):
            proof = build_inclusion(index, size, node)
            verify_inclusion(index, size, leaf_hash(entry), proof, checkpoint.root)
        for old in checkpoints:
            proof = build_consistency(old.size, size, node) if old.size else []
            verify_growth(old, checkpoint, proof)
        checkpoints.append(checkpoint)
    newest = open_checkpoint((folder / "checkpoint").read_bytes(), key).checkpoint
    assert newest == checkpoints[-1]
