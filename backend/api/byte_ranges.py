"""Owns the answer with a stored file's bytes, or with the range of them that was asked for.

It never decides who may read a file and never keeps a whole one in memory.

Ranges: RFC 9110, section 14; one range a call.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping

from starlette.responses import Response, StreamingResponse

from backend.inbox.uploads import StoredAttachment
from backend.storage.blobs import BlobDamaged, BlobStore

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def ranged_answer(
    blobs: BlobStore,
    file: StoredAttachment,
    asked: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    head: bool = False,
) -> Response | None:
    """Return 200 or 206 with a file's bytes; None when it has no such range (answer 416).

    `asked` are the request's headers, `headers` those to answer with besides; `head` leaves the
    bytes away. Raises BlobDamaged before anything is answered.
    """
    told = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{file.sha256}"',
        "X-Content-Type-Options": "nosniff",
        **headers,
    }
    first, last, status = 0, file.size_bytes, 200
    wanted = _RANGE.fullmatch(asked.get("Range", "").strip())
    is_same = asked.get("If-Range", told["ETag"]) == told["ETag"]
    if wanted is not None and (wanted[1] or wanted[2]) and is_same and not head:
        first, last = _span(wanted[1], wanted[2], file.size_bytes)
        if first >= last:
            return None
        status = 206
        told["Content-Range"] = f"bytes {first}-{last - 1}/{file.size_bytes}"
    told["Content-Length"] = str(last - first)
    if head:
        return Response(status_code=status, headers=told, media_type=file.media_type)
    pieces = _pieces(blobs, file, first, last)
    opening = await anext(pieces, None)  # damage is answered as a problem, not as a cut line
    if opening is None:
        raise BlobDamaged("a stored attachment has no parts")
    return StreamingResponse(_chained(opening, pieces), status, told, media_type=file.media_type)


def _span(first: str, last: str, size_bytes: int) -> tuple[int, int]:
    """Return the half-open span of a Range header with at least one figure."""
    if not first:
        return max(0, size_bytes - int(last)), size_bytes
    return int(first), min(int(last) + 1, size_bytes) if last else size_bytes


async def _pieces(
    blobs: BlobStore, file: StoredAttachment, first: int, last: int
) -> AsyncIterator[bytes]:
    for part in file.parts:
        pieces = blobs.read(file.attachment_id, part.start_byte, part.end_byte, first, last)
        while True:
            piece = await asyncio.to_thread(next, pieces, None)
            if piece is None:
                break
            yield piece


async def _chained(opening: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield opening
    async for piece in pieces:
        yield piece
