"""Owns the operations on imports of exported chats, and Compliance's way to their originals.

It never reads an export: the import runner does, beside the requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from backend.api.once import once
from backend.api.operation import Answer, Call, Operation, json_answer
from backend.imports.original import drop_original, original_bytes
from backend.imports.reading_audit import record_original_read
from backend.imports.rows import (
    KnownImport,
    confirm_import,
    give_up_upload,
    is_private,
    listed_imports,
    own_import,
    seen_import,
    stage_import,
)
from backend.inbox.uploads import announce_upload, stored_parts, upload_state
from backend.refusals import Refused, not_found
from backend.services import Services
from contract import api
from contract.import_wire import (
    MOST_FILE_BYTES,
    ConfirmImport,
    ImportList,
    ImportPhase,
    ImportStatus,
    StageImport,
)
from contract.problems import ProblemCode
from contract.wire import CreateAttachment, Done, Role, UploadState


async def create_file(call: Call) -> Response:
    """Announce an original; the same key again tells how far that upload came."""
    command, now_utc_ms = call.command(CreateAttachment), call.services.now_utc_ms()
    answer = await once(
        call,
        lambda c: announce_upload(c, call.me, command, MOST_FILE_BYTES, now_utc_ms),
        now_utc_ms,
        status=201,
    )
    attachment_id = msgspec.json.decode(answer.body, type=UploadState).attachment_id
    return json_answer(
        await call.services.database.read(lambda c: upload_state(c, call.me, attachment_id)), 201
    )


async def stage(call: Call) -> Response:
    """Take an uploaded file over and have it read."""
    command, now_utc_ms = call.command(StageImport), call.services.now_utc_ms()
    services = call.services

    def work(connection: Connection) -> ImportStatus:
        return stage_import(connection, call.me, command, now_utc_ms)

    try:
        answer = await once(call, work, now_utc_ms, status=202)
    except Refused:
        if is_private(command):
            await _forget_upload(call, command)
        raise
    services.on_import()
    import_id = msgspec.json.decode(answer.body, type=ImportStatus).import_id
    known = await services.database.read(lambda c: own_import(c, call.me, import_id))
    return json_answer(known.status, 202)


async def status(call: Call) -> Response:
    """Answer how far an import is."""
    import_id = call.path("import_id")
    known = await call.services.database.read(lambda c: seen_import(c, call.me, import_id))
    return json_answer(known.status)


async def listed(call: Call) -> Response:
    """Answer the imports that the asker may see."""
    found = await call.services.database.read(lambda c: listed_imports(c, call.me))
    return json_answer(ImportList(imports=found))


async def confirm(call: Call) -> Response:
    """Have a previewed import recorded."""
    command, import_id = call.command(ConfirmImport), call.path("import_id")
    services, now_utc_ms = call.services, call.services.now_utc_ms()

    def work(connection: Connection) -> Done:
        confirm_import(connection, call.me, import_id, command)
        return Done()

    await once(call, work, now_utc_ms)
    services.on_import()
    return await status(call)


async def discard(call: Call) -> Response:
    """Forget an import that was not confirmed, with its file."""
    services, import_id = call.services, call.path("import_id")
    known = await services.database.read(lambda c: own_import(c, call.me, import_id))
    if known.phase in (ImportPhase.RECORDING, ImportPhase.DONE):
        raise Refused(ProblemCode.CONFLICT, "This import is confirmed: what is archived stays.")
    await asyncio.to_thread(_discard, services, known)
    return json_answer(Done())


def _discard(services: Services, known: KnownImport) -> None:
    from backend.imports.desk import ImportWork  # its readers of exports cost start-up

    ImportWork(services.database, services.blobs, services.now_utc_ms).discard(known)


async def original(call: Call) -> Response:
    """Answer the original's bytes to Compliance, once the reading is archived."""
    services, me, import_id = call.services, call.me, call.path("import_id")
    if Role.COMPLIANCE not in me.roles:
        raise Refused(ProblemCode.FORBIDDEN, "Only Compliance reads the original of an import.")
    known = await services.database.read(lambda c: seen_import(c, me, import_id))
    if known.phase not in (ImportPhase.RECORDING, ImportPhase.DONE):
        raise not_found("original")
    now_utc_ms = services.now_utc_ms()
    await services.database.write(lambda c: record_original_read(c, me, known, now_utc_ms))
    parts = await services.database.read(lambda c: stored_parts(c, known.attachment_id))
    pieces = original_bytes(services.blobs, known.attachment_id, parts)

    async def sent(first: bytes) -> AsyncIterator[bytes]:
        piece: bytes | None = first
        while piece is not None:
            yield piece
            piece = await asyncio.to_thread(next, pieces, None)

    opening = await asyncio.to_thread(next, pieces, b"")  # damage is a problem, not a cut line
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(known.status.file_name)}",
        "Content-Length": str(known.status.size_bytes),
        "ETag": f'"{known.status.file_sha256}"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(sent(opening), 200, headers, media_type="application/octet-stream")


