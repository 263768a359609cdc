"""Searches people and messages of the cache as the user types.

It never asks the backend and never scans messages: what the index lacks is not found.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from app.domain.clock import Clock
from app.domain.search import MessageHit, PersonHit, SearchResults
from app.domain.search_query import SearchQuery, parse_query
from app.store.databases import Databases, ReadView
from app.store.payloads import decode_contact
from app.store.search_rows import tag_some
from app.store.search_scope import CONTACTS, Scope, contacts_named, scope_of
from app.store.snippets import Highlighter
from contract.ids import ConversationId, MessageId
from contract.search_terms import match_expression, query_terms
from contract.wire import Channel, Contact, Direction

_MOST_PEOPLE_RANKED = 200
_BEYOND_ALL_ROWS = 1 << 62
# One call looks at this many found rows at most: what a filter leaves of more comes page by page.
_MOST_ROWS_READ = 2_000
_MOST_ROWS_AT_ONCE = 400
_TAGGED_AT_ONCE = 200

# Row ids grow with time, so the newest hits are the highest row ids.
_MESSAGES = (
    "SELECT found, messages.conversation_row, messages.place_at_utc_ms, conversations.listed,"
    " conversations.title, conversations.channel, messages.payload"
    " FROM (SELECT rowid AS found FROM message_search WHERE message_search MATCH ?"
    " AND rowid < ? ORDER BY rowid DESC LIMIT ?)"
    " LEFT JOIN messages ON messages.row_id = found"
    " LEFT JOIN conversations ON conversations.row_id = messages.conversation_row"
)
_NEWEST_CONVERSATION = (
    "SELECT conversation_id FROM memberships JOIN conversations"
    " ON conversations.row_id = memberships.conversation_row"
    " WHERE memberships.contact_id = ? AND conversations.listed = 1"
    " ORDER BY last_activity_utc_ms DESC LIMIT 1"
)


class _Found(msgspec.Struct):
    """Those fields of a stored message that a hit shows."""

    message_id: str
    conversation_id: str
    direction: Direction
    text: str
    author_id: str
    author_name: str
    place_at_utc_ms: int
    attachments: tuple[_FoundFile, ...] = ()


class _FoundFile(msgspec.Struct):
    """A file's name."""

    name: str


_decode = msgspec.msgpack.Decoder(_Found).decode


class SearchReads:
    """Prefix search, accent-insensitive, CJK by one character or more, newest first."""

    def __init__(self, databases: Databases, clock: Clock) -> None:
        self._databases = databases
        self._clock = clock

    async def search(
        self,
        text: str,
        limit_people: int = 5,
        limit_messages: int = 50,
        *,
        home: ConversationId | None = None,
        below_row: int | None = None,
    ) -> SearchResults:
        """Return people and messages that hold every term of `text`; blank text finds nothing.

        `home` looks in one conversation alone; `below_row` goes on where a former answer's
        `next_row` says. Cancel the call when a newer query was typed: one still waiting is
        then never run.
        """
        started_s = time.perf_counter()
        now_utc_ms = self._clock.now_utc_ms()
        query = parse_query(text, now_utc_ms)
        if match_expression(query.text) is None and not query.has_filters:
            return SearchResults(text, (), (), 0.0, query.advice)

        def work(view: ReadView) -> SearchResults:
            scope = scope_of(view, query, home, now_utc_ms)
            people = _people(view, query, limit_people) if below_row is None else ()
            hits, next_row = _messages(view, query, scope, limit_messages, below_row)
            elapsed_ms = (time.perf_counter() - started_s) * 1_000
            advice = (*query.advice, *dict.fromkeys(scope.advice))
            return SearchResults(text, people, hits, elapsed_ms, advice, next_row)

        return await self._databases.read(work)

    async def names(self, typed: str, limit: int = 6) -> tuple[str, ...]:
        """Return names of contacts that hold what is typed of one, by name."""
        found = await self._databases.read(lambda view: contacts_named(view, typed))
        return tuple(dict.fromkeys(each.display_name for each in found))[:limit]

    async def tag_some(self) -> bool:
        """Bring the next messages of an upgraded cache to today's index; True: more are left."""
        from app.domain.changes import ChangeSet

        return await self._databases.write_cache(
            lambda connection: (tag_some(connection, _TAGGED_AT_ONCE), ChangeSet())
        )


def _messages(
    view: ReadView, query: SearchQuery, scope: Scope, limit: int, below_row: int | None
) -> tuple[tuple[MessageHit, ...], int | None]:
    """Return hits, newest first, and the row to go on below."""
    if scope.is_empty or not scope.terms or limit < 1:
        return (), None
    highlighter = Highlighter(query_terms(query.text))
    hits: list[MessageHit] = []
    rows = _found_rows(view, " AND ".join(scope.terms), limit, below_row or _BEYOND_ALL_ROWS)
    next_row = None
    for number, (found, home, at_utc_ms, listed, title, channel, payload) in enumerate(rows):
        if len(hits) == limit or number == _MOST_ROWS_READ:
            break
        next_row = found
        if not listed or not scope.holds_row(home, at_utc_ms, channel):
            continue
        message = _decode(payload)
        if scope.holds_author(message.author_id, message.author_name):
            hits.append(_hit(message, title, channel, highlighter))
    else:
        next_row = None
    return tuple(sorted(hits, key=lambda hit: hit.at_utc_ms, reverse=True)), next_row


def _found_rows(view: ReadView, expression: str, limit: int, below_row: int) -> Iterator[Any]:
    """Yield what the index finds, newest first: as many as are shown, then larger batches."""
    batch = limit + 1
    while True:
        rows = view.cache.exec_driver_sql(_MESSAGES, (expression, below_row, batch)).all()
        yield from rows
        if len(rows) < batch:
            return
        below_row = rows[-1][0]
        batch = min(batch * 4, _MOST_ROWS_AT_ONCE)


def _hit(found: _Found, title: str, channel: str, highlighter: Highlighter) -> MessageHit:
    shown, highlights = highlighter.snippet(found.text)
    if not highlights and found.attachments:
        names = ", ".join(file.name for file in found.attachments)
        named, marked = highlighter.snippet(names)
        if marked or not found.text:
            shown, highlights = named, marked
    return MessageHit(
        message_id=MessageId(found.message_id),
        conversation_id=ConversationId(found.conversation_id),
        conversation_title=title,
        channel=Channel(channel),
        direction=found.direction,
        author_name=found.author_name,
        snippet=shown,
        highlights=highlights,
        at_utc_ms=found.place_at_utc_ms,
    )


def _people(view: ReadView, query: SearchQuery, limit: int) -> tuple[PersonHit, ...]:
    """Return the people a filter names, else those the words find."""
    if limit < 1:
        return ()
    hits = []
    for contact in _contacts(view, query)[:limit]:
        home = view.cache.exec_driver_sql(_NEWEST_CONVERSATION, (contact.contact_id,)).scalar()
        hits.append(PersonHit(contact, None if home is None else ConversationId(home)))
    return tuple(hits)


def _contacts(view: ReadView, query: SearchQuery) -> list[Contact]:
    if names := (*query.with_names, *query.from_names):
        named = {each.contact_id: each for name in names for each in contacts_named(view, name)}
        return list(named.values())
    expression = match_expression(query.text)
    if expression is None:
        return []
    rows = view.cache.exec_driver_sql(f"{CONTACTS} LIMIT 20", (expression, _MOST_PEOPLE_RANKED))
    return [decode_contact(payload) for payload in rows.scalars()]
