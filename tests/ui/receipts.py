"""Receipts as the core hands them to the window, for tests that need no core.

It never verifies anything.
"""

from __future__ import annotations

from app.domain.archive import Finding, ReceiptView
from tests.ui.sample_rows import NOW_UTC_MS, at


def verified_view() -> ReceiptView:
    """Return the drawn receipt."""
    return ReceiptView(
        Finding.VERIFIED,
        NOW_UTC_MS,
        own_leaf=True,
        archived_at_utc_ms=at(10, 38),
        justification="term sheet approved, ticket 4411",
        versions=1,
        kept_until_utc_ms=NOW_UTC_MS + 7 * 365 * 86_400_000,
        partner_confirmed_at_utc_ms=at(10, 38) + 5_000,
        witnesses_confirmed=2,
        witnesses_total=2,
        index=48_218_330,
        tree_size=48_218_412,
        before_size=48_217_903,
        proof_hashes=26,
        log_key="archive.example.bank+33d7b496",
        root="ac" * 32,
        saved=b"{}",
    )
