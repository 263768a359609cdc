"""Owns what supervision does by the clock: held messages expire, capture gaps are entered.

It never writes when there is nothing to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection, select

from backend.directory.native_capture import begin_watch, unwatched
from backend.governance.approvals import expire_approvals
from backend.governance.gaps import enter_gaps, find_gaps
from backend.storage.database import Database
from backend.storage.supervision_tables import approvals
from contract.supervision import ApprovalState

EVERY_S = 20.0


class GovernanceWatch:
    """One per installation; a second one changes nothing."""

    def __init__(self, database: Database, *, now: Callable[[], int]) -> None:
        """`now` returns UTC milliseconds."""
        self._database = database
        self._now = now

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Do what is due now."""
        now_utc_ms = self._now()
        if await self._database.read(lambda c: _has_expired(c, now_utc_ms)):
            await self._database.write(lambda c: expire_approvals(c, now_utc_ms))
        if await self._database.read(unwatched):
            await self._database.write(lambda c: begin_watch(c, now_utc_ms))
        if await self._database.read(lambda c: bool(find_gaps(c, now_utc_ms))):
            await self._database.write(lambda c: enter_gaps(c, now_utc_ms))


def _has_expired(connection: Connection, now_utc_ms: int) -> bool:
    columns = approvals.c
    found = connection.execute(
        select(columns.approval_id)
        .where(columns.state == ApprovalState.PENDING, columns.expires_at_utc_ms <= now_utc_ms)
        .limit(1)
    ).first()
    return found is not None
