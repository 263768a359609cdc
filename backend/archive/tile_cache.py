"""Owns a cache of tiles read from a published log, bounded by its bytes whatever the log's size.

It never keeps a partial tile: a longer one takes its place soon.
"""

from __future__ import annotations

from collections import OrderedDict

from backend.archive.tile_places import TilePlace
from contract.receipts.errors import FaultCode, TileError
from contract.receipts.tiles import TILE_WIDTH, Tile, tile_path

CACHED_BYTES = 4 << 20


class TileCache:
    """Reads tiles; the ones used last stay. Use it as the `read` of `nodes_from`."""

    def __init__(self, place: TilePlace, most_bytes: int = CACHED_BYTES) -> None:
        self._place = place
        self._most_bytes = most_bytes
        self._tiles: OrderedDict[Tile, bytes] = OrderedDict()
        self.size_bytes = 0

    def __call__(self, tile: Tile) -> bytes:
        """Return a tile's bytes, from the full tile where the partial one is gone.

        Raises TileError when neither is there, OSError when the place can't be read.
        """
        full = tile._replace(width=TILE_WIDTH)
        kept = self._tiles.get(full)
        if kept is not None:
            self._tiles.move_to_end(full)
            return kept
        if tile.width < TILE_WIDTH:
            part = self._place.read(tile_path(tile))
            if part is not None:
                return part
        data = self._place.read(tile_path(full))
        if data is None:
            raise TileError(FaultCode.TILE_MALFORMED, f"{tile_path(tile)} is missing")
        self._keep(full, data)
        return data

    def _keep(self, tile: Tile, data: bytes) -> None:
        self._tiles[tile] = data
        self.size_bytes += len(data)
        while self.size_bytes > self._most_bytes:
            _, dropped = self._tiles.popitem(last=False)
            self.size_bytes -= len(dropped)
