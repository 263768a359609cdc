"""Sends real key and mouse events to widgets and waits for what follows from them.

It never calls a widget's own methods to bring something about.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget

WAIT_S = 60.0
_LOOK_EVERY_S = 0.02
_COPY = Qt.DropAction.CopyAction
_NO_MODIFIER = Qt.KeyboardModifier.NoModifier


class StepFailed(Exception):
    """Something that had to happen did not, said in one sentence."""


async def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
    """Return as soon as `condition` holds; raises StepFailed naming `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise StepFailed(f"{what} did not happen within {timeout_s:.0f} s")
        await asyncio.sleep(_LOOK_EVERY_S)


def demand(condition: bool, what: str) -> None:
    """Raise StepFailed naming `what` unless `condition` holds."""
    if not condition:
        raise StepFailed(what)


async def click(widget: QWidget) -> None:
    """Press and release the left button in the widget's middle."""
    demand(widget.isVisible(), f"“{widget.accessibleName()}” is not visible")
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
    await asyncio.sleep(0)


async def click_row(view: QAbstractItemView, index: QModelIndex) -> None:
    """Press and release the left button on a row of a list, wherever it has moved meanwhile."""
    row = QPersistentModelIndex(index)
    view.scrollTo(index)
    await asyncio.sleep(0)
    demand(row.isValid(), "the row has left the list")
    point = view.visualRect(row).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, _NO_MODIFIER, point)
    await asyncio.sleep(0)


async def click_at(view: QAbstractItemView, point: QPoint) -> None:
    """Press and release the left button at a point of a list's viewport."""
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, _NO_MODIFIER, point)
    await asyncio.sleep(0)


async def press(
    widget: QWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier = _NO_MODIFIER
) -> None:
    """Press and release one key."""
    QTest.keyClick(widget, key, modifiers)
    await asyncio.sleep(0)


async def drop_file(widget: QWidget, path: Path) -> None:
    """Carry a file over a widget and let it go there, as a file manager does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    middle, button, copy = widget.rect().center(), Qt.MouseButton.LeftButton, _COPY
    enter = QDragEnterEvent(middle, copy, data, button, _NO_MODIFIER)
    enter.ignore()
    QApplication.sendEvent(widget, enter)
    demand(enter.isAccepted(), f"“{widget.accessibleName()}” does not take a file")
    await asyncio.sleep(0.05)
    QApplication.sendEvent(widget, QDropEvent(QPointF(middle), copy, data, button, _NO_MODIFIER))
    await asyncio.sleep(0)


async def type_text(widget: QWidget, text: str) -> None:
    """Press and release one key after the other; the loop goes on between them."""
    for letter in text:
        QTest.keyClicks(widget, letter)
        await asyncio.sleep(0)
