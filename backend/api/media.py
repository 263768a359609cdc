"""Owns the addresses from which vendors fetch files of sent messages, by signed links.

It never lists anything, tells nobody why a link leads nowhere, and logs no link.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.api.byte_ranges import ranged_answer
from backend.channels.file_links import COVER, PATH, SignedFileLinks
from backend.delivery.linked_files import linked_file
from backend.storage.blobs import BlobDamaged, BlobStore
from backend.storage.database import Database

_LATELY_MS = 10 * 60_000
_COVER_PX = 320
_COVER_GREY = 0xD8
# Whoever opens a link in a browser gets bytes to keep, never a page of the firm's host.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}
_log = logging.getLogger(__name__)


class Media(NamedTuple):
    """What the addresses need."""

    database: Database
    blobs: BlobStore
    links: SignedFileLinks
    now: Callable[[], int]


class MediaDesk:
    """Serves `/media/{token}`; `refused` counts the calls that led nowhere, by reason."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self.refused: Counter[str] = Counter()
        self._last_refused: dict[str, int] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """Return which genuine links led nowhere lately, in plain words; guesses are no problem."""
        since_utc_ms = self._media.now() - _LATELY_MS
        return tuple(
            f"{self.refused[reason]} calls for files of sent messages were refused ({reason})"
            for reason, at_utc_ms in self._last_refused.items()
            if at_utc_ms >= since_utc_ms
        )

    def routes(self) -> list[Route]:
        """Return the routes; each takes GET and HEAD."""
        return [
            Route(COVER, self._cover, methods=["GET"]),
            Route(PATH + "/{token}", self._serve, methods=["GET"]),
        ]

    async def _cover(self, _request: Request) -> Response:
        return Response(_COVER, headers={"X-Content-Type-Options": "nosniff"}, media_type=_PNG)

    async def _serve(self, request: Request) -> Response:
        media = self._media
        linked = media.links.read(request.path_params["token"])
        if linked is None:
            return self._refuse("not genuine", is_ours=False)
        if linked.ends_at_utc_ms <= media.now():
            return self._refuse("expired")
        file = await media.database.read(
            lambda c: linked_file(c, linked.attachment_id, linked.attempt_id)
        )
        if file is None:
            return self._refuse("gone")
        head = request.method == "HEAD"
        try:
            answer = await ranged_answer(media.blobs, file, request.headers, _HEADERS, head=head)
        except BlobDamaged:
            return self._refuse("damaged")
        if answer is None:
            told = {"Content-Range": f"bytes */{file.size_bytes}", **_HEADERS}
            return Response(status_code=416, headers=told)
        return answer

    def _refuse(self, reason: str, *, is_ours: bool = True) -> Response:
        self.refused[reason] += 1
        if is_ours:
            self._last_refused[reason] = self._media.now()
        level = logging.WARNING if is_ours else logging.INFO
        _log.log(level, "a call for a file was refused", extra={"reason": reason})
        return Response(status_code=404, headers={"Cache-Control": "no-store"})


def _grey_png(side_px: int, grey: int) -> bytes:
    """Return a square picture of one grey (PNG, 8 bits a pixel; W3C, Portable Network Graphics)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([grey]) * side_px) * side_px
    pieces = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


_PNG = "image/png"
_COVER = _grey_png(_COVER_PX, _COVER_GREY)
