"""Prepares what the archive is asked and turns its answer into hits beside those found here.

It never asks the archive itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.domain.clock import Clock
from app.domain.search import MessageHit
from app.domain.search_query import ME, parse_query
from app.store.databases import Databases, ReadView
from app.store.payloads import id_list
from app.store.search_scope import ME_ROW, TITLES, contacts_named, employee_of
from app.store.snippets import Highlighter
from contract.ids import ContactId, ConversationId, MessageId
from contract.search import MAX_IDS, MAX_QUERY_CHARS, SearchMessages
from contract.search_terms import match_expression, query_terms
from contract.wire import Channel, Message

_HERE = "SELECT message_id FROM messages WHERE message_id IN (SELECT value FROM json_each(?))"
_HOMES = (
    "SELECT conversation_id, title, channel FROM conversations WHERE listed = 1"
    " AND conversation_id IN (SELECT value FROM json_each(?))"
)
_IDS_OF_ROWS = (
    "SELECT conversation_id FROM conversations WHERE row_id IN (SELECT value FROM json_each(?))"
)


class ArchiveSearchReads:
    """What of the archive's search is known here: people, conversations, messages held."""

    def __init__(self, databases: Databases, clock: Clock) -> None:
        self._databases = databases
        self._clock = clock

    async def question(self, text: str, cursor: str, limit: int) -> SearchMessages | None:
        """Return a typed question with names as ids; None when it asks for nothing there."""
        query = parse_query(text[: MAX_QUERY_CHARS * 2], self._clock.now_utc_ms())
        if match_expression(query.text) is None and not query.has_filters:
            return None

        def work(view: ReadView) -> SearchMessages | None:
            others = [name for name in query.from_names if name.casefold() != ME]
            authors: list[str] = [*_contact_ids(view, others)]
            author_name = " ".join(others) if others and not authors else ""
            if len(others) < len(query.from_names):
                authors += employee_of(view.cache.exec_driver_sql(ME_ROW).scalar())
            contacts = _contact_ids(view, query.with_names)
            homes = _conversations(view, query.in_titles)
            if (query.with_names and not contacts) or (query.in_titles and not homes):
                return None
            return SearchMessages(
                text=query.text[:MAX_QUERY_CHARS],
                author_ids=tuple(authors[:MAX_IDS]),
                author_name=author_name[:MAX_QUERY_CHARS],
                contact_ids=tuple(contacts[:MAX_IDS]),
                conversation_ids=tuple(homes[:MAX_IDS]),
                channels=tuple(sorted(query.channels)),
                has_file=query.has_file,
                after_utc_ms=query.after_utc_ms,
                before_utc_ms=query.before_utc_ms,
                cursor=cursor,
                limit=limit,
            )

        return await self._databases.read(work)

    async def missing(
        self, messages: Sequence[Message]
    ) -> tuple[tuple[Message, ...], frozenset[ConversationId]]:
        """Return those that are not here, and their conversations that are not known here."""

        def work(view: ReadView) -> tuple[tuple[Message, ...], frozenset[ConversationId]]:
            asked = (id_list(each.message_id for each in messages),)
            here = set(view.cache.exec_driver_sql(_HERE, asked).scalars())
            missing = tuple(each for each in messages if each.message_id not in here)
            known = _homes(view, {each.conversation_id for each in missing})
            return missing, frozenset(
                each.conversation_id for each in missing if each.conversation_id not in known
            )

        return await self._databases.read(work)

    async def hits(self, text: str, messages: Sequence[Message]) -> tuple[MessageHit, ...]:
        """Return messages of conversations that are known here as hits of a typed question."""
        query = parse_query(text, self._clock.now_utc_ms())
        highlighter = Highlighter(query_terms(query.text))

        def work(view: ReadView) -> tuple[MessageHit, ...]:
            homes = _homes(view, {each.conversation_id for each in messages})
            return tuple(
                _hit(each, *homes[each.conversation_id], highlighter)
                for each in messages
                if each.conversation_id in homes
            )

        return await self._databases.read(work)


def _contact_ids(view: ReadView, names: Sequence[str]) -> list[ContactId]:
    return [each.contact_id for name in names for each in contacts_named(view, name)]


def _conversations(view: ReadView, titles: Sequence[str]) -> list[ConversationId]:
    rows: list[str] = []
    for title in titles:
        expression = match_expression(title)
        if expression is not None:
            answer = view.cache.exec_driver_sql(TITLES, (expression, MAX_IDS))
            rows += [str(row) for row in answer.scalars()]
    found = view.cache.exec_driver_sql(_IDS_OF_ROWS, (f"[{','.join(rows)}]",))
    return [ConversationId(each) for each in found.scalars()]


def _homes(
    view: ReadView, ids: Collection[ConversationId]
) -> dict[ConversationId, tuple[str, str]]:
    rows = view.cache.exec_driver_sql(_HOMES, (id_list(ids),))
    return {ConversationId(row[0]): (row[1], row[2]) for row in rows}


def _hit(message: Message, title: str, channel: str, highlighter: Highlighter) -> MessageHit:
    names = ", ".join(file.name for file in message.attachments)
    shown, highlights = highlighter.snippet_of(message.text, names)
    return MessageHit(
        message_id=MessageId(message.message_id),
        conversation_id=message.conversation_id,
        conversation_title=title,
        channel=Channel(channel),
        direction=message.direction,
        author_name=message.author_name,
        snippet=shown,
        highlights=highlights,
        at_utc_ms=message.place_at_utc_ms,
        in_archive=True,
    )
