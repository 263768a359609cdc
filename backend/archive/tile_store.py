"""Owns the publishing of the sealed log as files: tiles, entry bundles, and the checkpoint last.

It never publishes what the quorum of witnesses has not sealed, and never over another log.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from sqlalchemy import Connection

from backend.archive.log import read_head
from backend.archive.nodes import NodeCache
from backend.archive.proofs import CosignedCheckpoint, newest_sealed
from backend.archive.tile_places import TilePlace
from backend.archive.tiles import tile_bytes
from backend.storage.database import Database
from contract.receipts.checkpoints import Checkpoint, parse_checkpoint
from contract.receipts.errors import ReceiptError
from contract.receipts.merkle import range_root
from contract.receipts.notes import split_note
from contract.receipts.tiles import TILE_WIDTH, bundle_path, tile_path, tiles_of_growth

_log = logging.getLogger(__name__)
CHECKPOINT = "checkpoint"
RETRY_S = 5.0


class TilesRefused(Exception):
    """Nothing was published; the text is a plain sentence that says why."""


class Published(NamedTuple):
    """How many entries the published log holds now, and how many files were written for that."""

    size: int
    written: int


def publish_tiles(database: Database, place: TilePlace) -> Published:
    """Bring the published files up to the newest sealed checkpoint; it blocks.

    The checkpoint is written last: until then readers see the log as it was, and what a crash
    left behind is written again, with the same bytes. Raises TilesRefused when another log lies
    there, OSError when the place can't be written.
    """
    checkpoint = database.read_now(newest_sealed)
    before = _published(place)
    if checkpoint is None:
        if before is not None:
            _foreign()
        return Published(0, 0)
    old_size = 0
    if before is not None:
        _check_ours(database, before, checkpoint)
        old_size = before.size
        if old_size == checkpoint.size:
            return Published(old_size, 0)
    written, full = 0, []
    for name, width in _names(old_size, checkpoint.size):
        data = database.read_now(functools.partial(tile_bytes, path=name))
        if data is None:
            raise TilesRefused("A sealed tile is missing in the archive: run `archive verify`.")
        written += _put(place, name, data)
        if width == TILE_WIDTH:
            full.append(name)
    place.write(CHECKPOINT, checkpoint.note)
    for name in full:
        place.drop_partials(name)
    return Published(checkpoint.size, written + 1)


class TilePublisher:
    """Publishes after each seal; a place that fails is tried again, and the health says so."""

    def __init__(self, database: Database, place: TilePlace) -> None:
        self._database = database
        self._place = place
        self.problems: tuple[str, ...] = ()

    async def run(self) -> None:
        """Publish until cancelled."""
        committed = asyncio.Event()
        unsubscribe = self._database.on_commit(committed.set)
        published = -1
        try:
            while True:
                committed.clear()
                head = await self._database.read(read_head)
                if head.sealed_size == published:
                    await committed.wait()
                elif (size := await self._publish()) is None:
                    await asyncio.sleep(RETRY_S)
                else:
                    published = size
        finally:
            unsubscribe()

    async def _publish(self) -> int | None:
        """Return how many entries are published now; None when it failed."""
        try:
            published = await asyncio.to_thread(publish_tiles, self._database, self._place)
        except (TilesRefused, OSError) as error:
            if not self.problems:
                _log.error("tiles not published", extra={"error": type(error).__name__})
            self.problems = ("published tiles: the log's files can't be brought up to date",)
            return None
        self.problems = ()
        return published.size


def _published(place: TilePlace) -> Checkpoint | None:
    """Return the tree published last; its signatures don't matter, its root is compared."""
    note = place.read(CHECKPOINT)
    if note is None:
        return None
    try:
        return parse_checkpoint(split_note(note).text)
    except ReceiptError:
        _foreign()


def _check_ours(database: Database, before: Checkpoint, newest: CosignedCheckpoint) -> None:
    """Raise TilesRefused unless the published tree is the beginning of ours."""
    if before.size > newest.size:
        raise TilesRefused(
            f"More is published there ({before.size} entries) than the archive has sealed "
            f"({newest.size}): is this a restored backup?"
        )

    def root(connection: Connection) -> bytes:
        return range_root(0, before.size, NodeCache().reader(connection))

    ours = parse_checkpoint(split_note(newest.note).text)
    if before.origin != ours.origin or database.read_now(root) != before.root:
        _foreign()


def _foreign() -> NoReturn:
    raise TilesRefused("Another log is published there: name an empty place.")


def _names(old_size: int, new_size: int) -> Iterator[tuple[str, int]]:
    for tile in tiles_of_growth(old_size, new_size):
        if tile.level == 0:
            yield bundle_path(tile), tile.width
        yield tile_path(tile), tile.width


def _put(place: TilePlace, name: str, data: bytes) -> int:
    """Write a file unless it is there; raises TilesRefused for other bytes under its name."""
    there = place.read(name)
    if there is None:
        place.write(name, data)
        return 1
    if there != data:
        raise TilesRefused(f"{name} is published with other bytes: run `archive verify-tiles`.")
    return 0
