"""Owns the table of imports: whose, of which file, how far each is.

It never runs a query.
"""

from __future__ import annotations

from sqlalchemy import Index, Table

from backend.storage.columns import blob, firm, metadata, number, ref, text

# `command` is StageImport and `status` ImportStatus of contract.import_wire, as JSON; the names in
# the command go once it is done. `attachment_id` names the original's bytes; `worker` is empty
# where the running backend does the work, else the command that does.
imports = Table(
    "imports",
    metadata,
    text("import_id", key=True),
    firm(),
    ref("employee_id", "employees.employee_id"),
    text("attachment_id"),
    text("phase"),
    text("worker", default=""),
    blob("command"),
    blob("status"),
    number("staged_at_utc_ms"),
    Index("imports_by_employee", "employee_id", "staged_at_utc_ms"),
    Index("imports_by_phase", "phase", "staged_at_utc_ms"),
)
