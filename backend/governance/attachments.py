"""Owns what was found in uploaded files, and how the evaluator gets it.

It never inspects a file, and a file that was not inspected is not evaluated, never clean.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from backend.storage.attachment_tables import attachment_inspections
from backend.storage.tables import attachments
from contract.inspection.facts import policy_attachment, uninspected_attachment
from contract.inspection.model import FileInspection
from contract.policy.model import Attachment as PolicyAttachment
from contract.wire import Attachment


def keep_inspection(
    connection: Connection, firm_id: str, attachment_id: str, found: FileInspection
) -> None:
    """Keep what was found in a file in place of what was found before; tell its verdict on."""
    drop_inspection(connection, attachment_id)
    connection.execute(
        insert(attachment_inspections).values(
            attachment_id=attachment_id, firm_id=firm_id, found=msgspec.json.encode(found)
        )
    )
    connection.execute(
        update(attachments)
        .where(attachments.c.attachment_id == attachment_id)
        .values(scan=found.verdict.value)
    )


def drop_inspection(connection: Connection, attachment_id: str) -> None:
    """Forget what was found in a file, with all words read of it."""
    columns = attachment_inspections.c
    connection.execute(delete(attachment_inspections).where(columns.attachment_id == attachment_id))


def inspected_attachments(
    connection: Connection, files: Sequence[Attachment]
) -> tuple[PolicyAttachment, ...]:
    """Return what policy may know of files, in their order."""
    if not files:
        return ()
    columns = attachment_inspections.c
    ids = [file.attachment_id for file in files]
    rows = connection.execute(
        select(columns.attachment_id, columns.found).where(columns.attachment_id.in_(ids))
    )
    found = {row.attachment_id: row.found for row in rows}
    return tuple(_facts(file, found.get(file.attachment_id)) for file in files)


def _facts(file: Attachment, found: bytes | None) -> PolicyAttachment:
    if found is None:
        return uninspected_attachment(file.name, file.media_type, file.sha256, file.size_bytes)
    inspection = msgspec.json.decode(found, type=FileInspection)
    return policy_attachment(inspection, file.sha256, file.size_bytes)
