"""Applies batches of the server's news to the cache: events, snapshot pages, answers.

It never commits; any order and any doubling of the same events ends in the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, text

from app.domain.changes import ChangeSet
from app.domain.errors import CursorGone
from app.store.apply_messages import Arrival, Touched, apply_messages
from app.store.apply_people import Told, apply_contacts, apply_conversations
from app.store.apply_seals import apply_seals
from app.store.cache_tables import END_OF_TIME_UTC_MS
from app.store.page_pieces import Piece
from app.store.payloads import id_list
from app.store.purges import CONVERSATION, MESSAGE, erase, revoke, tombstones
from app.store.search_rows import FILLING_SEGMENTS, set_merging
from app.store.sync_rows import SyncState, read_state, write_state
from contract.events import (
    AccessRevoked,
    ContactUpserted,
    ConversationUpserted,
    Erased,
    Event,
    MessageUpserted,
    Sealed,
)
from contract.ids import ConversationId
from contract.wire import Contact, Conversation, Message, SnapshotPage

_ANY_TOMBSTONE = text("SELECT 1 FROM tombstones LIMIT 1")
_LISTED = text(
    "SELECT conversation_id FROM conversations WHERE listed = 1"
    " AND conversation_id IN (SELECT value FROM json_each(:ids))"
)
_NEWEST_PLACE = text(
    "SELECT place_at_utc_ms FROM messages WHERE row_id = (SELECT max(row_id) FROM messages)"
)


@dataclass(slots=True)
class News:
    """One batch, sorted by kind; positions are the stream's, 0 for answers to calls."""

    contacts: list[Contact] = field(default_factory=list)
    conversations: list[Told] = field(default_factory=list)
    messages: list[Arrival] = field(default_factory=list)
    seals: list[tuple[Sealed, int]] = field(default_factory=list)
    revoked: list[tuple[AccessRevoked, int]] = field(default_factory=list)
    erased: list[tuple[Erased, int]] = field(default_factory=list)


def sort_events(events: Iterable[Event]) -> News:
    """Return events by kind; those that leave no trace in the cache are left out."""
    news = News()
    for event in events:
        body = event.body
        if isinstance(body, MessageUpserted):
            news.messages.append(Arrival(body.message, event.seq))
        elif isinstance(body, ConversationUpserted):
            news.conversations.append(Told(body.conversation, event.seq, streamed=True))
        elif isinstance(body, ContactUpserted):
            news.contacts.append(body.contact)
        elif isinstance(body, Sealed):
            news.seals.append((body, event.seq))
        elif isinstance(body, AccessRevoked):
            news.revoked.append((body, event.seq))
        elif isinstance(body, Erased):
            news.erased.append((body, event.seq))
    return news


def apply_events(
    connection: Connection, events: Sequence[Event], position: int
) -> tuple[ChangeSet, ChangeSet]:
    """Apply events with the position they lead to; see CacheWrites.apply_events."""
    state = read_state(connection)
    if state.cursor is None:
        raise CursorGone("no snapshot was begun")
    state, changes = _apply(connection, state, sort_events(events))
    write_state(connection, replace(state, cursor=max(state.cursor or 0, position)))
    return changes, changes


def apply_piece(
    connection: Connection, page: SnapshotPage, piece: Piece, *, begins: bool
) -> tuple[tuple[SyncState, ChangeSet], ChangeSet]:
    """Apply a piece of a snapshot page; the page's last piece notes where to go on.

    `begins` tells that it is the first of the snapshot. The caller sweeps after the last one.
    """
    state = read_state(connection)
    if begins:
        newest = connection.execute(_NEWEST_PLACE).scalar()
        set_merging(connection, FILLING_SEGMENTS)
        state = state.begin_snapshot(page.seq, END_OF_TIME_UTC_MS if newest is None else newest)
    if state.snapshot_seq is None:
        raise CursorGone("this page's snapshot was given up")
    seq = max(page.seq, page.at_seq)
    news = News(
        contacts=list(piece.contacts),
        conversations=[Told(each, seq) for each in piece.conversations],
        messages=[Arrival(each, seq) for each in piece.messages],
    )
    state, changes = _apply(
        connection, state, news, history_before_utc_ms=state.history_before_utc_ms
    )
    if not (changes.conversations or changes.contacts):
        changes = replace(changes, initiator="history")
    if piece.is_last:
        state = replace(
            state,
            snapshot_cursor=page.next_cursor or state.snapshot_cursor,
            applied_messages=state.applied_messages + len(page.messages),
        )
    write_state(connection, replace(state, total_messages=page.total_messages))
    return (state, changes), changes


