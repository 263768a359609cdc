"""Owns the rows of uploads: what was announced, how far it came, who may read it.

It never touches the bytes: those lie encrypted in storage/blobs.py.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select, update

from backend.governance.attachments import keep_inspection
from backend.governance.supervisors import decides_on
from backend.refusals import Refused, not_found
from backend.storage.tables import attachment_parts, attachments, conversation_members, messages
from contract.ids import AttachmentId, uuid7
from contract.inspection.model import FileInspection
from contract.names import shown_name
from contract.problems import ProblemCode
from contract.wire import CreateAttachment, Me, UploadState

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,120}", re.ASCII)
_MAX_NAME_CHARS = 255
UNKNOWN_MEDIA_TYPE = "application/octet-stream"
MOST_ATTACHMENT_BYTES = 100 * 1024 * 1024
_UNFIT_FOR_NAMES = re.compile(r"[/\\]")


def known_media_type(told: str) -> str:
    """Return a media type that fits an HTTP header; what a channel told amiss is unknown."""
    return told if _MEDIA_TYPE.fullmatch(told) else UNKNOWN_MEDIA_TYPE


class Part(NamedTuple):
    """The bytes start_byte … end_byte - 1 of an attachment, kept as one blob."""

    start_byte: int
    end_byte: int


class StoredAttachment(NamedTuple):
    """An attachment ready to be read, with its parts in order."""

    attachment_id: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    parts: tuple[Part, ...]


def announce_upload(
    connection: Connection, me: Me, command: CreateAttachment, max_bytes: int, now_utc_ms: int
) -> UploadState:
    """Write a new attachment without bytes; raises Refused for a bad name, type, hash or size."""
    if not 0 < command.size_bytes <= max_bytes:
        code = ProblemCode.TOO_LARGE if command.size_bytes > 0 else ProblemCode.BAD_REQUEST
        raise Refused(code, f"A file must hold 1 to {max_bytes} bytes.")
    if _SHA256.fullmatch(command.sha256) is None:
        raise Refused(ProblemCode.BAD_REQUEST, "sha256 must be 64 lower-case hex digits.")
    if _MEDIA_TYPE.fullmatch(command.media_type) is None:
        raise Refused(ProblemCode.BAD_REQUEST, "media_type must look like image/png.")
    name = shown_name(command.name, _MAX_NAME_CHARS + 1)
    if not 0 < len(name) <= _MAX_NAME_CHARS or _UNFIT_FOR_NAMES.search(name):
        raise Refused(ProblemCode.BAD_REQUEST, "The file's name can't be used: rename it.")
    attachment_id = AttachmentId(uuid7(now_utc_ms, os.urandom(10)))
    connection.execute(
        insert(attachments).values(
            attachment_id=attachment_id,
            firm_id=me.firm_id,
            owner_id=me.employee_id,
            name=name,
            media_type=command.media_type,
            size_bytes=command.size_bytes,
            sha256=command.sha256,
            created_at_utc_ms=now_utc_ms,
        )
    )
    return UploadState(
        attachment_id=attachment_id,
        offset_bytes=0,
        size_bytes=command.size_bytes,
        complete=False,
    )


def upload_state(connection: Connection, me: Me, attachment_id: str) -> UploadState:
    """Return how far one's own upload came; raises Refused when it is not one's own."""
    row = _own(connection, me, attachment_id)
    return UploadState(
        attachment_id=AttachmentId(attachment_id),
        offset_bytes=row.offset_bytes,
        size_bytes=row.size_bytes,
        complete=row.complete,
    )


def check_offset(state: UploadState, offset_bytes: int) -> None:
    """Raise Refused unless bytes may be added at this offset."""
    if state.complete:
        raise Refused(ProblemCode.CONFLICT, "This file is complete already.")
    if offset_bytes != state.offset_bytes:
        raise Refused(
            ProblemCode.CONFLICT, f"The upload goes on at byte {state.offset_bytes}: resume there."
        )


def add_part(connection: Connection, me: Me, attachment_id: str, part: Part) -> None:
    """Note a part whose blob was written; raises Refused when another came first."""
    row = _own(connection, me, attachment_id)
    check_offset(upload_state(connection, me, attachment_id), part.start_byte)
    connection.execute(
        insert(attachment_parts).values(
            attachment_id=attachment_id,
            start_byte=part.start_byte,
            end_byte=part.end_byte,
            firm_id=row.firm_id,
        )
    )
    _set(connection, attachment_id, offset_bytes=part.end_byte)


def announced_file(connection: Connection, me: Me, attachment_id: str) -> CreateAttachment:
    """Return what one's own upload was announced with."""
    row = _own(connection, me, attachment_id)
    return CreateAttachment(
        name=row.name, media_type=row.media_type, size_bytes=row.size_bytes, sha256=row.sha256
    )


