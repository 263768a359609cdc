"""Keeps rows as they were painted, so that scrolling and moving rows only copies pictures.

It never holds more bytes than its bound and knows nothing of what the pictures show.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from PySide6.QtGui import QPainter, QPixmap

# About seventy rows of the inbox at 100 %, eighteen at 200 %: more than show at once.
MOST_BYTES = 6 * 1024 * 1024

Key = TypeVar("Key", bound=Hashable)


class PictureCache(Generic[Key]):
    """Pictures by all they depend on; those not used for longest go first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._pictures: OrderedDict[Key, QPixmap] = OrderedDict()
        self.size_bytes = 0

    def get(self, key: Key) -> QPixmap | None:
        """Return the picture, None when it is not there."""
        picture = self._pictures.get(key)
        if picture is not None:
            self._pictures.move_to_end(key)
        return picture

    def put(self, key: Key, picture: QPixmap) -> None:
        """Keep a picture; older ones go when it gets too much."""
        self._pictures[key] = picture
        self.size_bytes += _bytes_of(picture)
        while self.size_bytes > self._most_bytes and len(self._pictures) > 1:
            _, gone = self._pictures.popitem(last=False)
            self.size_bytes -= _bytes_of(gone)

    def clear(self) -> None:
        """Forget every picture, as after a change of look."""
        self._pictures.clear()
        self.size_bytes = 0


@contextmanager
def painting(picture: QPixmap) -> Iterator[QPainter]:
    """Return a painter on a picture, ended when the block ends."""
    painter = QPainter(picture)
    try:
        yield painter
    finally:
        painter.end()


def _bytes_of(picture: QPixmap) -> int:
    return picture.width() * picture.height() * 4
