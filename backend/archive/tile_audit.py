"""Owns the audit of a published log from its files alone: entries, tiles, root, signatures.

It never asks a database, and holds no more than one tile of each level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from backend.archive.tile_places import TilePlace
from backend.archive.tile_store import CHECKPOINT
from contract.receipts.cosignatures import (
    OpenedCheckpoint,
    check_policy,
    open_checkpoint,
    require_quorum,
)
from contract.receipts.errors import FaultCode, ProofError, ReceiptError, TileError
from contract.receipts.keys import VerifierKey
from contract.receipts.leaf import leaf_hash
from contract.receipts.merkle import EMPTY_ROOT, node_hash, root_of
from contract.receipts.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    bundle_path,
    format_tile,
    parse_bundle,
    tile_path,
)

Progress = Callable[[int, int], None]


class TileAudit(NamedTuple):
    """The outcome: how many entries were verified, and the first fault, if any."""

    entries: int
    size: int
    root: bytes
    witnesses: tuple[str, ...]
    fault: str = ""

    @property
    def ok(self) -> bool:
        """Tell whether everything published is sound."""
        return not self.fault


def audit_tiles(
    place: TilePlace,
    log_key: VerifierKey,
    witnesses: Sequence[VerifierKey] = (),
    quorum: int = 0,
    progress: Progress | None = None,
) -> TileAudit:
    """Recompute the published tree from its entries, and check the checkpoint over it.

    Raises OSError when the place can't be read.
    """
    walk = _Walk(place)
    try:
        check_policy(log_key, witnesses, quorum)
        opened = _opened(place, log_key, witnesses, quorum)
    except ReceiptError as error:
        return TileAudit(0, 0, b"", (), f"the checkpoint does not hold: {error}")
    size = opened.checkpoint.size
    names = tuple(sorted({one.key.name for one in opened.cosignatures}))
    fault = ""
    try:
        for position in range(-(-size // TILE_WIDTH)):
            walk.take(Tile(0, position, min(TILE_WIDTH, size - position * TILE_WIDTH)))
            if progress is not None:
                progress(walk.entries, size)
        walk.finish()
        if walk.root() != opened.checkpoint.root:
            fault = "the entries do not have the root that the checkpoint names"
    except ReceiptError as error:
        fault = str(error)
    return TileAudit(walk.entries, size, opened.checkpoint.root, names, fault)


def _opened(
    place: TilePlace, log_key: VerifierKey, witnesses: Sequence[VerifierKey], quorum: int
) -> OpenedCheckpoint:
    note = place.read(CHECKPOINT)
    if note is None:
        raise ProofError(FaultCode.CHECKPOINT_MALFORMED, "there is none")
    opened = open_checkpoint(note, log_key, witnesses)
    require_quorum(opened.cosignatures, quorum)
    return opened


class _Walk:
    """The tree grown again, tile by tile; `_open[level]` are the hashes of its unfinished tile."""

    def __init__(self, place: TilePlace) -> None:
        self._place = place
        self._open: list[list[bytes]] = [[]]
        self._done: list[int] = [0]
        self._peaks: list[tuple[int, bytes]] = []
        self.entries = 0

    def take(self, tile: Tile) -> None:
        """Read one bundle with its tile; raises TileError for what does not fit."""
        data, width = self._read(tile, bundle_path)
        try:
            entries = parse_bundle(data, width)[: tile.width]
        except TileError as error:
            raise _wrong(f"{bundle_path(tile)}: {error}") from error
        self._open[0] = [leaf_hash(entry) for entry in entries]
        self.entries += len(entries)
        for one in self._open[0] if tile.width < TILE_WIDTH else ():
            self._add_peak(0, one)
        if tile.width == TILE_WIDTH:
            self._close(0)

    def finish(self) -> None:
        """Check the partial tiles at the tree's end; raises TileError."""
        for level, hashes in enumerate(self._open):
            if hashes:
                self._compare(Tile(level, self._done[level], len(hashes)), hashes)

    def root(self) -> bytes:
        """Return the root of all that was taken."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def _close(self, level: int) -> None:
        """Compare a full tile and carry its root up."""
        hashes, self._open[level] = self._open[level], []
        self._compare(Tile(level, self._done[level]), hashes)
        self._done[level] += 1
        top = root_of(hashes)
        if level == 0:
            self._add_peak(TILE_HEIGHT, top)
        if level + 1 == len(self._open):
            self._open.append([])
            self._done.append(0)
        self._open[level + 1].append(top)
        if len(self._open[level + 1]) == TILE_WIDTH:
            self._close(level + 1)

    def _add_peak(self, height: int, one: bytes) -> None:
        while self._peaks and self._peaks[-1][0] == height:
            one = node_hash(self._peaks.pop()[1], one)
            height += 1
        self._peaks.append((height, one))

    def _compare(self, tile: Tile, hashes: list[bytes]) -> None:
        data, width = self._read(tile, tile_path)
        if len(data) != width * len(EMPTY_ROOT):
            raise _wrong(f"{tile_path(tile)} does not hold {width} hashes")
        if not data.startswith(format_tile(hashes)):
            raise _wrong(f"{tile_path(tile)} does not hold the hashes of the entries")

    def _read(self, tile: Tile, path: Callable[[Tile], str]) -> tuple[bytes, int]:
        """Return a file's bytes with its width: the full one's where the partial one is gone."""
        data = self._place.read(path(tile))
        if data is not None:
            return data, tile.width
        data = self._place.read(path(tile._replace(width=TILE_WIDTH)))
        if data is None:
            raise _wrong(f"{path(tile)} is missing")
        return data, TILE_WIDTH


def _wrong(words: str) -> TileError:
    return TileError(FaultCode.TILE_MALFORMED, words)