def finish_upload(
    connection: Connection, me: Me, attachment_id: str, found: FileInspection
) -> UploadState:
    """Mark an upload complete, once all its bytes have the announced hash and were inspected.

    Raises Refused when another request made it begin anew meanwhile.
    """
    state = upload_state(connection, me, attachment_id)
    if state.offset_bytes != state.size_bytes:
        check_offset(state, state.size_bytes)
    keep_inspection(connection, me.firm_id, attachment_id, found)
    _set(connection, attachment_id, complete=True)
    return upload_state(connection, me, attachment_id)


def restart_upload(connection: Connection, me: Me, attachment_id: str) -> None:
    """Forget the parts of an upload whose bytes do not have the announced hash.

    Raises Refused for a complete file: its bytes stay as they are.
    """
    state = upload_state(connection, me, attachment_id)
    check_offset(state, state.offset_bytes)
    connection.execute(
        delete(attachment_parts).where(attachment_parts.c.attachment_id == attachment_id)
    )
    _set(connection, attachment_id, offset_bytes=0)


def stored_parts(connection: Connection, attachment_id: str) -> tuple[Part, ...]:
    """Return the parts that came so far, in order."""
    columns = attachment_parts.c
    rows = connection.execute(
        select(columns.start_byte, columns.end_byte)
        .where(columns.attachment_id == attachment_id)
        .order_by(columns.start_byte)
    )
    return tuple(Part(*row) for row in rows)


def stored_attachment(connection: Connection, row: Row[Any]) -> StoredAttachment:
    """Return the file of a row of attachments, with its parts."""
    return StoredAttachment(
        attachment_id=row.attachment_id,
        name=row.name,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        parts=stored_parts(connection, row.attachment_id),
    )


def readable_attachment(connection: Connection, me: Me, attachment_id: str) -> StoredAttachment:
    """Return a complete file that is one's own or of a conversation one takes part in.

    Whoever may decide on a held message reads its files, too. Raises Refused otherwise, and when
    it is one's own but incomplete.
    """
    members = conversation_members.c
    row = connection.execute(
        select(attachments, members.employee_id)
        .outerjoin(messages, messages.c.message_id == attachments.c.message_id)
        .outerjoin(
            conversation_members,
            (members.conversation_id == messages.c.conversation_id)
            & (members.employee_id == me.employee_id),
        )
        .where(attachments.c.attachment_id == attachment_id)
    ).one_or_none()
    if row is not None and row.employee_id is None and row.owner_id != me.employee_id:
        row = row if decides_on(connection, me, row.message_id) else None
    if row is None:
        raise not_found("attachment")
    if not row.complete:
        raise Refused(
            ProblemCode.ATTACHMENT_INCOMPLETE, "This file is not uploaded yet: finish it first."
        )
    return stored_attachment(connection, row)


def _own(connection: Connection, me: Me, attachment_id: str) -> Row[Any]:
    row = connection.execute(
        select(attachments).where(
            attachments.c.attachment_id == attachment_id,
            attachments.c.owner_id == me.employee_id,
        )
    ).one_or_none()
    if row is None:
        raise not_found("upload")
    return row


def _set(connection: Connection, attachment_id: str, **changes: object) -> None:
    connection.execute(
        update(attachments).where(attachments.c.attachment_id == attachment_id).values(**changes)
    )
