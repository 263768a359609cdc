"""What a page says around a queue that waits for decisions.

It never holds the queue.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WaitingState:
    """`fault` is why the list can't be read, `said` what came of the last decision."""

    loaded: bool = False
    reading: bool = False
    deciding: bool = False
    fault: str = ""
    said: str = ""
