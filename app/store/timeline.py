"""Reads windows of one conversation's timeline, the outbox laid over the server's messages.

It never hands out more than MAX_WINDOW_ROWS rows and never pages by offset.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text

from app.domain.timeline import MAX_WINDOW_ROWS, OutboxEntry, TimelineRow, TimelineWindow
from app.store.archive import verified_hashes
from app.store.databases import Databases, ReadView
from app.store.outbox_rows import get_entry
from app.store.overlay import messages_of
from app.store.payloads import decode_message
from app.store.timeline_sequence import OVERLAID, TimelineSequence, is_verified
from contract.ids import ConversationId, MessageId
from contract.wire import Direction

_PAYLOAD = text("SELECT payload FROM messages WHERE message_id = :id")
_HOME = "SELECT row_id FROM conversations WHERE conversation_id = :home"
_IN_ORDER = "ORDER BY place_at_utc_ms, place_index, row_id LIMIT :limit"
_PLACED_AFTER = text(
    f"SELECT payload FROM messages WHERE conversation_row = ({_HOME})"  # noqa: S608 -- constants
    f" AND place_at_utc_ms > :at {_IN_ORDER}"
)
_FIRST_FROM = text(
    f"SELECT message_id FROM messages WHERE conversation_row = ({_HOME})"  # noqa: S608 -- constants
    f" AND place_at_utc_ms >= :at {_IN_ORDER}"
)


class TimelineReads:
    """Windows by key: server rows by place, then this computer's submissions as composed."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def around(
        self,
        conversation_id: ConversationId,
        anchor: MessageId | None = None,
        before: int = 60,
        after: int = 60,
    ) -> TimelineWindow:
        """Return the rows around `anchor` (included); None asks for the newest `before` rows.

        An anchor that is not in this conversation gives the newest rows.
        """
        before, after = _within_window(before, after)

        def work(view: ReadView) -> TimelineWindow:
            sequence = TimelineSequence(view, conversation_id)
            place = None if anchor is None else sequence.place_of(anchor)
            if anchor is None or place is None:
                rows, has_older = sequence.before(sequence.end, before)
                return TimelineWindow(conversation_id, tuple(rows), has_older, False)
            older, has_older = sequence.before(place, before)
            newer, has_newer = sequence.after(place, after)
            rows = [*older, *sequence.rows((anchor,)), *newer]
            return TimelineWindow(conversation_id, tuple(rows), has_older, has_newer)

        return await self._databases.read(work)

    async def older(
        self, conversation_id: ConversationId, first: MessageId, limit: int = 100
    ) -> TimelineWindow:
        """Return the rows just before `first`; `has_newer` is True. Unknown `first`: empty."""

        def work(view: ReadView) -> TimelineWindow:
            sequence = TimelineSequence(view, conversation_id)
            place = sequence.place_of(first)
            if place is None:
                return TimelineWindow(conversation_id, (), False, False)
            rows, has_older = sequence.before(place, min(limit, MAX_WINDOW_ROWS))
            return TimelineWindow(conversation_id, tuple(rows), has_older, True)

        return await self._databases.read(work)

    async def newer(
        self, conversation_id: ConversationId, last: MessageId, limit: int = 100
    ) -> TimelineWindow:
        """Return the rows just after `last`; `has_older` is True. Unknown `last`: empty."""

        def work(view: ReadView) -> TimelineWindow:
            sequence = TimelineSequence(view, conversation_id)
            place = sequence.place_of(last)
            if place is None:
                return TimelineWindow(conversation_id, (), False, False)
            rows, has_newer = sequence.after(place, min(limit, MAX_WINDOW_ROWS))
            return TimelineWindow(conversation_id, tuple(rows), True, has_newer)

        return await self._databases.read(work)

    async def message(self, message_id: MessageId) -> TimelineRow | None:
        """Return one message or submission wherever it is, or None."""

        def work(view: ReadView) -> TimelineRow | None:
            entry = get_entry(view.outbox, message_id)
            payload = view.cache.execute(_PAYLOAD, {"id": message_id}).scalar()
            if payload is None:
                return None if entry is None else _submitted(view, entry)
            overlaid = entry if entry is not None and entry.state in OVERLAID else None
            message = decode_message(payload)
            hashes = verified_hashes(view.outbox, (message_id,))
            return TimelineRow(message, overlaid, is_verified(message, hashes))

        return await self._databases.read(work)

    async def rows(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> tuple[TimelineRow, ...]:
        """Return those of the (at most 500) rows that are there, in timeline order."""
        wanted = list(message_ids)[:MAX_WINDOW_ROWS]
        return await self._databases.read(
            lambda view: tuple(TimelineSequence(view, conversation_id).rows(wanted))
        )

    async def first_new(
        self, conversation_id: ConversationId, read_upto_utc_ms: int
    ) -> MessageId | None:
        """Return the first client message placed after a moment (looked for in 500 rows)."""
        bound = {"home": conversation_id, "at": read_upto_utc_ms, "limit": MAX_WINDOW_ROWS}

        def work(view: ReadView) -> MessageId | None:
            for payload in view.cache.execute(_PLACED_AFTER, bound).scalars():
                message = decode_message(payload)
                if message.direction is Direction.IN:
                    return message.message_id
            return None

        return await self._databases.read(work)

    async def first_from(self, conversation_id: ConversationId, at_utc_ms: int) -> MessageId | None:
        """Return the first message the server placed at a moment or later, None without one."""
        bound = {"home": conversation_id, "at": at_utc_ms, "limit": 1}

        def work(view: ReadView) -> MessageId | None:
            found = view.cache.execute(_FIRST_FROM, bound).scalar()
            return None if found is None else MessageId(found)

        return await self._databases.read(work)


def _within_window(before: int, after: int) -> tuple[int, int]:
    """Bound both sides so that the anchor and its neighbours fit one window."""
    before = max(0, min(before, MAX_WINDOW_ROWS - 1))
    return before, max(0, min(after, MAX_WINDOW_ROWS - 1 - before))


def _submitted(view: ReadView, entry: OutboxEntry) -> TimelineRow:
    return TimelineRow(messages_of(view, [entry])[0], entry)
