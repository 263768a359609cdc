"""Owns the rows of imports: their making, their figures, and who may see which.

It never reads a file.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from backend.refusals import Refused, not_found
from backend.storage.import_tables import imports
from backend.storage.tables import attachments
from contract.ids import uuid7
from contract.import_wire import ConfirmImport, ImportPhase, ImportStatus, StageImport, Standing
from contract.problems import ProblemCode
from contract.wire import Me, Role

MOST_OPEN = 10
_LISTED = 200
PRIVATE = "Nobody in this chat is a client: a private chat is not taken. Nothing of it was stored."
_OPEN = (ImportPhase.READING, ImportPhase.READY)


class KnownImport(NamedTuple):
    """One stored import."""

    import_id: str
    firm_id: str
    employee_id: str
    attachment_id: str
    phase: ImportPhase
    worker: str
    command: StageImport
    status: ImportStatus


def is_private(command: StageImport) -> bool:
    """Tell whether nobody named is a client."""
    clients = (Standing.CONTACT, Standing.NEW_CONTACT)
    return not any(person.standing in clients for person in command.people)


def stage_import(
    connection: Connection,
    me: Me,
    command: StageImport,
    now_utc_ms: int,
    worker: str = "",
) -> ImportStatus:
    """Take the asker's complete upload over for an import; from now on it is not theirs to read.

    Raises Refused for a private chat, another's or an unfinished upload, another hash, or too many
    that are open.
    """
    if is_private(command):
        raise Refused(ProblemCode.FORBIDDEN, PRIVATE)
    file = _own_upload(connection, me, command)
    _check_open(connection, me)
    connection.execute(
        update(attachments)
        .where(attachments.c.attachment_id == command.attachment_id)
        .values(owner_id="")
    )
    status = ImportStatus(
        import_id=uuid7(now_utc_ms, os.urandom(10)),
        phase=ImportPhase.READING,
        source=command.source,
        file_name=file.name,
        file_sha256=file.sha256,
        size_bytes=file.size_bytes,
        staged_at_utc_ms=now_utc_ms,
        account_id=command.account_id,
        by=me.display_name,
    )
    connection.execute(
        insert(imports).values(
            import_id=status.import_id,
            firm_id=me.firm_id,
            employee_id=me.employee_id,
            attachment_id=command.attachment_id,
            phase=status.phase.value,
            worker=worker,
            command=msgspec.json.encode(command),
            status=msgspec.json.encode(status),
            staged_at_utc_ms=now_utc_ms,
        )
    )
    return status


def give_up_upload(connection: Connection, me: Me, attachment_id: str) -> bool:
    """Make one's own upload, which no message holds, useless before its bytes go; false if none."""
    columns = attachments.c
    gone = connection.execute(
        update(attachments)
        .where(
            columns.attachment_id == attachment_id,
            columns.owner_id == me.employee_id,
            columns.message_id.is_(None),
        )
        .values(owner_id="", complete=False)
    )
    return bool(gone.rowcount)


def confirm_import(connection: Connection, me: Me, import_id: str, command: ConfirmImport) -> None:
    """Let an import that was previewed be recorded; one that is confirmed stays as it is.

    Raises Refused for one that is not read yet or was refused, and for other figures than the
    importer saw.
    """
    known = own_import(connection, me, import_id)
    if known.phase in (ImportPhase.RECORDING, ImportPhase.DONE):
        return
    if known.phase is not ImportPhase.READY:
        raise Refused(ProblemCode.CONFLICT, known.status.problem or "The file is still being read.")
    if known.status.new != command.expected_new:
        raise Refused(ProblemCode.CONFLICT, "The preview has changed: look at it once more.")
    status = msgspec.structs.replace(known.status, phase=ImportPhase.RECORDING, done=0)
    set_status(connection, status)


def own_import(connection: Connection, me: Me, import_id: str) -> KnownImport:
    """Return one of the asker's imports; raises Refused when it is not theirs."""
    found = find_import(connection, import_id)
    if found is None or found.employee_id != me.employee_id:
        raise not_found("import")
    return found


def seen_import(connection: Connection, me: Me, import_id: str) -> KnownImport:
    """Return an import that is the asker's, or, for Compliance, of the firm; raises Refused."""
    found = find_import(connection, import_id)
    if found is None or not (
        found.employee_id == me.employee_id
        or (Role.COMPLIANCE in me.roles and found.firm_id == me.firm_id)
    ):
        raise not_found("import")
    return found


