"""Finds beside the window's construction what it shows first: the key, the kept first frame.

It never shows a dialog and never fails: what can't be had early is asked for in the usual way.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app.domain.errors import AppError

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core import Core
    from app.domain.first_frame import FirstFrame


class EarlyStart:
    """`core` is unlocked, and its first frame read, on a thread of its own."""

    def __init__(self, make_core: Callable[[str | None], Core]) -> None:
        """The thread starts at once."""
        self.core = make_core(None)
        self._frame: FirstFrame | None = None
        self._unlocked = False
        self._thread = threading.Thread(target=self._work, name="parley-early", daemon=True)
        self._thread.start()

    def frame(self, within_s: float) -> FirstFrame | None:
        """Return the first frame, None when there is none or the key took longer than that."""
        self._thread.join(within_s)
        return None if self._thread.is_alive() else self._frame

    def wait(self) -> bool:
        """Wait as long as the keyring needs and tell whether the core is unlocked."""
        self._thread.join()
        return self._unlocked

    def _work(self) -> None:
        try:
            self._frame = self.core.unlock()
        except AppError:  # the core that is opened next meets it again and asks the user
            return
        self._unlocked = True
