"""Notices while Parley runs that the firm changed settings, which hold from the next start on.

It never applies a change: half of Parley under old and half under new settings would be worse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.settings.account import waiting_changes
from app.settings.schema import Origin
from app.settings.settings import Settings

# Group policy is refreshed every 90 minutes; a look costs about two milliseconds of a thread.
LOOK_EVERY_S = 900.0
_FIRMS = frozenset({Origin.MANAGED, Origin.INSTALLER})


class SettingsWatch:
    """Looks now and then; `tell` hears the keys that wait, and () when none does any more."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        at_start: Settings,
        tell: Callable[[tuple[str, ...]], None],
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._settings = settings
        self._at_start = at_start
        self._tell = tell
        self._every_s = every_s
        self._told: tuple[str, ...] = ()

    async def run(self) -> None:
        """Look until cancelled; reads the places on a thread beside the loop."""
        while True:
            await asyncio.sleep(self._every_s)
            now = self._settings()
            keys = self._firms_changes(now, await asyncio.to_thread(now.reread))
            if keys != self._told:
                self._told = keys
                self._tell(keys)

    def _firms_changes(self, now: Settings, again: Settings) -> tuple[str, ...]:
        """Return what waits and is not the user's own word: the settings page tells of that."""
        return tuple(
            key
            for key in waiting_changes(now, self._at_start, again)
            if _FIRMS & {again.origin(key), self._at_start.origin(key)}
        )
