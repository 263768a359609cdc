"""Reads the inbox list, its counts and single conversations.

It never writes and never orders by anything but last activity.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import TextClause, text

from app.domain.inbox import (
    MOST_EXPIRING,
    InboxCounts,
    InboxFilter,
    InboxKey,
    InboxPage,
    InboxQuery,
    InboxRow,
)
from app.store.databases import Databases, ReadView
from app.store.overlay import LocalState, local_states
from app.store.payloads import decode_conversation, id_list
from contract.ids import ConversationId
from contract.wire import MAX_PAGE, Conversation

# Written as in the partial indexes, so that each filter walks its own index.
_CONDITIONS = {
    InboxFilter.ALL: "listed = 1",
    InboxFilter.UNREAD: "unread = 1",
    InboxFilter.AWAITING: "awaiting = 1",
    InboxFilter.EXPIRING: (
        "listed = 1 AND window_closes_at_utc_ms IS NOT NULL"
        " AND window_closes_at_utc_ms > :now AND window_closes_at_utc_ms <= :before"
    ),
}
_AFTER = " AND (last_activity_utc_ms, conversation_id) < (:at, :id)"
_NEWEST_FIRST = "ORDER BY last_activity_utc_ms DESC, conversation_id DESC"
_OF_CHANNEL = " AND channel = :channel"
_BY_IDS = text(
    "SELECT payload FROM conversations WHERE listed = 1"
    " AND conversation_id IN (SELECT value FROM json_each(:ids))"
)
_ONE = text("SELECT payload FROM conversations WHERE conversation_id = :id")
_COUNTERS = text("SELECT name, value FROM counters")
_EXPIRING_COUNT = text(
    "SELECT count(*) FROM (SELECT 1 FROM conversations"  # noqa: S608 -- constants
    f" WHERE {_CONDITIONS[InboxFilter.EXPIRING]} LIMIT :most)"
)
_BEGIN_SNAPSHOT = text("SELECT 1 FROM drafts LIMIT 1")


def _statement(kind: InboxFilter, condition: str) -> TextClause:
    if kind is InboxFilter.EXPIRING:  # sorted by the index's columns, then the payloads are read
        return text(
            "SELECT payload FROM (SELECT row_id AS found FROM conversations"  # noqa: S608 -- constants
            f" WHERE {condition} {_NEWEST_FIRST} LIMIT :limit)"
            f" JOIN conversations ON row_id = found {_NEWEST_FIRST}"
        )
    return text(
        f"SELECT payload FROM conversations WHERE {condition}"  # noqa: S608 -- constants
        f" {_NEWEST_FIRST} LIMIT :limit"
    )


_PAGES = {
    (kind, channel, after): _statement(kind, condition + channel + after)
    for kind, condition in _CONDITIONS.items()
    for channel in ("", _OF_CHANNEL)
    for after in ("", _AFTER)
}

_KEYS = {
    (kind, channel, after): text(
        "SELECT last_activity_utc_ms, conversation_id FROM conversations"  # noqa: S608 -- constants
        f" WHERE {condition}{channel}{after} {_NEWEST_FIRST} LIMIT :limit"
    )
    for kind, condition in _CONDITIONS.items()
    for channel in ("", _OF_CHANNEL)
    for after in ("", _AFTER)
}
MAX_KEYS = 2_000


class InboxReads:
    """The inbox from one table of the cache, with drafts and waiting sends laid over it."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def page(self, query: InboxQuery, limit: int, after: InboxKey | None = None) -> InboxPage:
        """Return at most `limit` (1–500) rows after `after`, newest activity first."""
        limit = max(1, min(limit, MAX_PAGE))
        statement = _page_statement(query, after)
        values = _page_values(query, limit + 1, after)

        def work(view: ReadView) -> InboxPage:
            # The outbox is read first (see ReadView), before it is known which rows are shown.
            view.outbox.execute(_BEGIN_SNAPSHOT)
            found = [
                decode_conversation(each)
                for each in view.cache.execute(statement, values).scalars()
            ]
            rows = _with_local(view, found[:limit])
            if len(found) <= limit:
                return InboxPage(rows, None)
            last = rows[-1].conversation
            return InboxPage(rows, InboxKey(last.last_activity_utc_ms, last.conversation_id))

        return await self._databases.read(work)

    async def keys(
        self, query: InboxQuery, limit: int = MAX_KEYS, after: InboxKey | None = None
    ) -> tuple[InboxKey, ...]:
        """Return the places of at most `limit` (1–2 000) conversations after `after`.

        They come from the index alone: no row is read for them.
        """
        channel = "" if query.channel is None else _OF_CHANNEL
        statement = _KEYS[query.filter, channel, "" if after is None else _AFTER]
        values = _page_values(query, max(1, min(limit, MAX_KEYS)), after)
        return await self._databases.read(
            lambda view: tuple(map(InboxKey._make, view.cache.execute(statement, values)))
        )

    async def row(self, conversation_id: ConversationId) -> InboxRow | None:
        """Return one conversation's row whatever the filter, or None when it is not there."""
        found = await self.rows((conversation_id,))
        return found[0] if found else None

    async def rows(self, conversation_ids: Collection[ConversationId]) -> tuple[InboxRow, ...]:
        """Return the rows of those conversations that are there, in no fixed order."""

        def work(view: ReadView) -> tuple[InboxRow, ...]:
            bound = {"ids": id_list(conversation_ids)}
            payloads = view.cache.execute(_BY_IDS, bound).scalars()
            return _with_local(view, [decode_conversation(each) for each in payloads])

        return await self._databases.read(work)

    async def counts(self, now_utc_ms: int, expiring_before_utc_ms: int) -> InboxCounts:
        """Return how many conversations each filter holds, of the expiring MOST_EXPIRING at most.

        Only those are counted row by row, because time moves them; the others are kept as sums.
        """

        def work(view: ReadView) -> InboxCounts:
            held = {row[0]: int(row[1]) for row in view.cache.execute(_COUNTERS)}
            bounds = {"now": now_utc_ms, "before": expiring_before_utc_ms, "most": MOST_EXPIRING}
            expiring = view.cache.execute(_EXPIRING_COUNT, bounds).scalar_one()
            return InboxCounts(held["listed"], held["unread"], held["awaiting"], int(expiring))

        return await self._databases.read(work)

    async def conversation(self, conversation_id: ConversationId) -> Conversation | None:
        """Return one conversation as the server tells it, or None."""
        payload = await self._databases.read(
            lambda view: view.cache.execute(_ONE, {"id": conversation_id}).scalar()
        )
        return None if payload is None else decode_conversation(payload)


def _page_statement(query: InboxQuery, after: InboxKey | None) -> TextClause:
    channel = "" if query.channel is None else _OF_CHANNEL
    return _PAGES[query.filter, channel, "" if after is None else _AFTER]


def _page_values(query: InboxQuery, limit: int, after: InboxKey | None) -> dict[str, Any]:
    values: dict[str, Any] = {"limit": limit}
    if query.channel is not None:
        values["channel"] = query.channel.value
    if query.filter is InboxFilter.EXPIRING:
        values |= {"now": query.now_utc_ms, "before": query.expiring_before_utc_ms}
    if after is not None:
        values |= {"at": after.last_activity_utc_ms, "id": after.conversation_id}
    return values


def _with_local(view: ReadView, conversations: list[Conversation]) -> tuple[InboxRow, ...]:
    states = local_states(view.outbox, [each.conversation_id for each in conversations])
    nothing = LocalState()
    rows = []
    for each in conversations:
        local = states.get(each.conversation_id, nothing)
        rows.append(InboxRow(each, local.draft_text, local.waiting_count, local.refused_count))
    return tuple(rows)
