"""Owns the table of what inspection found in uploaded files.

It never runs a query.
"""

from __future__ import annotations

from sqlalchemy import Table

from backend.storage.columns import blob, firm, metadata, ref

# `found` is a FileInspection as JSON, with the words that could be read; an erasure takes it.
attachment_inspections = Table(
    "attachment_inspections",
    metadata,
    ref("attachment_id", "attachments.attachment_id", key=True),
    firm(),
    blob("found"),
)
