"""Keeps the keyboard's way through widgets that come and go: order, and the focus itself.

It never decides what can take the focus.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def join_tab_order(home: QWidget) -> None:
    """Let what `home` holds by now follow where `home` itself stands in the window's order.

    Qt puts widgets made later at the window's end, far from what they belong to.
    """
    window = home.window()
    before = _before(home)
    for one in home.findChildren(QWidget):
        # The list of a box to choose from is a window of its own.
        if _takes_tab(one) and one.window() is window:
            QWidget.setTabOrder(before, one)
            before = one


def focused_name(home: QWidget) -> str:
    """Return the accessible name of what has the focus within `home`, "" when nothing has."""
    one: QWidget | None = home.window().focusWidget()
    return one.accessibleName() if one is not None and home.isAncestorOf(one) else ""


def focus_by_name(home: QWidget, name: str) -> None:
    """Give the focus to what now bears `name` within `home`; without one nothing happens."""
    if not name:
        return
    for one in home.findChildren(QWidget):
        if _takes_tab(one) and one.isVisible() and one.accessibleName() == name:
            one.setFocus(Qt.FocusReason.OtherFocusReason)
            return


def _before(home: QWidget) -> QWidget:
    """Return what Tab reaches just before anything in `home`, `home` when there is nothing."""
    one = home.previousInFocusChain()
    while one is not None and one is not home:
        if _takes_tab(one) and not home.isAncestorOf(one):
            return one
        one = one.previousInFocusChain()
    return home


def _takes_tab(widget: QWidget) -> bool:
    return bool(widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value)
