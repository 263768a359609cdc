"""Tests of links that reach the running window, as macOS and later starts hand them over.

They never leave the process.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# What macOS does, in a process of its own: there is one application object a process.
_MACOS = """
from PySide6.QtCore import QCoreApplication, QEvent, QUrl
from PySide6.QtGui import QFileOpenEvent
from ui.application import Application
from ui.arrivals import Arrivals
from ui.session_end import SessionEnd
application = Application(["parley"])
asked = []
application.quit_asked.connect(lambda: asked.append("quit"))
arrivals, end = Arrivals(application), SessionEnd(application)
link = QUrl("parley://conversation/0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
QCoreApplication.sendEvent(application, QFileOpenEvent(link))
QCoreApplication.sendEvent(application, QEvent(QEvent.Type.Quit))
print(arrivals._waiting, *asked)
"""


@pytest.mark.timeout(400)
def test_a_link_of_macos_waits_for_the_window_and_its_quit_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MACOS],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )
    expected = "parley://conversation/0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b quit"
    assert done.stdout.split("\n")[0] == expected, done.stderr
