"""Tests of the loop's callbacks that are ready to run. They never use a network."""

from __future__ import annotations

import asyncio
import threading

import pytest
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from ui.bridge.loop import create_loop


def test_an_answer_from_a_thread_reaches_its_task_before_the_next_paint(qapp: QApplication) -> None:
    said: list[str] = []

    class Painted(QWidget):
        def paintEvent(self, event: QPaintEvent) -> None:
            said.append("painted")

    async def work() -> None:
        widget = Painted()
        widget.show()
        await until(lambda: bool(said))
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def ask() -> str:
            return await asyncio.shield(answer)

        asking = asyncio.create_task(ask())
        asking.add_done_callback(lambda done: said.append(done.result()))
        await asyncio.sleep(0.01)
        said.clear()
        widget.update()
        thread = threading.Thread(
            target=asyncio.get_running_loop().call_soon_threadsafe,
            args=(answer.set_result, "answered"),
        )
        thread.start()
        thread.join()
        await until(lambda: len(said) == 2)
        assert said == ["answered", "painted"]
        widget.deleteLater()

    run_in_qt_loop(qapp, work())


def test_callbacks_without_end_leave_the_window_its_turns(qapp: QApplication) -> None:
    turns: list[int] = []

    async def work() -> None:
        timer = QTimer()
        timer.timeout.connect(lambda: turns.append(len(turns)))
        timer.start(0)
        async with asyncio.timeout(60):
            while len(turns) < 3:
                await asyncio.sleep(0)
        timer.stop()

    run_in_qt_loop(qapp, work())


def test_threads_are_heard_in_their_order_and_each_call_once(qapp: QApplication) -> None:
    heard: list[tuple[int, int]] = []
    calls = 500

    async def work() -> None:
        loop = asyncio.get_running_loop()

        def call(name: int) -> None:
            for number in range(calls):
                loop.call_soon_threadsafe(heard.append, (name, number))

        threads = [threading.Thread(target=call, args=(name,)) for name in range(3)]
        for thread in threads:
            thread.start()
        await until(lambda: len(heard) == 3 * calls, 60)
        for thread in threads:
            thread.join()

    run_in_qt_loop(qapp, work())
    for name in range(3):
        assert [number for one, number in heard if one == name] == list(range(calls))


def test_no_task_is_lost_to_a_loop_of_qts_within_another_task(qapp: QApplication) -> None:
    async def work() -> None:
        ran: list[str] = []

        async def other() -> None:
            ran.append("other")

        waiting = asyncio.create_task(other())
        nested = QEventLoop()
        QTimer.singleShot(30, nested.quit)
        nested.exec()
        assert ran == []
        await waiting
        assert ran == ["other"]

    run_in_qt_loop(qapp, work())


def test_a_cancelled_callback_never_runs_and_a_failed_one_holds_up_no_other(
    qapp: QApplication,
) -> None:
    ran: list[str] = []
    faults: list[str] = []

    def fail() -> None:
        raise ValueError("on purpose")

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: faults.append(str(context["exception"])))
        loop.call_soon(ran.append, "cancelled").cancel()
        loop.call_soon(fail)
        loop.call_soon(ran.append, "next")
        await until(lambda: ran == ["next"])

    run_in_qt_loop(qapp, work())
    assert faults == ["on purpose"]


def test_a_closed_loop_takes_nothing_from_a_thread(qapp: QApplication) -> None:
    loop = create_loop(qapp)
    asyncio.set_event_loop(None)
    loop.close()
    with pytest.raises(RuntimeError):
        loop.call_soon_threadsafe(print)
