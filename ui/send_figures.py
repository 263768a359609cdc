"""Measures how long a message takes from its submission to its archive entry, as seen here.

It never looks at what a message says.
"""

from __future__ import annotations

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.timeline import TimelineRow
from contract.ids import MessageId
from ui.bridge.spawn import Spawner
from ui.models.figures import Figures
from ui.workspace_source import WorkspaceSource


class SendFigures:
    """Follows this run's sends until each is archived."""

    def __init__(
        self, source: WorkspaceSource, figures: Figures, spawner: Spawner, clock: Clock
    ) -> None:
        self._source = source
        self._figures = figures
        self._spawner = spawner
        self._clock = clock
        self._submitted_at: dict[MessageId, int] = {}

    def on_sent(self, message_id: str) -> None:
        """Follow a message that was just put into the outbox."""
        self._spawner.spawn(self._begin(MessageId(message_id)), "follow send")

    def on_changed(self, changes: ChangeSet) -> None:
        """Look whether a followed message has its archive entry now."""
        touched = {one for ids in changes.messages.values() for one in ids}
        for message_id in touched & self._submitted_at.keys():
            self._spawner.spawn(self._look(message_id), "follow send")

    async def _begin(self, message_id: MessageId) -> None:
        row = await self._source.message(message_id)
        if row is not None and row.outbox is not None:
            entry = row.outbox
            # The undo period is the user's, not the archive's.
            self._submitted_at[message_id] = entry.undo_until_utc_ms or entry.composed_at_utc_ms
            self._judge(message_id, row)

    async def _look(self, message_id: MessageId) -> None:
        self._judge(message_id, await self._source.message(message_id))

    def _judge(self, message_id: MessageId, row: TimelineRow | None) -> None:
        if row is None:
            self._submitted_at.pop(message_id, None)
        elif row.message.archive is not None:
            began = self._submitted_at.pop(message_id, None)
            if began is not None:
                self._figures.add_archived(max(0.0, float(self._clock.now_utc_ms() - began)))
