"""Lets presenters ask before the store is open: each question waits for it and is then passed on.

It never answers by itself and never drops a question that still has someone waiting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from app.core import Core
from app.domain.drafts import CheckedDraft, Draft
from app.domain.inbox import InboxCounts, InboxKey, InboxPage, InboxQuery, InboxRow
from app.domain.timeline import TimelineRow, TimelineWindow
from contract.ids import AttachmentId, ConversationId, MessageId
from contract.policy.model import Decision
from contract.wire import Attachment
from ui.models.policy_words import FALLBACK_LANGUAGE

Shown = Callable[[ConversationId, MessageId], Awaitable[None]]


class LateInbox:
    """The store's inbox, for the inbox's presenter."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def page(self, query: InboxQuery, limit: int, after: InboxKey | None) -> InboxPage:
        """Return up to `limit` rows after `after`."""
        await self._core.opened()
        return await self._core.store.inbox.page(query, limit, after)

    async def keys(
        self, query: InboxQuery, limit: int, after: InboxKey | None
    ) -> tuple[InboxKey, ...]:
        """Return the places of up to `limit` conversations after `after`."""
        await self._core.opened()
        return await self._core.store.inbox.keys(query, limit, after)

    async def rows(self, conversation_ids: Collection[ConversationId]) -> tuple[InboxRow, ...]:
        """Return the rows of those that are there, whatever the filter."""
        await self._core.opened()
        return await self._core.store.inbox.rows(conversation_ids)

    async def counts(self, now_utc_ms: int, expiring_before_utc_ms: int) -> InboxCounts:
        """Return how many conversations each filter holds."""
        await self._core.opened()
        return await self._core.store.inbox.counts(now_utc_ms, expiring_before_utc_ms)


class LateTimeline:
    """The store's timeline, for the timeline's presenter."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def around(
        self,
        conversation_id: ConversationId,
        anchor: MessageId | None = None,
        before: int = 60,
        after: int = 60,
    ) -> TimelineWindow:
        """Return the rows around `anchor`; None asks for the newest."""
        await self._core.opened()
        return await self._core.store.timeline.around(conversation_id, anchor, before, after)

    async def older(
        self, conversation_id: ConversationId, first: MessageId, limit: int = 60
    ) -> TimelineWindow:
        """Return the rows just before `first`."""
        await self._core.opened()
        return await self._core.store.timeline.older(conversation_id, first, limit)

    async def newer(
        self, conversation_id: ConversationId, last: MessageId, limit: int = 60
    ) -> TimelineWindow:
        """Return the rows just after `last`."""
        await self._core.opened()
        return await self._core.store.timeline.newer(conversation_id, last, limit)

    async def rows(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> tuple[TimelineRow, ...]:
        """Return those of the rows that are there."""
        await self._core.opened()
        return await self._core.store.timeline.rows(conversation_id, message_ids)

    async def first_new(
        self, conversation_id: ConversationId, read_upto_utc_ms: int
    ) -> MessageId | None:
        """Return the first client message placed after a moment."""
        await self._core.opened()
        return await self._core.store.timeline.first_new(conversation_id, read_upto_utc_ms)

    async def first_from(self, conversation_id: ConversationId, at_utc_ms: int) -> MessageId | None:
        """Return the first message placed at a moment or later."""
        await self._core.opened()
        return await self._core.store.timeline.first_from(conversation_id, at_utc_ms)


class LateMessaging:
    """The core's messaging, for the composer: a send before the store is open waits for it."""

    def __init__(self, core: Core, shown: Shown) -> None:
        """`shown` returns when what was sent is on screen, or need not be waited for."""
        self._core = core
        self._shown = shown

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
        """Commit the outbox row and the draft's removal; return once the row is shown."""
        await self._core.opened()
        message_id = await self._core.messaging.send(
            conversation_id,
            text,
            quote=quote,
            attachment_ids=attachment_ids,
            justification=justification,
            acknowledged=acknowledged,
            false_positives=false_positives,
            template_id=template_id,
        )
        await self._shown(conversation_id, message_id)
        return message_id

    async def edit_sent(
        self,
        message_id: MessageId,
        text: str,
        *,
        justification: str = "",
        acknowledged: tuple[str, ...] = (),
        false_positives: tuple[str, ...] = (),
    ) -> None:
        """Give a message that is out other words."""
        await self._core.opened()
        await self._core.messaging.sent.edit(
            message_id,
            text,
            justification=justification,
            acknowledged=acknowledged,
            false_positives=false_positives,
        )

    async def save_draft(self, draft: Draft) -> None:
        """Store a draft."""
        await self._core.opened()
        await self._core.messaging.save_draft(draft)

    async def typing(self, conversation_id: ConversationId, typing: bool) -> None:
        """Tell the client's side that the employee types; without a line nobody is told."""
        if self._core.is_open:
            await self._core.messaging.typing(conversation_id, typing)

    async def upload(self, path: Path, progress: Callable[[int, int], None]) -> Attachment:
        """Bring a file to the backend."""
        await self._core.opened()
        return await self._core.messaging.upload(path, progress)


class LateChecks:
    """The core's hints, for the composer: until the store is open there are none."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def decide(self, draft: CheckedDraft) -> Decision | None:
        """Return what policy says of a draft, None while it can't be known."""
        return self._core.desk.decide(draft) if self._core.is_open else None

    async def decide_later(self, draft: CheckedDraft) -> Decision | None:
        """Return the same, worked out beside the UI thread."""
        await self._core.opened()
        return await self._core.desk.decide_later(draft)

    def language(self) -> str:
        """Return the language findings are spoken in."""
        return self._core.desk.language if self._core.is_open else FALLBACK_LANGUAGE
