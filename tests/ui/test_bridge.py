"""Tests of the loop, the task spawner and dialogs as futures. They never use a network."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable

import pytest
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from app.domain.changes import ChangeSet
from app.domain.errors import AppError, Bug, Offline
from app.domain.status import CoreStatus
from contract.ids import ConversationId
from tests.support.log_guard import LogGuard
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from ui.bridge import garbage
from ui.bridge.dialogs import ask
from ui.bridge.loop import create_loop, run_to_end
from ui.bridge.signals import CoreSignals, Unsubscribe
from ui.bridge.spawn import Spawner


def test_the_loop_closes_generators_and_tasks_at_its_end(qapp: QApplication) -> None:
    ended: list[str] = []

    async def ticks() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            ended.append("generator")

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def main() -> int:
        main.left = asyncio.create_task(forever())  # type: ignore[attr-defined]  # keeps it alive
        main.ticks = ticks()  # type: ignore[attr-defined]  # left open on purpose
        assert await anext(main.ticks) == 1  # type: ignore[attr-defined]  # as above
        return 7

    assert run_to_end(create_loop(qapp), main) == 7
    assert sorted(ended) == ["generator", "task"]


def test_garbage_dies_on_the_windows_thread_alone(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "LOOK_EVERY_MS", 5)
    monkeypatch.setattr(garbage, "STARTED_AFTER_LOOKS", 0)
    died_on: list[int] = []

    class Node(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.itself = self
            weakref.finalize(self, lambda: died_on.append(threading.get_ident()))

    def allocate_much() -> None:
        kept = []
        for number in range(200_000):
            kept.append([number])

    async def main() -> int:
        Node()
        await asyncio.to_thread(allocate_much)
        async with asyncio.timeout(60):
            while not died_on:
                kept = [[number] for number in range(5_000)]
                await asyncio.sleep(0.01)
                del kept
        return 0

    was_enabled = gc.isenabled()
    gc.collect()
    gc.enable()  # as it is when Parley starts
    try:
        assert run_to_end(create_loop(qapp), main) == 0
        assert died_on == [threading.get_ident()]
        assert gc.isenabled()
    finally:
        if not was_enabled:
            gc.disable()


def test_a_failed_task_is_reported_by_name(qapp: QApplication, expect_log: LogGuard) -> None:
    expect_log("first ended with offline")
    expect_log("second failed")
    heard: list[tuple[str, AppError]] = []

    async def fail(error: Exception) -> None:
        raise error

    async def work() -> None:
        spawner = Spawner(lambda name, fault: heard.append((name, fault)))
        spawner.spawn(fail(Offline()), "first")
        spawner.spawn(fail(ValueError("secret")), "second")
        await until(lambda: len(heard) == 2)
        assert [name for name, _ in heard] == ["first", "second"]
        assert isinstance(heard[1][1], Bug)
        await spawner.close()
        assert spawner.spawn(fail(Offline()), "late") is None

    run_in_qt_loop(qapp, work())


def test_a_cancelled_task_is_no_failure(qapp: QApplication) -> None:
    heard: list[str] = []

    async def work() -> None:
        spawner = Spawner(lambda name, fault: heard.append(name))
        task = spawner.spawn(asyncio.sleep(60), "sleeper")
        assert task is not None
        await asyncio.sleep(0)
        await spawner.close()
        assert task.cancelled()
        assert heard == []

    run_in_qt_loop(qapp, work())


def test_a_dialog_answers_while_other_tasks_go_on(qapp: QApplication) -> None:
    async def work() -> None:
        dialog = QDialog()
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                if ticks == 4:
                    dialog.accept()
                await asyncio.sleep(0.005)

        other = asyncio.create_task(tick())
        assert await ask(dialog) is True
        QTimer.singleShot(10, dialog.reject)
        assert await ask(dialog) is False
        assert ticks >= 4
        other.cancel()
        dialog.deleteLater()

    run_in_qt_loop(qapp, work())


def test_a_cancelled_caller_closes_its_dialog(qapp: QApplication) -> None:
    async def work() -> None:
        dialog = QDialog()
        asking = asyncio.create_task(ask(dialog))
        await until(dialog.isVisible)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert not dialog.isVisible()
        dialog.deleteLater()

    run_in_qt_loop(qapp, work())


def test_a_cancelled_timer_ends_at_once_and_leaves_nothing_behind(qapp: QApplication) -> None:
    ran: list[str] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        timers = loop._timers  # type: ignore[attr-defined]  # the product's own loop
        before = len(timers)
        for _ in range(100):
            async with asyncio.timeout(60.0):
                await asyncio.sleep(0)
        assert len(timers) <= before + 1, "each time-out was given back"
        gone = loop.call_later(0.0, ran.append, "cancelled")
        loop.call_later(0.0, ran.append, "first")
        loop.call_soon(ran.append, "second")
        loop.call_later(0.02, ran.append, "last")
        gone.cancel()
        gone.cancel()
        while "last" not in ran:
            await asyncio.sleep(0.005)
        assert len(timers) <= before + 1

    run_in_qt_loop(qapp, work())
    assert ran == ["first", "second", "last"]


def test_of_many_states_in_a_moment_the_first_and_the_newest_are_shown(qapp: QApplication) -> None:
    signals = CoreSignals()
    told: list[int] = []
    signals.status_changed.connect(lambda status: told.append(status.outbox_waiting))
    tell: list[Callable[[CoreStatus], None]] = []

    class Source:
        def subscribe_changes(self, callback: Callable[[ChangeSet], None]) -> Unsubscribe:
            return lambda: None

        def subscribe_status(self, callback: Callable[[CoreStatus], None]) -> Unsubscribe:
            tell.append(callback)
            return lambda: None

        def subscribe_typing(self, callback: Callable[[ConversationId, bool], None]) -> Unsubscribe:
            return lambda: None

    signals.attach(Source())

    async def work() -> None:
        for waiting in range(100, 0, -1):
            tell[0](CoreStatus(outbox_waiting=waiting))
        assert told == [100]
        async with asyncio.timeout(60):
            while told[-1] != 1:
                await asyncio.sleep(0.01)
        assert told == [100, 1]
        for waiting in (8, 7):  # the second one is held, whether the rest was over by now or not
            tell[0](CoreStatus(outbox_waiting=waiting))
        assert told[-1] != 7
        signals.detach()
        await asyncio.sleep(0.08)
        assert told[-1] != 7

    run_in_qt_loop(qapp, work())


def test_what_lies_beneath_a_cover_is_told_together_but_what_is_gone_at_once(
    qapp: QApplication,
) -> None:
    a, b = ConversationId("a"), ConversationId("b")
    subscribers: list[Callable[[ChangeSet], None]] = []

    class Core:
        def subscribe_changes(self, callback: Callable[[ChangeSet], None]) -> Unsubscribe:
            subscribers.append(callback)
            return subscribers.clear

        def subscribe_status(self, callback: Callable[[CoreStatus], None]) -> Unsubscribe:
            return lambda: None

        def subscribe_typing(self, callback: Callable[[ConversationId, bool], None]) -> Unsubscribe:
            return lambda: None

    signals, told = CoreSignals(), list[ChangeSet]()
    signals.changed.connect(told.append)
    signals.attach(Core())
    tell = subscribers[0]
    signals.set_covered(True)
    for talk in (a, b):
        tell(ChangeSet(conversations=frozenset({talk}), initiator="sync"))
    assert told == []
    tell(ChangeSet(removed_conversations=frozenset({b}), initiator="sync"))
    assert [each.touched() for each in told] == [{a, b}, frozenset()]
    tell(ChangeSet(conversations=frozenset({a}), initiator="outbox"))
    assert len(told) == 3
    tell(ChangeSet(conversations=frozenset({a}), initiator="sync"))
    assert len(told) == 3
    signals.set_covered(False)
    assert len(told) == 4
    signals.detach()
