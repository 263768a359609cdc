"""Turns a question's filters into terms of the message index and checks of the found rows.

It never reads a message: names become people and conversations of the cache.

A filter that holds for few conversations is a term of the index (contract.search_tags), so that
one walk meets its rows alone; one that holds for many passes most rows, which are then checked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from app.domain.search import Advice, AdviceKind
from app.domain.search_query import ME, SearchQuery
from app.store.databases import ReadView
from app.store.engine import driver_of
from app.store.payloads import decode_contact, id_list
from app.store.search_rows import TAGLESS_BELOW
from app.store.snippets import Highlighter
from contract import search_tags as tags
from contract.ids import ConversationId
from contract.search_terms import match_expression, query_terms
from contract.wire import Channel, Contact, Me

MOST_TAGGED = 64
_MOST_ROWS = 2_000
_MOST_PEOPLE = 200

CONTACTS = (
    "SELECT contacts.payload FROM (SELECT rowid AS found FROM contact_search"
    " WHERE contact_search MATCH ? LIMIT ?)"
    " JOIN contacts ON contacts.row_id = found ORDER BY contacts.name_key"
)
TITLES = "SELECT rowid FROM conversation_search WHERE conversation_search MATCH ? LIMIT ?"
_MEMBERSHIPS = (
    "SELECT conversation_row, contact_id FROM memberships"
    " WHERE contact_id IN (SELECT value FROM json_each(?)) LIMIT ?"
)
_OF_CHANNELS = (
    "SELECT row_id FROM conversations WHERE listed = 1"
    " AND channel IN (SELECT value FROM json_each(?)) LIMIT ?"
)
_UNFINISHED = "SELECT 1 FROM meta WHERE key = ?"
_HOME = "SELECT row_id FROM conversations WHERE conversation_id = ?"
ME_ROW = "SELECT value FROM meta WHERE key = 'me'"


@dataclass(slots=True)
class Scope:
    """Where messages are looked for: words and terms of the index, then each row's checks.

    `rows` and `authors` are None where any conversation or author will do; `author_name` stands
    for colleagues, whom the cache knows from their messages alone.
    """

    words: str | None = None
    terms: list[str] = field(default_factory=list)
    rows: Collection[int] | None = None
    authors: Collection[str] | None = None
    author_name: Highlighter | None = None
    channels: Collection[str] | None = None
    after_utc_ms: int | None = None
    before_utc_ms: int | None = None
    is_empty: bool = False
    advice: list[Advice] = field(default_factory=list)

    def holds_row(self, row: int, at_utc_ms: int, channel: str) -> bool:
        """Return True when a message's columns are within the scope."""
        return (
            (self.rows is None or row in self.rows)
            and (self.channels is None or channel in self.channels)
            and (self.after_utc_ms is None or at_utc_ms >= self.after_utc_ms)
            and (self.before_utc_ms is None or at_utc_ms < self.before_utc_ms)
        )

    def holds_author(self, author_id: str, author_name: str) -> bool:
        """Return True when a message's author is within the scope."""
        if self.authors is not None and author_id in self.authors:
            return True
        if self.author_name is not None:
            return self.author_name.finds_all(author_name)
        return self.authors is None


def scope_of(
    view: ReadView, query: SearchQuery, home: ConversationId | None, now_utc_ms: int
) -> Scope:
    """Return where a question looks; `home` is the only conversation when given."""
    scope = Scope(after_utc_ms=query.after_utc_ms, before_utc_ms=query.before_utc_ms)
    scope.words = match_expression(query.text)
    if home is not None:
        row = driver_of(view.cache).execute(_HOME, (home,)).fetchone()
        _narrow(scope, () if row is None else (int(row[0]),))
    if driver_of(view.cache).execute(_UNFINISHED, (TAGLESS_BELOW,)).fetchone() is not None:
        scope.advice.append(Advice(AdviceKind.INDEX_UNFINISHED))
    if not query.has_filters:
        return _tagged(scope, (), now_utc_ms, is_filtered=False)
    if query.with_names:
        _narrow(scope, [row for row, _ in _memberships_of(view, scope, "with", query.with_names)])
    _narrow_to_titles(view, scope, query.in_titles)
    _narrow_to_channels(view, scope, query.channels)
    pairs = _authors(view, scope, query.from_names)
    if query.has_file:
        scope.terms.append(tags.files_expression())
    if scope.after_utc_ms is not None or scope.before_utc_ms is not None:
        scope.terms.append(
            tags.days_expression(scope.after_utc_ms, scope.before_utc_ms, now_utc_ms)
        )
    return _tagged(scope, pairs, now_utc_ms, is_filtered=True)


