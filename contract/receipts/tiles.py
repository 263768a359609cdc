"""The tiles and entry bundles of a log (C2SP tlog-tiles): their addresses, bytes and nodes.

It reads and writes no file: callers fetch what an address names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from contract.receipts.encoding import MAX_NUMBER, decode_decimal
from contract.receipts.errors import FaultCode, TileError
from contract.receipts.merkle import HASH_BYTES, NodeAt, root_of

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 65_535
_LENGTH_BYTES = 2
_ENTRIES = "entries"


class Tile(NamedTuple):
    """The address of a tile: `width` is 256 for a full one, 1 to 255 for a partial one.

    `level` counts in tiles: level 1 holds the roots of full tiles of level 0. An entry bundle
    has the address of the level 0 tile with the hashes of its entries.
    """

    level: int
    position: int
    width: int = TILE_WIDTH


ReadTile = Callable[[Tile], bytes]


def tile_path(tile: Tile) -> str:
    """Return `tile/<L>/<N>[.p/<W>]`; raises TileError for an address out of range."""
    _check_address(tile)
    return f"tile/{tile.level}/{_position_path(tile)}"


def bundle_path(tile: Tile) -> str:
    """Return `tile/entries/<N>[.p/<W>]` for the entries of a level 0 tile; raises TileError."""
    _check_address(tile)
    if tile.level:
        raise _malformed("only level 0 has entries")
    return f"tile/{_ENTRIES}/{_position_path(tile)}"


def parse_tile_path(path: str) -> tuple[Tile, bool]:
    """Return the address in a path, and whether it is that of an entry bundle.

    Raises TileError for all but the one spelling of an address.
    """
    head, _, rest = path.removeprefix("tile/").partition("/")
    of_entries = head == _ENTRIES
    position, dot, width = rest.partition(".p/")
    digits = "".join(part.removeprefix("x") for part in position.split("/"))
    try:
        tile = Tile(
            0 if of_entries else decode_decimal(head),
            decode_decimal(digits.lstrip("0") or "0"),
            decode_decimal(width) if dot else TILE_WIDTH,
        )
    except ValueError as error:
        raise _malformed(str(error)) from error
    if (bundle_path(tile) if of_entries else tile_path(tile)) != path:
        raise _malformed("the path is not written as tiles are")
    return tile, of_entries


def tile_holding(level: int, index: int, size: int) -> Tile:
    """Return the tile of tree level `level // 8` that node (level, index) is made from.

    Its width is what a tree of `size` leaves has there. Raises TileError when that tree has no
    such complete node.
    """
    if level < 0 or index < 0 or (index + 1) << level > size:
        raise _malformed("the tree has no such complete node")
    tile_level, inside = divmod(level, TILE_HEIGHT)
    position = (index << inside) // TILE_WIDTH
    complete = size >> (tile_level * TILE_HEIGHT)
    return Tile(tile_level, position, min(TILE_WIDTH, complete - position * TILE_WIDTH))


def node_in_tile(data: bytes, level: int, index: int) -> bytes:
    """Return node (level, index) from the bytes of the tile that `tile_holding` names.

    Raises TileError when the tile does not hold all hashes below the node.
    """
    inside = level % TILE_HEIGHT
    first = (index << inside) % TILE_WIDTH
    hashes = parse_tile(data)[first : first + (1 << inside)]
    if len(hashes) != 1 << inside:
        raise _malformed("it is too narrow for this node")
    return root_of(hashes)


def nodes_from(read: ReadTile, size: int) -> NodeAt:
    """Return node(level, index) of a tree of `size` leaves, as proofs are built from tiles.

    `read` returns the bytes of one tile, or of a wider one in its place, and should cache: each
    call of the node function reads one tile, and raises TileError when it is too narrow.
    """

    def node(level: int, index: int) -> bytes:
        tile = tile_holding(level, index, size)
        data = read(tile)
        if len(data) < tile.width * HASH_BYTES:
            raise _malformed("it is narrower than its address says")
        return node_in_tile(data, level, index)

    return node


def tiles_of_growth(old_size: int, new_size: int) -> Iterator[Tile]:
    """Yield the tiles to write when a tree grows: the new full ones and each level's partial one.

    Starting from 0 it yields every tile of the tree. Raises TileError for a shrinking tree.
    """
    if not 0 <= old_size <= new_size:
        raise _malformed("a tree only grows")
    for level in range(MAX_LEVEL + 1):
        old, new = old_size >> (level * TILE_HEIGHT), new_size >> (level * TILE_HEIGHT)
        if old == new:
            return
        for position in range(old // TILE_WIDTH, new // TILE_WIDTH):
            yield Tile(level, position)
        if new % TILE_WIDTH:
            yield Tile(level, new // TILE_WIDTH, new % TILE_WIDTH)


def parse_tile(data: bytes) -> list[bytes]:
    """Return the 1 to 256 hashes of a tile; raises TileError."""
    if len(data) % HASH_BYTES or not 0 < len(data) <= TILE_WIDTH * HASH_BYTES:
        raise _malformed("it does not hold 1 to 256 hashes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def format_tile(hashes: Sequence[bytes]) -> bytes:
    """Return the bytes of a tile; raises TileError unless it has 1 to 256 hashes."""
    if any(len(one) != HASH_BYTES for one in hashes):
        raise _malformed("a hash does not hold 32 bytes")
    data = b"".join(hashes)
    parse_tile(data)
    return data


def format_bundle(entries: Sequence[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length in two bytes.

    Raises TileError unless there are 1 to 256 entries of at most 65 535 bytes.
    """
    if not 0 < len(entries) <= TILE_WIDTH:
        raise _malformed("a bundle holds 1 to 256 entries")
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise _malformed("an entry is longer than 65 535 bytes")
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def parse_bundle(data: bytes, width: int = TILE_WIDTH) -> list[bytes]:
    """Return exactly `width` entries of a bundle; raises TileError for more, fewer or a rest."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < width:
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or end > len(data):
            raise _malformed("the bundle ends inside an entry")
        entries.append(data[start:end])
        at = end
    if at != len(data) or len(entries) != width:
        raise _malformed("the bundle does not hold as many entries as its address says")
    return entries


def _position_path(tile: Tile) -> str:
    digits = str(tile.position)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "".join(f"x{group}/" for group in groups[:-1]) + groups[-1]
    return path if tile.width == TILE_WIDTH else f"{path}.p/{tile.width}"


def _check_address(tile: Tile) -> None:
    inside = 0 <= tile.level <= MAX_LEVEL and 0 <= tile.position <= MAX_NUMBER
    if not inside or not 0 < tile.width <= TILE_WIDTH:
        raise _malformed("the address of the tile is out of range")


def _malformed(why: str) -> TileError:
    return TileError(FaultCode.TILE_MALFORMED, f"this is not a tile of the log: {why}")
