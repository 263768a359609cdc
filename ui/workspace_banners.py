"""Owns what the banners above the pages say: the core's notices and the newest failure.

It never finds out by itself what is wrong: the workspace tells it.
"""

from __future__ import annotations

from collections.abc import Callable

from app.domain.status import CoreStatus
from ui.models.banner_words import BannerWords
from ui.models.status_words import banners
from ui.views.banners import BannerStack

FAULT = "fault"


class WorkspaceBanners:
    """One window's banners; what the user has dismissed stays away until the next start."""

    def __init__(
        self,
        status: Callable[[], CoreStatus],
        stack: BannerStack,
        now_utc_ms: Callable[[], int] = int,
    ) -> None:
        """`status` gives how the core stands just now; `now_utc_ms` names days other than today."""
        self._status = status
        self._now_utc_ms = now_utc_ms
        self._stack = stack
        self._dismissed: frozenset[str] = frozenset()
        self._fault = ""
        self._told: dict[str, BannerWords] = {}
        self._quiet: set[str] = set()

    def tell(self, words: BannerWords, *, quietly: bool = False) -> None:
        """Say something beside the core's notices until it is dismissed by its key.

        What is said `quietly` stands behind all else.
        """
        self._told[words.key] = words
        if quietly:
            self._quiet.add(words.key)
        self.show()

    @property
    def tells_fault(self) -> bool:
        """Tell whether something that failed is being said."""
        return bool(self._fault)

    def tell_fault(self, words: str) -> None:
        """Say what failed until it is dismissed or tried again."""
        self._fault = words
        self.show()

    def dismiss(self, notice: str) -> None:
        """Hide a notice the user has read."""
        if notice == FAULT:
            self._fault = ""
        elif self._told.pop(notice, None) is None:
            self._dismissed |= {notice}
        self.show()

    def show(self) -> None:
        """Show what holds now."""
        pressing = [one for one in self._told.values() if one.key not in self._quiet]
        quiet = [one for one in self._told.values() if one.key in self._quiet]
        shown = (*pressing, *self._standing(), *quiet)
        if self._fault:
            actions = (("retry", "Try again"), (f"dismiss:{FAULT}", "Understood"))
            shown = (BannerWords(FAULT, "warn", "", self._fault, actions), *shown)
        self._stack.show_banners(shown)

    def _standing(self) -> tuple[BannerWords, ...]:
        return banners(self._status(), self._dismissed, now_utc_ms=self._now_utc_ms())