async def _forget_upload(call: Call, command: StageImport) -> None:
    """Delete the upload of a private chat at once: nothing of it may stay."""
    services, attachment_id = call.services, command.attachment_id
    if await services.database.write(lambda c: give_up_upload(c, call.me, attachment_id)):
        await asyncio.to_thread(drop_original, services.database, services.blobs, attachment_id)


_CODE = ProblemCode
IMPORTS = (
    Operation(
        method="POST",
        path=api.IMPORT_FILES,
        name="create_import_file",
        summary="Announce the original file of an import",
        handler=create_file,
        answers={201: Answer("How far the upload came", UploadState)},
        body=CreateAttachment,
        command=True,
        problems=(_CODE.TOO_LARGE,),
    ),
    Operation(
        method="POST",
        path=api.IMPORTS,
        name="stage_import",
        summary="Have an uploaded export read; nothing of it is stored before it is confirmed",
        handler=stage,
        answers={202: Answer("The import, being read", ImportStatus)},
        body=StageImport,
        command=True,
        problems=(
            _CODE.CONFLICT,
            _CODE.FORBIDDEN,
            _CODE.ATTACHMENT_INCOMPLETE,
            _CODE.ATTACHMENT_MISMATCH,
        ),
    ),
    Operation(
        method="GET",
        path=api.IMPORTS,
        name="imports",
        summary="One's own imports, for Compliance the firm's, newest first",
        handler=listed,
        answers={200: Answer("The imports", ImportList)},
    ),
    Operation(
        method="GET",
        path=api.IMPORT,
        name="import_status",
        summary="How far an import is: preview, progress or report",
        handler=status,
        answers={200: Answer("The import", ImportStatus)},
    ),
    Operation(
        method="DELETE",
        path=api.IMPORT,
        name="discard_import",
        summary="Forget an import that was not confirmed, with its file",
        handler=discard,
        answers={200: Answer("Forgotten", Done)},
        command=True,
        problems=(_CODE.CONFLICT,),
    ),
    Operation(
        method="POST",
        path=api.IMPORT_CONFIRM,
        name="confirm_import",
        summary="Record what the preview showed; again changes nothing",
        handler=confirm,
        answers={200: Answer("The import, being recorded", ImportStatus)},
        body=ConfirmImport,
        command=True,
        problems=(_CODE.CONFLICT,),
    ),
    Operation(
        method="GET",
        path=api.IMPORT_ORIGINAL,
        name="import_original",
        summary="The original file, for Compliance alone; each reading is archived first",
        handler=original,
        answers={
            200: Answer(
                "The file", media_type="application/octet-stream", headers={"ETag": "SHA-256"}
            )
        },
        problems=(_CODE.FORBIDDEN,),
    ),
)
