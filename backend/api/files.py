"""Owns the operations on attachments' bytes: resumable upload and ranged download.

It never keeps a whole file in memory and never writes a byte in clear.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from backend.api.answers import problem_answer
from backend.api.byte_ranges import ranged_answer
from backend.api.operation import Call, json_answer
from backend.inbox.uploads import (
    Part,
    add_part,
    announced_file,
    check_offset,
    finish_upload,
    readable_attachment,
    restart_upload,
    stored_parts,
    upload_state,
)
from backend.refusals import Refused
from backend.storage.blobs import BlobDamaged, BlobStore
from contract import api
from contract.inspection.apart import InspectionRequest
from contract.problems import ProblemCode
from contract.wire import UploadState

PART_BYTES = 1024 * 1024


async def read_upload(call: Call) -> Response:
    """Answer how far an upload came."""
    attachment_id = call.path("attachment_id")
    return json_answer(
        await call.services.database.read(
            lambda connection: upload_state(connection, call.me, attachment_id)
        )
    )


async def upload(call: Call) -> Response:
    """Take bytes from Upload-Offset on; what arrived before a cut line stays.

    With the last byte the whole file's SHA-256 is compared with the announced one; another hash
    makes the upload begin anew. The file is complete once it was inspected.
    """
    attachment_id, offset_bytes = call.path("attachment_id"), _offset(call)
    state = await call.services.database.read(
        lambda connection: upload_state(connection, call.me, attachment_id)
    )
    check_offset(state, offset_bytes)
    waiting = bytearray()
    at = offset_bytes
    try:
        async for piece in call.request.stream():
            waiting += piece
            if at + len(waiting) > state.size_bytes:
                raise Refused(
                    ProblemCode.TOO_LARGE, f"The file was announced with {state.size_bytes} bytes."
                )
            if len(waiting) >= PART_BYTES:
                at = await _keep(call, attachment_id, at, bytes(waiting))
                waiting.clear()
    except ClientDisconnect:
        if waiting:
            await _keep(call, attachment_id, at, bytes(waiting))
        raise
    if waiting:
        at = await _keep(call, attachment_id, at, bytes(waiting))
    if at == state.size_bytes:
        return json_answer(await _finish(call, attachment_id))
    return await read_upload(call)


async def download(call: Call) -> Response:
    """Answer a file's bytes, or the range asked for (RFC 9110, section 14)."""
    attachment_id = call.path("attachment_id")
    file = await call.services.database.read(
        lambda connection: readable_attachment(connection, call.me, attachment_id)
    )
    disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    answer = await ranged_answer(
        call.services.blobs, file, call.request.headers, {"Content-Disposition": disposition}
    )
    if answer is not None:
        return answer
    return problem_answer(
        ProblemCode.BAD_REQUEST,
        "The file has no such range.",
        call.request_id,
        status=416,
        headers={"Content-Range": f"bytes */{file.size_bytes}"},
    )


async def _keep(call: Call, attachment_id: str, at: int, data: bytes) -> int:
    """Write one part and its row; returns where the next one begins.

    The bytes become the part within the transaction that finds its place still free: a request
    that was overtaken can't replace what another wrote, nor a file that is complete.
    """
    blobs, part = call.services.blobs, Part(at, at + len(data))
    staged = await asyncio.to_thread(blobs.stage, attachment_id, at, data)

    def add(connection: Connection) -> None:
        add_part(connection, call.me, attachment_id, part)
        blobs.adopt(staged, attachment_id, at)

    try:
        await call.services.database.write(add)
    finally:
        staged.unlink(missing_ok=True)
    return part.end_byte


async def _finish(call: Call, attachment_id: str) -> UploadState:
    services = call.services
    parts = await services.database.read(lambda connection: stored_parts(connection, attachment_id))
    announced = await services.database.read(
        lambda connection: announced_file(connection, call.me, attachment_id)
    )
    actual = await asyncio.to_thread(_digest, services.blobs, attachment_id, parts)
    if actual == announced.sha256:
        request = InspectionRequest(name=announced.name, declared_type=announced.media_type)
        found = await services.inspector.inspect(
            attachment_id, request, lambda: _clear_bytes(services.blobs, attachment_id, parts)
        )
        return await services.database.write(
            lambda connection: finish_upload(connection, call.me, attachment_id, found)
        )

    def restart(connection: Connection) -> None:
        restart_upload(connection, call.me, attachment_id)
        for part in parts:
            services.blobs.remove(attachment_id, part.start_byte)

    await services.database.write(restart)
    raise Refused(
        ProblemCode.ATTACHMENT_MISMATCH, "The bytes do not have the announced SHA-256: send anew."
    )


def _digest(blobs: BlobStore, attachment_id: str, parts: tuple[Part, ...]) -> str | None:
    digest = hashlib.sha256()
    try:
        for piece in _clear_bytes(blobs, attachment_id, parts):
            digest.update(piece)
    except BlobDamaged:
        return None
    return digest.hexdigest()


def _clear_bytes(blobs: BlobStore, attachment_id: str, parts: tuple[Part, ...]) -> Iterator[bytes]:
    for first, last in parts:
        yield from blobs.read(attachment_id, first, last, first, last)


def _offset(call: Call) -> int:
    text = call.request.headers.get(api.UPLOAD_OFFSET, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refused(ProblemCode.BAD_REQUEST, f"{api.UPLOAD_OFFSET} must be a number of bytes.")
    return int(text)
