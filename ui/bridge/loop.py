"""Owns the one event loop: Qt's, seen by asyncio through qasync.

It never builds a window and never starts a task besides the one it is asked to run.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from contextvars import Context
from types import TracebackType
from typing import Any

from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from ui.bridge.garbage import collected_here
from ui.bridge.loop_timers import LoopTimers

_log = logging.getLogger(__name__)
_QT_LEVEL = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


# How long a store's thread may keep the interpreter while this thread waits for it: a key, a
# click and each answer wait that long, several times over.
_SWITCH_S = 0.001


class _Loop(QEventLoop):  # type: ignore[misc]  # qasync carries no types
    """qasync's loop with asyncio's hooks for async generators, which it leaves out.

    Its delayed callbacks are LoopTimers, which end with their cancellation.
    """

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._timers = LoopTimers()

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back in `delay` seconds; 0 or less: as soon as the loop turns."""
        handle = asyncio.TimerHandle(self.time() + delay, callback, args, self, context)
        self._timers.start(handle, delay)
        return handle

    def close(self) -> None:
        """End the timers, then what qasync holds."""
        self._timers.stop()
        super().close()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by asyncio's handles when they are cancelled."""
        self._timers.forget(handle)

    def run_forever(self) -> int:
        """Run Qt's loop until `stop`; async generators of this loop are closed by it."""
        before = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook
        )
        try:
            return int(super().run_forever())
        finally:
            sys.set_asyncgen_hooks(*before)


def create_loop(application: QApplication) -> asyncio.AbstractEventLoop:
    """Return a loop over `application`'s own; the caller closes it with `run_to_end`."""
    loop: asyncio.AbstractEventLoop = _Loop(application)
    asyncio.set_event_loop(loop)
    return loop


def run_to_end(
    loop: asyncio.AbstractEventLoop, main: Callable[[], Coroutine[Any, Any, int]]
) -> int:
    """Run `main` to its end, then settle what it left behind, and return its exit status.

    Tasks still alive are cancelled and awaited, async generators closed, the loop closed.
    Meanwhile cyclic garbage is collected on this thread alone.
    """
    application = QApplication.instance()
    with ExitStack() as settings:
        settings.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_S)
        if isinstance(application, QApplication):
            application.setQuitOnLastWindowClosed(False)
            settings.enter_context(collected_here(application))
        try:
            return loop.run_until_complete(main())
        finally:
            try:
                loop.run_until_complete(_cancel_all())
                loop.run_until_complete(loop.shutdown_asyncgens())
            finally:
                loop.close()
                asyncio.set_event_loop(None)


async def _cancel_all() -> None:
    own = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() if task is not own]
    for task in left:
        task.cancel()
    for task, result in zip(left, await asyncio.gather(*left, return_exceptions=True), strict=True):
        if isinstance(result, Exception):
            _log.error("task %s failed while closing", task.get_name(), exc_info=result)


def log_what_qt_says() -> None:
    """Send Qt's own messages, and errors that escape a slot, to the log instead of stderr."""
    qt_log = logging.getLogger("qt")

    def on_message(kind: QtMsgType, context: object, text: str) -> None:
        qt_log.log(_QT_LEVEL.get(kind, logging.WARNING), "%s", text)

    qInstallMessageHandler(on_message)

    def on_escaped(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        _log.critical("an error escaped a slot", exc_info=(kind, error, trace))

    sys.excepthook = on_escaped
