"""Owns the operations about the archive: receipts, checkpoints, consistency, tiles and alerts.

It never shows a receipt of a message the asker can't see, and only those who supervise get tiles.
"""

from __future__ import annotations

import logging
import re

from sqlalchemy import Connection
from starlette.responses import Response

from backend.api.once import once
from backend.api.operation import Call, json_answer
from backend.archive.alerts import record_alert
from backend.archive.proofs import consistency_between, newest_sealed
from backend.archive.receipts import receipt_document
from backend.archive.statements import stored_statements
from backend.archive.tiles import tile_bytes
from backend.inbox.rendering import read_messages
from backend.refusals import Refused, not_found
from contract.problems import ProblemCode
from contract.receipts.encoding import encode_base64
from contract.receipts.errors import ProofError, TileError
from contract.wire import (
    ArchiveAlert,
    ArchiveStatements,
    ConsistencyProof,
    Done,
    ReceiptDocument,
    Role,
)

ALERT_KINDS = frozenset({"rollback", "fork", "gap", "receipt", "witness"})
TILE_READERS = frozenset({Role.SUPERVISOR, Role.COMPLIANCE, Role.AUDITOR})
MAX_SIZE = 2**62
_CODE = re.compile(r"[a-z0-9_]{1,64}")
_ROOT = re.compile(r"([0-9a-f]{64})?")
_TEXT = "text/plain; charset=utf-8"
_NOT_SEALED = "The archive's second check is pending: ask again in a moment."
_log = logging.getLogger("parley.backend.archive")


async def checkpoint(call: Call) -> Response:
    """Answer the newest checkpoint that the quorum of witnesses has cosigned."""
    found = await call.services.database.read(newest_sealed)
    if found is None:
        raise Refused(ProblemCode.UNAVAILABLE, _NOT_SEALED, retry_after_s=1)
    return Response(found.note, media_type=_TEXT)


async def consistency(call: Call) -> Response:
    """Answer the proof that the log of one size begins with that of another."""
    from_size = call.whole_number("from_size", 0, 1, MAX_SIZE)
    to_size = call.whole_number("to_size", 0, from_size or 1, MAX_SIZE)
    cache = call.services.archive.cache
    try:
        hashes = await call.services.database.read(
            lambda c: consistency_between(c, cache, from_size, to_size)
        )
    except ProofError as error:
        raise Refused(
            ProblemCode.BAD_REQUEST, "from_size and to_size must be sizes the log has had."
        ) from error
    encoded = tuple(encode_base64(one) for one in hashes)
    return json_answer(ConsistencyProof(from_size=from_size, to_size=to_size, hashes=encoded))


async def message_receipt(call: Call) -> Response:
    """Answer all that proves one archived version of a message."""
    message_id = call.path("message_id")
    revision = call.whole_number("revision", -1, 0, 1_000_000)
    archive = call.services.archive
    policy = archive.policy

    def work(connection: Connection) -> ReceiptDocument | None:
        visible = read_messages(connection, call.me.employee_id, [message_id])
        if not visible:
            raise not_found("message")
        asked = visible[0].revision if revision < 0 else revision
        if policy is None:
            return None
        return receipt_document(connection, archive.cache, policy, visible[0], asked)

    document = await call.services.database.read(work)
    if document is None:
        raise Refused(ProblemCode.CONFLICT, _NOT_SEALED, retry_after_s=1)
    return json_answer(document)


async def alert(call: Call) -> Response:
    """Archive a client's alarm and tell Compliance by the log."""
    told, services = call.command(ArchiveAlert), call.services
    _check_alert(told)
    now_utc_ms = services.now_utc_ms()

    def work(connection: Connection) -> Done:
        record_alert(connection, call.me, told, now_utc_ms)
        return Done()

    answer = await once(call, work, now_utc_ms)
    _log.error("a client raised an alarm about the archive", extra={"kind": told.kind})
    return answer


async def statements(call: Call) -> Response:
    """Answer the signed statements about the log, oldest first."""
    found = await call.services.database.read(stored_statements)
    return json_answer(ArchiveStatements(statements=tuple(note.decode() for note in found)))


async def tile(call: Call) -> Response:
    """Answer a tile or entry bundle of the sealed log to those who supervise."""
    if not TILE_READERS & set(call.me.roles):
        raise Refused(ProblemCode.FORBIDDEN, "Only supervision and audit read the whole log.")
    path = "tile/" + call.path("tile_path")
    try:
        found = await call.services.database.read(lambda c: tile_bytes(c, path))
    except TileError as error:
        raise not_found("tile") from error
    if found is None:
        raise not_found("tile")
    return Response(found, media_type="application/octet-stream")


def _check_alert(told: ArchiveAlert) -> None:
    sizes = (told.seen_size, told.got_size)
    roots = (told.seen_root, told.got_root)
    faults = {
        "kind is not a kind of alarm.": told.kind not in ALERT_KINDS,
        "detail_code must be a code.": _CODE.fullmatch(told.detail_code) is None,
        "The sizes are out of range.": not all(0 <= size <= MAX_SIZE for size in sizes),
        "The roots must be 64 hex digits or empty.": not all(map(_ROOT.fullmatch, roots)),
    }
    for fault, found in faults.items():
        if found:
            raise Refused(ProblemCode.BAD_REQUEST, fault)
