"""Decides when a draft is checked on the UI thread and when beside it, by what checks cost.

It never checks by itself and never hands out a decision made for another draft.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, Signal

from app.domain.drafts import CheckedDraft
from contract.policy.model import Decision
from ui.bridge.spawn import Spawner

# Drafts up to this length are always checked with the keystroke.
AT_ONCE_CHARS = 100
# With a check of 4 ms, layout and painting still fit into a frame's 8 ms.
AT_ONCE_MS = 4.0
# The median of a few: one slow check (a page fault, another program) moves nothing.
_REMEMBERED = 5
# So many checks beside the thread, then one is tried on it again: what was kept of the text
# makes it cheap there, and a busy computer may have come to rest.
_BEFORE_ANOTHER_TRY = 20

Check = Callable[[CheckedDraft], Decision | None]
CheckLater = Callable[[CheckedDraft], Awaitable[Decision | None]]


class DraftCheck(QObject):
    """`decided` carries (CheckedDraft, Decision | None) of a check made beside the UI thread."""

    decided = Signal(object, object)

    def __init__(
        self,
        check: Check,
        check_later: CheckLater | None,
        spawner: Spawner,
        parent: QObject | None = None,
    ) -> None:
        """Without `check_later` every check is made at once."""
        super().__init__(parent)
        self._check = check
        self._check_later = check_later
        self._spawner = spawner
        self._ms_per_char: deque[float] = deque(maxlen=_REMEMBERED)
        self._apart = 0
        self._wanted: CheckedDraft | None = None
        self._running = False

    def fits_now(self, draft: CheckedDraft) -> bool:
        """Tell whether the draft's check can be made with the keystroke."""
        size = len(draft.text)
        if self._check_later is None or size <= AT_ONCE_CHARS:
            return True
        if not self._ms_per_char or self._apart >= _BEFORE_ANOTHER_TRY:
            return True
        return sorted(self._ms_per_char)[len(self._ms_per_char) // 2] * size <= AT_ONCE_MS

    def now(self, draft: CheckedDraft) -> Decision | None:
        """Check at once; what was asked for later is void."""
        self._wanted = None
        began = time.perf_counter()
        decision = self._check(draft)
        took_ms = (time.perf_counter() - began) * 1000
        if len(draft.text) > AT_ONCE_CHARS // 2:
            self._ms_per_char.append(took_ms / len(draft.text))
        self._apart = 0
        return decision

    def later(self, draft: CheckedDraft) -> None:
        """Check beside the UI thread; only the newest draft asked for is decided."""
        self._wanted = draft
        self._apart += 1
        if not self._running:
            self._running = self._spawner.spawn(self._work(), "check draft") is not None

    async def _work(self) -> None:
        assert self._check_later is not None
        try:
            while (draft := self._wanted) is not None:
                decision = await self._check_later(draft)
                if self._wanted is draft:
                    self._wanted = None
                    self.decided.emit(draft, decision)
        finally:
            self._running = False
