"""Searches people and messages of the cache as the user types.

It never asks the backend and never scans messages: what the index lacks is not found.
"""

from __future__ import annotations

import time

import msgspec
from sqlalchemy import text as sql_text

from app.domain.search import MessageHit, PersonHit, SearchResults
from app.store.databases import Databases, ReadView
from app.store.index_terms import match_expression, query_terms
from app.store.payloads import decode_contact
from app.store.snippets import Highlighter
from contract.ids import ConversationId, MessageId
from contract.wire import Channel, Direction

_MOST_PEOPLE_RANKED = 200

# Row ids grow with time, so the newest hits are the highest row ids.
_MESSAGES = sql_text(
    "SELECT messages.payload, conversations.title, conversations.channel"
    " FROM (SELECT rowid AS found FROM message_search WHERE message_search MATCH :expression"
    " ORDER BY rowid DESC LIMIT :limit)"
    " JOIN messages ON messages.row_id = found"
    " JOIN conversations ON conversations.row_id = messages.conversation_row"
    " WHERE conversations.listed = 1"
)
_PEOPLE = sql_text(
    "SELECT contacts.payload FROM (SELECT rowid AS found FROM contact_search"
    " WHERE contact_search MATCH :expression LIMIT :most)"
    " JOIN contacts ON contacts.row_id = found ORDER BY contacts.name_key LIMIT :limit"
)
_NEWEST_CONVERSATION = sql_text(
    "SELECT conversation_id FROM memberships JOIN conversations"
    " ON conversations.row_id = memberships.conversation_row"
    " WHERE memberships.contact_id = :id AND conversations.listed = 1"
    " ORDER BY last_activity_utc_ms DESC LIMIT 1"
)


class _Found(msgspec.Struct):
    """Those fields of a stored message that a hit shows."""

    message_id: str
    conversation_id: str
    direction: Direction
    text: str
    author_name: str
    place_at_utc_ms: int
    attachments: tuple[_FoundFile, ...] = ()


class _FoundFile(msgspec.Struct):
    """A file's name."""

    name: str


_decode = msgspec.msgpack.Decoder(_Found).decode


class SearchReads:
    """Prefix search, accent-insensitive, CJK by one character or more, newest first."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def search(
        self, text: str, limit_people: int = 5, limit_messages: int = 50
    ) -> SearchResults:
        """Return people and messages that hold every term of `text`; blank text finds nothing.

        Cancel the call when a newer query was typed: one still waiting is then never run.
        """
        started_s = time.perf_counter()
        expression = match_expression(text)
        if expression is None:
            return SearchResults(text, (), (), 0.0)
        highlighter = Highlighter(query_terms(text))

        def work(view: ReadView) -> tuple[tuple[PersonHit, ...], tuple[MessageHit, ...]]:
            people = _people(view, expression, limit_people)
            return people, _messages(view, expression, highlighter, limit_messages)

        people, messages = await self._databases.read(work)
        elapsed_ms = (time.perf_counter() - started_s) * 1_000
        return SearchResults(text, people, messages, elapsed_ms)


def _messages(
    view: ReadView, expression: str, highlighter: Highlighter, limit: int
) -> tuple[MessageHit, ...]:
    rows = view.cache.execute(_MESSAGES, {"expression": expression, "limit": limit})
    hits = [_hit(_decode(payload), title, channel, highlighter) for payload, title, channel in rows]
    return tuple(sorted(hits, key=lambda hit: hit.at_utc_ms, reverse=True))


def _hit(found: _Found, title: str, channel: str, highlighter: Highlighter) -> MessageHit:
    shown, highlights = highlighter.snippet(found.text)
    if not highlights and found.attachments:
        names = ", ".join(file.name for file in found.attachments)
        shown, highlights = highlighter.snippet(names)
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


def _people(view: ReadView, expression: str, limit: int) -> tuple[PersonHit, ...]:
    values = {"expression": expression, "most": _MOST_PEOPLE_RANKED, "limit": limit}
    hits = []
    for payload in view.cache.execute(_PEOPLE, values).scalars():
        contact = decode_contact(payload)
        home = view.cache.execute(_NEWEST_CONVERSATION, {"id": contact.contact_id}).scalar()
        hits.append(PersonHit(contact, None if home is None else ConversationId(home)))
    return tuple(hits)
