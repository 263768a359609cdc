"""Owns when a send counts as done for the composer: its row stands in the timeline, too.

It never holds a text back longer than a moment, and nothing at all of a send that failed.

Text and row then change places in one paint. Each of the two on its own would be a layout and a
paint of half the window, and the text would be nowhere for as long as those take.
"""

from __future__ import annotations

from app.core import Core
from contract.ids import AttachmentId, ConversationId, MessageId
from ui.late_store import LateMessaging
from ui.models.timeline_presenter import TimelinePresenter

_SHOWN_WITHIN_S = 0.05


class ShownSends(LateMessaging):
    """The core's messaging, whose `send` returns once the timeline holds the row."""

    def __init__(self, core: Core, timeline: TimelinePresenter) -> None:
        super().__init__(core)
        self._timeline = timeline

    async def send(
        self,
        conversation_id: ConversationId,
        text: str,
        *,
        quote: MessageId | None = None,
        attachment_ids: tuple[AttachmentId, ...] = (),
        justification: str = "",
        acknowledged: tuple[str, ...] = (),
        false_positives: tuple[str, ...] = (),
        template_id: str = "",
    ) -> MessageId:
        """Commit the outbox row and the draft's removal; wait a moment for the row's showing."""
        message_id = await super().send(
            conversation_id,
            text,
            quote=quote,
            attachment_ids=attachment_ids,
            justification=justification,
            acknowledged=acknowledged,
            false_positives=false_positives,
            template_id=template_id,
        )
        if not self._is_settled(conversation_id, message_id):
            await self._shown(conversation_id, message_id)
        return message_id

    async def _shown(self, home: ConversationId, message_id: MessageId) -> None:
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
