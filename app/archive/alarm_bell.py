"""Owns the alarm: kept before anything else happens, told to Compliance, ended by a statement.

It never ends an alarm by itself and never rings a second one over the first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import msgspec

from app.archive.keeper import SeenTree
from app.archive.mismatch import Mismatch
from app.domain.archive import ArchiveAlarm
from app.domain.clock import Clock
from app.store.store import Store
from backend_client.client import GovernedApi
from contract.wire import ArchiveAlert

ALARM = "alarm"

_LOG = logging.getLogger(__name__)


class AlarmBell:
    """The one alarm there may be; `changed` is called on the loop's thread with each change."""

    def __init__(
        self, api: GovernedApi, store: Store, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self._changed = changed
        self.alarm: ArchiveAlarm | None = None

    async def load(self) -> None:
        """Read the alarm a former run left; one that can't be read still stands."""
        kept = await self._store.archive.get(ALARM)
        if kept is not None:
            self.alarm = msgspec.json.decode(kept, type=ArchiveAlarm)
            self._changed()

    async def ring(self, mismatch: Mismatch, seen: SeenTree | None) -> None:
        """Pause sending; returns once the alarm is durable. Nothing happens when one stands."""
        if self.alarm is not None:
            return
        got = mismatch.got
        self.alarm = ArchiveAlarm(
            kind=mismatch.kind,
            detail_code=mismatch.code,
            at_utc_ms=self._clock.now_utc_ms(),
            seen_at_utc_ms=seen.seen_at_utc_ms if seen is not None else 0,
            seen_size=seen.size if seen is not None else 0,
            seen_root=seen.root if seen is not None else "",
            got_size=got.size if got is not None else 0,
            got_root=got.root.hex() if got is not None else "",
        )
        _LOG.error("archive alarm: %s (%s)", mismatch.kind.value, mismatch.code)
        self._changed()
        await self._keep(self.alarm)

    async def tell(self) -> None:
        """Tell Compliance of an alarm they do not have yet; raises ClientError."""
        alarm = self.alarm
        if alarm is None or alarm.told:
            return
        alert = ArchiveAlert(
            kind=alarm.kind.value,
            detail_code=alarm.detail_code,
            seen_size=alarm.seen_size,
            seen_root=alarm.seen_root,
            got_size=alarm.got_size,
            got_root=alarm.got_root,
        )
        # The same key after a crash between the answer and our note of it: one alarm, told once.
        await self._api.archive.alert(alert, key=f"alarm-{alarm.at_utc_ms}")
        if self.alarm is alarm:
            self.alarm = replace(alarm, told=True)
            await self._keep(self.alarm)
            self._changed()

    async def end(self) -> None:
        """Let sending go on: a signed statement explained what was seen."""
        await self._store.archive.put({ALARM: None})
        self.alarm = None
        _LOG.warning("archive alarm ended by a signed statement")
        self._changed()

    async def _keep(self, alarm: ArchiveAlarm) -> None:
        await self._store.archive.put({ALARM: msgspec.json.encode(alarm)})