def contacts_named(view: ReadView, name: str) -> list[Contact]:
    """Return contacts whose own name holds every word of `name`, by name; at most 200."""
    expression = match_expression(name)
    if expression is None:
        return []
    highlighter = Highlighter(query_terms(name))
    rows = driver_of(view.cache).execute(CONTACTS, (expression, _MOST_PEOPLE))
    found = [decode_contact(row[0]) for row in rows]
    return [each for each in found if highlighter.finds_all(each.display_name)]


def employee_of(value: bytes | None) -> tuple[str, ...]:
    """Return the signed-in employee's id from what is kept of them, nothing when none is."""
    return () if value is None else (msgspec.json.decode(value, type=Me).employee_id,)


def _tagged(
    scope: Scope, pairs: Sequence[tuple[int, str]], now_utc_ms: int, *, is_filtered: bool
) -> Scope:
    if pairs and len(pairs) <= MOST_TAGGED:
        scope.terms.append(tags.authors_expression(pairs))
    elif scope.rows is not None and len(scope.rows) <= MOST_TAGGED:
        scope.terms.append(tags.conversations_expression(scope.rows))
    if scope.words is None and not scope.terms and is_filtered:
        # No term of the index is left: every message, whatever its day.
        scope.terms.append(tags.days_expression(None, None, now_utc_ms))
    scope.is_empty = scope.is_empty or scope.rows == frozenset()
    return scope


def _narrow(scope: Scope, rows: Collection[int]) -> None:
    found = frozenset(rows)
    scope.rows = found if scope.rows is None else found & frozenset(scope.rows)


def _memberships_of(
    view: ReadView, scope: Scope, key: str, names: Sequence[str]
) -> list[tuple[int, str]]:
    """Return (conversation, contact) of everyone with one of the names."""
    ids: list[str] = []
    for name in names:
        found = contacts_named(view, name)
        if not found:
            scope.advice.append(Advice(AdviceKind.NOBODY, key, name))
        elif len(found) >= _MOST_PEOPLE:
            scope.advice.append(Advice(AdviceKind.TOO_MANY, key, name))
        ids += [each.contact_id for each in found]
    if not ids:
        return []
    rows = driver_of(view.cache).execute(_MEMBERSHIPS, (id_list(ids), _MOST_ROWS))
    return [(int(row), str(contact_id)) for row, contact_id in rows]


def _narrow_to_titles(view: ReadView, scope: Scope, titles: Sequence[str]) -> None:
    if not titles:
        return
    rows: list[int] = []
    for title in titles:
        expression = match_expression(title)
        found: list[int] = []
        if expression is not None:
            answer = view.cache.exec_driver_sql(TITLES, (expression, _MOST_ROWS))
            found = [int(row) for row in answer.scalars()]
        if not found:
            scope.advice.append(Advice(AdviceKind.NO_CONVERSATION, "in", title))
        elif len(found) >= _MOST_ROWS:
            scope.advice.append(Advice(AdviceKind.TOO_MANY, "in", title))
        rows += found
    _narrow(scope, rows)


def _narrow_to_channels(view: ReadView, scope: Scope, channels: Collection[Channel]) -> None:
    if not channels:
        return
    scope.channels = frozenset(channel.value for channel in channels)
    asked = (id_list(scope.channels), MOST_TAGGED + 1)
    found = [int(row) for row in view.cache.exec_driver_sql(_OF_CHANNELS, asked).scalars()]
    if len(found) <= MOST_TAGGED:
        _narrow(scope, found)


def _authors(view: ReadView, scope: Scope, names: Sequence[str]) -> Sequence[tuple[int, str]]:
    """Narrow the scope to authors; return which (conversation, author) can be terms."""
    if not names:
        return ()
    others = [name for name in names if name.casefold() != ME]
    advised = len(scope.advice)
    pairs = _memberships_of(view, scope, "from", others)
    authors = {author for _, author in pairs}
    if len(others) < len(names):
        for me in employee_of(view.cache.exec_driver_sql(ME_ROW).scalar()):
            authors.add(me)
            pairs += [(row, me) for row in scope.rows or ()]
    scope.authors = authors
    if others and not authors:
        # Nobody of the own book: a colleague, perhaps, whom their messages name.
        scope.author_name = Highlighter(query_terms(" ".join(others)))
        del scope.advice[advised:]
        return ()
    if scope.rows is not None:
        pairs = [(row, author) for row, author in pairs if row in frozenset(scope.rows)]
        scope.is_empty = scope.is_empty or not pairs
    elif len(others) == len(names):
        _narrow(scope, [row for row, _ in pairs])
    else:
        return ()
    return pairs
