"""Owns the serving of tiles and entry bundles (C2SP tlog-tiles) from the stored log.

It never serves what the quorum of witnesses has not sealed, and never a body.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from backend.archive.log import read_head
from backend.storage.tables import archive_entries, archive_leaves, archive_nodes
from contract.receipts.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    format_bundle,
    format_tile,
    parse_tile_path,
)


def tile_bytes(connection: Connection, path: str) -> bytes | None:
    """Return the bytes of `tile/…`; None when the sealed log does not reach there.

    Raises TileError for a path that is no tile's.
    """
    tile, of_entries = parse_tile_path(path)
    first = tile.position * TILE_WIDTH
    last = first + tile.width
    sealed_size = read_head(connection).sealed_size
    if last << (TILE_HEIGHT * tile.level) > sealed_size:
        return None
    if of_entries:
        return format_bundle(_leaves(connection, first, last))
    return format_tile(_hashes(connection, tile, first, last))


def _leaves(connection: Connection, first: int, last: int) -> list[bytes]:
    index = archive_leaves.c.leaf_index
    rows = connection.execute(
        select(archive_entries.c.leaf)
        .join(archive_leaves, archive_leaves.c.sequence == archive_entries.c.sequence)
        .where(index >= first, index < last)
        .order_by(index)
    )
    return list(rows.scalars())


def _hashes(connection: Connection, tile: Tile, first: int, last: int) -> list[bytes]:
    if tile.level == 0:
        index = archive_leaves.c.leaf_index
        query = select(archive_leaves.c.leaf_hash).where(index >= first, index < last)
        return list(connection.execute(query.order_by(index)).scalars())
    nodes = archive_nodes.c
    query = (
        select(nodes.hash)
        .where(
            nodes.level == tile.level * TILE_HEIGHT, nodes.position >= first, nodes.position < last
        )
        .order_by(nodes.position)
    )
    return list(connection.execute(query).scalars())
