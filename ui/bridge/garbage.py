"""Owns when Python's cyclic garbage is collected: between the window's events, on its thread.

It never lets another thread collect: a widget that dies on a store's thread crashes Qt.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, Qt, QTimer

LOOK_EVERY_MS = 1_000
# While much is made, looks come sooner: each finds little, and none holds the window for long.
_BUSY_MS = 100
_BUSY_OBJECTS = 5_000
STARTED_AFTER_LOOKS = 10


@contextmanager
def collected_here(application: QCoreApplication) -> Iterator[None]:
    """Collect garbage on the calling thread alone while the block runs.

    Python collects on whichever thread allocates last. What the start has made stays for good
    and is not looked over again: a full collection would hold the window for tens of ms.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    looks = 0

    def on_look() -> None:
        nonlocal looks
        looks += 1
        if looks == STARTED_AFTER_LOOKS:
            gc.freeze()
        busy = gc.get_count()[0] > _BUSY_OBJECTS
        collect_due()
        wanted_ms = min(_BUSY_MS, LOOK_EVERY_MS) if busy else LOOK_EVERY_MS
        if timer.interval() != wanted_ms:
            timer.setInterval(wanted_ms)

    timer = QTimer(application)
    timer.setTimerType(Qt.TimerType.CoarseTimer)
    timer.timeout.connect(on_look)
    timer.start(LOOK_EVERY_MS)
    try:
        yield
    finally:
        timer.stop()
        timer.timeout.disconnect(on_look)
        timer.deleteLater()
        if was_enabled:
            gc.enable()


def collect_due() -> None:
    """Collect the oldest generation whose count has passed its threshold, as Python would."""
    counts, thresholds = gc.get_count(), gc.get_threshold()
    for generation in (2, 1, 0):
        if counts[generation] > thresholds[generation]:
            gc.collect(generation)
            return
