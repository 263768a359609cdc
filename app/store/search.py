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
from app.store.begun_read import BegunRead
from app.store.databases import Databases, ReadView
from app.store.engine import driver_of
from app.store.payloads import decode_contact
from app.store.search_scope import CONTACTS, Scope, contacts_named, scope_of
from app.store.snippets import Highlighter
from contract.ids import ConversationId, MessageId
from contract.search_terms import loose_expression, match_expression, query_terms
from contract.wire import Channel, Contact, Direction

_MOST_PEOPLE_RANKED = 60
_BEYOND_ALL_ROWS = 1 << 62
# One call looks at this many found rows at most: what a filter leaves of more comes page by page.
_MOST_ROWS_READ = 600
_MOST_ROWS_AT_ONCE = 400

# The driver runs what each key asks: SQLAlchemy's own work costs as much as a query.
# Row ids grow with time, so the newest hits are the highest row ids.
_MESSAGES = (
    "SELECT found, messages.conversation_row, messages.place_at_utc_ms, conversations.listed,"
    " conversations.title, conversations.channel, messages.payload"
    " FROM (SELECT rowid AS found FROM message_search WHERE message_search MATCH ?"
    " AND rowid < ? ORDER BY rowid DESC LIMIT ?)"
    " LEFT JOIN messages ON messages.row_id = found"
    " LEFT JOIN conversations ON conversations.row_id = messages.conversation_row"
)
_TITLES = (
    "SELECT conversations.title FROM (SELECT rowid AS found FROM conversation_search"
    " WHERE conversation_search MATCH ? LIMIT ?)"
    " JOIN conversations ON conversations.row_id = found"
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

    def search(
        self,
        text: str,
        limit_people: int = 5,
        limit_messages: int = 50,
        *,
        home: ConversationId | None = None,
        below_row: int | None = None,
    ) -> BegunRead[SearchResults]:
        """Return people and messages that hold every term of `text`; blank text finds nothing.

        `home` looks in one conversation alone; `below_row` goes on where a former answer's
        `next_row` says. The search begins with the call, before its answer is awaited; cancel
        it when a newer query was typed: one still waiting is then never run.
        """
        started_s = time.perf_counter()
        now_utc_ms = self._clock.now_utc_ms()
        query = parse_query(text, now_utc_ms)
        is_blank = match_expression(query.text) is None and not query.has_filters

        def work(view: ReadView) -> SearchResults:
            if is_blank:
                return SearchResults(text, (), (), 0.0, query.advice)
            scope = scope_of(view, query, home, now_utc_ms)
            people = _people(view, query, limit_people) if below_row is None else ()
            hits, next_row = _messages(view, query, scope, limit_messages, below_row)
            elapsed_ms = (time.perf_counter() - started_s) * 1_000
            advice = (*query.advice, *dict.fromkeys(scope.advice))
            return SearchResults(text, people, hits, elapsed_ms, advice, next_row)

        self._databases.precedence.claim()
        return self._databases.begin_read(work)

    async def names(self, typed: str, limit: int = 6) -> tuple[str, ...]:
        """Return names of contacts that hold what is typed of one, by name."""
        found = await self._databases.read(lambda view: contacts_named(view, typed))
        return tuple(dict.fromkeys(each.display_name for each in found))[:limit]

    async def titles(self, typed: str, limit: int = 6) -> tuple[str, ...]:
        """Return titles of conversations that hold what is typed of one."""
        expression = match_expression(typed)
        if expression is None:
            return ()
        asked = (expression, limit)
        return await self._databases.read(
            lambda view: tuple(view.cache.exec_driver_sql(_TITLES, asked).scalars())
        )


def _messages(
    view: ReadView, query: SearchQuery, scope: Scope, limit: int, below_row: int | None
) -> tuple[tuple[MessageHit, ...], int | None]:
    """Return hits, newest first, and the row to go on below."""
    if scope.is_empty or not (scope.words or scope.terms) or limit < 1:
        return (), None
    walk = _Walk(view, scope, Highlighter(query_terms(query.text)), limit, below_row)
    loose = None if scope.words is None else loose_expression(query.text)
    if loose is None or not walk.collect(loose, is_loose=True):
        walk.collect(scope.words, is_loose=False)
    hits = sorted(walk.hits, key=lambda hit: hit.at_utc_ms, reverse=True)
    return tuple(hits), walk.next_row


class _Walk:
    """One walk down the index, until enough was found or enough was looked at."""

    def __init__(
        self,
        view: ReadView,
        scope: Scope,
        highlighter: Highlighter,
        limit: int,
        below_row: int | None,
    ) -> None:
        self.hits: list[MessageHit] = []
        self.next_row: int | None = None
        self._view = view
        self._scope = scope
        self._highlighter = highlighter
        self._limit = limit
        self._below_row = _BEYOND_ALL_ROWS if below_row is None else below_row

    def collect(self, words: str | None, *, is_loose: bool) -> bool:
        """Take what fits; False when loose words find too much that does not hold them."""
        self.hits, self.next_row = [], None
        expression = " AND ".join((*((words,) if words else ()), *self._scope.terms))
        for number, row in enumerate(
            _found_rows(self._view, expression, self._limit, self._below_row)
        ):
            if len(self.hits) == self._limit or number == _MOST_ROWS_READ:
                return True
            if is_loose and number == self._limit and len(self.hits) * 2 < number:
                return False
            self.next_row = row[0]
            self._take(row, is_loose=is_loose)
        self.next_row = None
        return True

    def _take(self, row: Any, *, is_loose: bool) -> None:
        _, home, at_utc_ms, listed, title, channel, payload = row
        if not listed or not self._scope.holds_row(home, at_utc_ms, channel):
            return
        found = _decode(payload)
        if not self._scope.holds_author(found.author_id, found.author_name):
            return
        if is_loose and not self._highlighter.finds_all(_words_of(found)):
            return
        self.hits.append(_hit(found, title, channel, self._highlighter))


def _words_of(found: _Found) -> str:
    return "\n".join((found.text, *(file.name for file in found.attachments)))


def _found_rows(view: ReadView, expression: str, limit: int, below_row: int) -> Iterator[Any]:
    """Yield what the index finds, newest first: as many as are shown, then larger batches."""
    batch = limit + 1
    while True:
        rows = driver_of(view.cache).execute(_MESSAGES, (expression, below_row, batch)).fetchall()
        yield from rows
        if len(rows) < batch:
            return
        below_row = rows[-1][0]
        batch = min(batch * 4, _MOST_ROWS_AT_ONCE)


def _hit(found: _Found, title: str, channel: str, highlighter: Highlighter) -> MessageHit:
    names = ", ".join(file.name for file in found.attachments)
    shown, highlights = highlighter.snippet_of(found.text, names)
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
    driver = driver_of(view.cache)
    hits = []
    for contact in _contacts(view, query, limit)[:limit]:
        home = driver.execute(_NEWEST_CONVERSATION, (contact.contact_id,)).fetchone()
        hits.append(PersonHit(contact, None if home is None else ConversationId(home[0])))
    return tuple(hits)


def _contacts(view: ReadView, query: SearchQuery, limit: int) -> list[Contact]:
    if names := (*query.with_names, *query.from_names):
        named = {each.contact_id: each for name in names for each in contacts_named(view, name)}
        return list(named.values())
    expression = match_expression(query.text)
    if expression is None:
        return []
    asked = (expression, _MOST_PEOPLE_RANKED, limit)
    rows = driver_of(view.cache).execute(f"{CONTACTS} LIMIT ?", asked)
    return [decode_contact(row[0]) for row in rows]
