"""Owns the list of all benchmarks, in the order they run and are printed.

It never measures anything by itself.
"""

from __future__ import annotations

from tests.benchmarks import (
    archive_latency,
    archive_rates,
    cold_start,
    detection,
    embedded_start,
    first_sync,
    hints,
    packaged,
    peers,
    proofs,
    queue_drain,
    searching,
    sending,
    soak_result,
    window,
)
from tests.benchmarks.lines import Group

GROUPS: tuple[Group, ...] = (
    cold_start.GROUP,
    window.SENDS,
    searching.GROUP,
    window.HANDS,
    embedded_start.GROUP,
    first_sync.GROUP,
    sending.GROUP,
    queue_drain.GROUP,
    hints.GROUP,
    peers.GROUP,
    detection.GROUP,
    proofs.GROUP,
    archive_latency.GROUP,
    archive_rates.GROUP,
    soak_result.GROUP,
    *packaged.GROUPS,
)