def apply_answers(
    connection: Connection,
    contacts: Sequence[Contact],
    conversations: Sequence[Conversation],
    messages: Sequence[Message],
    *,
    history: bool,
    seq: int,
) -> tuple[ChangeSet, ChangeSet]:
    """Apply what single calls returned; see CacheWrites.apply_answers."""
    news = News(
        contacts=list(contacts),
        conversations=[Told(each, seq) for each in conversations],
        messages=[Arrival(each, seq) for each in messages],
    )
    state, changes = _apply(
        connection,
        read_state(connection),
        news,
        history_before_utc_ms=END_OF_TIME_UTC_MS if history else 0,
    )
    write_state(connection, state)
    return changes, changes


def _apply(
    connection: Connection, state: SyncState, news: News, *, history_before_utc_ms: int = 0
) -> tuple[SyncState, ChangeSet]:
    """Remove first, then add what no later removal forbids."""
    for revoked, seq in news.revoked:
        revoke(connection, revoked.conversation_id, seq)
    touched: Touched = {}
    for erased, seq in news.erased:
        erase(connection, erased.conversation_id, erased.message_ids, seq)
        touched.setdefault(erased.conversation_id, set()).update(erased.message_ids)
    _drop_forbidden(connection, news)
    contacts = apply_contacts(connection, news.contacts, state.generation)
    conversations = apply_conversations(connection, news.conversations, state.generation)
    state, arrived = apply_messages(
        connection, state, news.messages, history_before_utc_ms=history_before_utc_ms
    )
    for part in (arrived, apply_seals(connection, news.seals)):
        for conversation_id, ids in part.items():
            touched.setdefault(conversation_id, set()).update(ids)
    changes = ChangeSet(
        conversations=frozenset(conversations),
        messages={key: frozenset(ids) for key, ids in touched.items()},
        contacts=frozenset(contacts),
        removed_conversations=_no_longer_listed(connection, news),
        files_gone=bool(news.revoked or news.erased),
        initiator="sync",
    )
    return state, changes


def _drop_forbidden(connection: Connection, news: News) -> None:
    """Leave out what was revoked or erased at a later position than its own."""
    if connection.execute(_ANY_TOMBSTONE).scalar() is None:
        return
    homes = {each.conversation.conversation_id for each in news.conversations}
    homes.update(each.message.conversation_id for each in news.messages)
    homes.update(seal.conversation_id for seal, _ in news.seals)
    ids = {each.message.message_id for each in news.messages}
    ids.update(seal.message_id for seal, _ in news.seals)
    revoked = tombstones(connection, CONVERSATION, homes)
    erased = tombstones(connection, MESSAGE, ids)
    if not revoked and not erased:
        return
    bound = {"ids": id_list(revoked)}
    granted_again = {row[0] for row in connection.execute(_LISTED, bound)}

    def allowed(home: str, message_id: str, seq: int) -> bool:
        if seq == 0:
            return message_id not in erased and (home not in revoked or home in granted_again)
        return seq >= revoked.get(home, 0) and seq >= erased.get(message_id, 0)

    news.conversations = [
        each
        for each in news.conversations
        if allowed(each.conversation.conversation_id, "", each.seq)
    ]
    news.messages = [
        each
        for each in news.messages
        if allowed(each.message.conversation_id, each.message.message_id, each.seq)
    ]
    news.seals = [
        (seal, seq)
        for seal, seq in news.seals
        if allowed(seal.conversation_id, seal.message_id, seq)
    ]


def _no_longer_listed(connection: Connection, news: News) -> frozenset[ConversationId]:
    revoked = {each.conversation_id for each, _ in news.revoked}
    if not revoked:
        return frozenset()
    listed = {row[0] for row in connection.execute(_LISTED, {"ids": id_list(revoked)})}
    return frozenset(revoked - listed)
