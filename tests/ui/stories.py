"""Plays a story on an open page in Qt's loop, and closes the page whatever comes of it.

It never builds a page, and never waits longer than a test may.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from PySide6.QtWidgets import QApplication

from tests.support.qt_loop import run_in_qt_loop


class Closable(Protocol):
    """What stands on screen for a story."""

    async def close(self) -> None:
        """End every task and hide the page."""
        ...


K = TypeVar("K", bound=Closable)


def play(qapp: QApplication, kit: K, story: Callable[[K], Coroutine[Any, Any, None]]) -> None:
    """Run `story` on `kit` to its end; the kit is closed also where the story fails."""

    async def whole() -> None:
        try:
            await story(kit)
        finally:
            await kit.close()

    run_in_qt_loop(qapp, whole())
