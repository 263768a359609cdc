"""The tests' own door to the conformance suite, so that a failed assert tells what it compared.

It never adds to the suite: that is backend.channels.conformance, which other packages use, too.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("backend.channels.conformance")

from backend.channels.conformance import (  # noqa: E402 -- the line above has to come first
    CONVERSATION,
    ConnectorConformance,
    Vendor,
    attempt,
    events_until,
    outbound,
)

__all__ = [
    "CONVERSATION",
    "ConnectorConformance",
    "Vendor",
    "attempt",
    "events_until",
    "outbound",
]