def listed_imports(connection: Connection, me: Me) -> tuple[ImportStatus, ...]:
    """Return the newest imports that the asker may see, the newest first."""
    columns = imports.c
    query = select(columns.status).where(columns.firm_id == me.firm_id)
    if Role.COMPLIANCE not in me.roles:
        query = query.where(columns.employee_id == me.employee_id)
    query = query.order_by(columns.staged_at_utc_ms.desc(), columns.import_id.desc())
    found = connection.execute(query.limit(_LISTED)).scalars()
    return tuple(msgspec.json.decode(each, type=ImportStatus) for each in found)


def find_import(connection: Connection, import_id: str) -> KnownImport | None:
    """Return a stored import, or None."""
    row = connection.execute(select(imports).where(imports.c.import_id == import_id)).one_or_none()
    return None if row is None else _known(row)


def next_import(connection: Connection, besides: Collection[str] = ()) -> KnownImport | None:
    """Return the oldest import that the running backend has work with, none of `besides`."""
    columns = imports.c
    row = connection.execute(
        select(imports)
        .where(
            columns.phase.in_((ImportPhase.READING, ImportPhase.RECORDING)),
            columns.worker == "",
            columns.import_id.not_in(list(besides)),
        )
        .order_by(columns.staged_at_utc_ms, columns.import_id)
        .limit(1)
    ).one_or_none()
    return None if row is None else _known(row)


def kept_imports(connection: Connection) -> Iterator[KnownImport]:
    """Yield the confirmed imports, whose originals are kept, the oldest first."""
    columns = imports.c
    rows = connection.execute(
        select(imports)
        .where(columns.phase.in_((ImportPhase.RECORDING, ImportPhase.DONE)))
        .order_by(columns.staged_at_utc_ms, columns.import_id)
        .execution_options(yield_per=100)
    )
    return (_known(row) for row in rows)


def stale_imports(connection: Connection, before_utc_ms: int) -> list[KnownImport]:
    """Return the imports that were staged before a time and never confirmed."""
    columns = imports.c
    rows = connection.execute(
        select(imports).where(columns.phase.in_(_OPEN), columns.staged_at_utc_ms < before_utc_ms)
    )
    return [_known(row) for row in rows]


def set_status(connection: Connection, status: ImportStatus) -> None:
    """Write an import's newest figures; the names asked about go with the end."""
    changes: dict[str, Any] = {"phase": status.phase.value, "status": msgspec.json.encode(status)}
    if status.phase in (ImportPhase.DONE, ImportPhase.REFUSED):
        known = find_import(connection, status.import_id)
        if known is not None:
            bare = msgspec.structs.replace(known.command, people=())
            changes["command"] = msgspec.json.encode(bare)
    connection.execute(
        update(imports).where(imports.c.import_id == status.import_id).values(**changes)
    )


def forget_import(connection: Connection, import_id: str) -> None:
    """Forget an import that was never confirmed."""
    connection.execute(
        delete(imports).where(imports.c.import_id == import_id, imports.c.phase.in_(_FORGETTABLE))
    )


_FORGETTABLE = (*_OPEN, ImportPhase.REFUSED)


def _check_open(connection: Connection, me: Me) -> None:
    columns = imports.c
    count = connection.execute(
        select(func.count())
        .select_from(imports)
        .where(columns.employee_id == me.employee_id, columns.phase.in_(_OPEN))
    ).scalar_one()
    if count >= MOST_OPEN:
        raise Refused(
            ProblemCode.CONFLICT, "Many imports are begun already: finish or discard one first."
        )


def _own_upload(connection: Connection, me: Me, command: StageImport) -> Row[Any]:
    columns = attachments.c
    row = connection.execute(
        select(attachments).where(
            columns.attachment_id == command.attachment_id,
            columns.owner_id == me.employee_id,
            columns.message_id.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise not_found("upload")
    if not row.complete:
        raise Refused(
            ProblemCode.ATTACHMENT_INCOMPLETE, "This file is not uploaded yet: finish it first."
        )
    if row.sha256 != command.sha256:
        raise Refused(
            ProblemCode.ATTACHMENT_MISMATCH, "The uploaded file is another one: upload it anew."
        )
    return row


def _known(row: Row[Any]) -> KnownImport:
    return KnownImport(
        import_id=row.import_id,
        firm_id=row.firm_id,
        employee_id=row.employee_id,
        attachment_id=row.attachment_id,
        phase=ImportPhase(row.phase),
        worker=row.worker,
        command=msgspec.json.decode(row.command, type=StageImport),
        status=msgspec.json.decode(row.status, type=ImportStatus),
    )
