"""Owns when a send counts as done for the composer: its row stands in the timeline, too.

It never holds a text back longer than a moment, and nothing at all of a send that failed.

Text and row then change places in one paint. Each of the two on its own would be a layout and a
paint of half the window, and the text would be nowhere for as long as those take.
"""

from __future__ import annotations

from contract.ids import ConversationId, MessageId
from ui.models.timeline_presenter import TimelinePresenter

_SHOWN_WITHIN_S = 0.05


class ShownSends:
    """The timeline, as the composer waits for it."""

    def __init__(self, timeline: TimelinePresenter) -> None:
        self._timeline = timeline

    async def shown(self, home: ConversationId, message_id: MessageId) -> None:
        """Return once the row of a committed send is there, or a moment later without it."""
        if self._is_settled(home, message_id):
            return
        import asyncio

        shown = asyncio.Event()

        def look() -> None:
            if self._is_settled(home, message_id):
                shown.set()

        link = self._timeline.model.rowsInserted.connect(look)
        try:
            async with asyncio.timeout(_SHOWN_WITHIN_S):
                await shown.wait()
        except TimeoutError:
            pass  # it is kept all the same, and its row follows
        finally:
            self._timeline.model.rowsInserted.disconnect(link)

    def _is_settled(self, home: ConversationId, message_id: MessageId) -> bool:
        """Tell whether the row is there, or will not come: another place is on screen."""
        timeline = self._timeline
        if timeline.conversation_id != home or timeline.has_newer:
            return True
        return timeline.model.number_of_message(message_id) >= 0
