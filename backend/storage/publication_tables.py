"""Owns the table of the keys that may sign policy bundles, and whose they are.

It never runs a query.
"""

from __future__ import annotations

from sqlalchemy import Table

from backend.storage.columns import firm, maybe_number, metadata, number, text

# A key without an employee is the workspace's own: it signs the policy that comes with Parley.
policy_keys = Table(
    "policy_keys",
    metadata,
    text("verifier_key", key=True),
    firm(),
    text("employee_id", default=""),
    number("added_at_utc_ms"),
    maybe_number("retired_at_utc_ms"),
)
