"""Runs a coroutine on a Qt event loop, as the desktop client does.

It never leaves a loop or a task behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import PySide6.QtWidgets

from ui.bridge.loop import create_loop

T = TypeVar("T")


def run_in_qt_loop(
    qapp: PySide6.QtWidgets.QApplication, work: Coroutine[Any, Any, T], *, timeout_s: float = 150.0
) -> T:
    """Run `work` to its end on a fresh qasync loop of `qapp` and return its result.

    Tests that need Qt and asyncio together are plain functions that call this; pytest-asyncio's
    own loop (any `async def test_…`) knows nothing of Qt. Raises TimeoutError after `timeout_s`.
    Tasks that are left over are cancelled before the loop closes.
    """

    async def bounded() -> T:
        async with asyncio.timeout(timeout_s):
            return await work

    # As in the product: the last dialog's end is not the loop's.
    qapp.setQuitOnLastWindowClosed(False)
    loop = create_loop(qapp)  # the product's own, which closes async generators
    try:
        result: T = loop.run_until_complete(bounded())
        return result
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()
