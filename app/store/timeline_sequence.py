"""One conversation as a single sequence: server rows by place, then submissions as composed.

It never loads more rows than asked for and never pages by offset.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from app.domain.timeline import TimelineRow
from app.store.archive import verified_hashes
from app.store.databases import ReadView
from app.store.overlay import entries, messages_of
from app.store.payloads import decode_message, id_list
from contract.states import OutboxState
from contract.wire import Message

_HOME = text("SELECT row_id, floor_at_utc_ms FROM conversations WHERE conversation_id = :id")
_PLACE = text(
    "SELECT conversation_row, place_at_utc_ms, place_index, row_id FROM messages"
    " WHERE message_id = :id"
)
# Below a conversation's floor messages may lack: they are shown only from one of them on, so that
# nobody takes two for neighbours that are none.
_NEWEST = text(
    "SELECT payload FROM messages WHERE conversation_row = :home AND place_at_utc_ms >= :floor"
    " ORDER BY place_at_utc_ms DESC, place_index DESC, row_id DESC LIMIT :limit"
)
_OLDER = text(
    "SELECT payload FROM messages WHERE conversation_row = :home"
    " AND (place_at_utc_ms, place_index, row_id) < (:at, :place_index, :row_id)"
    " AND place_at_utc_ms >= :floor"
    " ORDER BY place_at_utc_ms DESC, place_index DESC, row_id DESC LIMIT :limit"
)
_NEWER = text(
    "SELECT payload FROM messages WHERE conversation_row = :home"
    " AND (place_at_utc_ms, place_index, row_id) > (:at, :place_index, :row_id)"
    " ORDER BY place_at_utc_ms, place_index, row_id LIMIT :limit"
)
_BY_IDS = text(
    "SELECT payload FROM messages WHERE message_id IN (SELECT value FROM json_each(:ids))"
)
_KNOWN = text(
    "SELECT message_id FROM messages WHERE message_id IN (SELECT value FROM json_each(:ids))"
)
# Read first, so that the outbox's state is the older one (see ReadView).
_ANSWERED = text(
    "SELECT message_id FROM outbox INDEXED BY outbox_answered"
    " WHERE state IN ('accepted', 'refused') AND conversation_id = :id"
)
_SUBMITTED_AT = text(
    "SELECT position FROM outbox WHERE message_id = :message_id AND conversation_id = :id"
)
_SUBMITTED_BEFORE = text(
    "SELECT position, message_id FROM outbox WHERE conversation_id = :id AND position < :position"
    " ORDER BY position DESC LIMIT :limit"
)
_SUBMITTED_AFTER = text(
    "SELECT position, message_id FROM outbox WHERE conversation_id = :id AND position > :position"
    " ORDER BY position LIMIT :limit"
)
_BEFORE_ALL, _BEHIND_ALL = -1, 1 << 62


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """Between server rows: at the message with this place."""

    at_utc_ms: int
    index: int
    row_id: int


@dataclass(frozen=True, slots=True)
class WaitingPlace:
    """Among the submissions the server does not know: the one composed at this position."""

    position: int


Place = ServerPlace | WaitingPlace
# States in which a submission tells more than the message the cache already holds.
OVERLAID = frozenset({OutboxState.REFUSED, OutboxState.ACCEPTED})


class TimelineSequence:
    """Reads one conversation within one reader transaction (outbox first, then cache)."""

    def __init__(self, view: ReadView, conversation_id: str) -> None:
        self._view = view
        self._id = conversation_id
        self._answered = frozenset(
            view.outbox.execute(_ANSWERED, {"id": conversation_id}).scalars()
        )
        home = view.cache.execute(_HOME, {"id": conversation_id}).one_or_none()
        self._home: int | None = None if home is None else int(home[0])
        self._floor = 0 if home is None else int(home[1])

    @property
    def end(self) -> Place:
        """Return the place behind everything."""
        return WaitingPlace(_BEHIND_ALL)

    def place_of(self, message_id: str) -> Place | None:
        """Return where a message of this conversation stands, or None."""
        row = self._view.cache.execute(_PLACE, {"id": message_id}).one_or_none()
        if row is not None:
            return ServerPlace(row[1], row[2], row[3]) if row[0] == self._home else None
        values = {"message_id": message_id, "id": self._id}
        position = self._view.outbox.execute(_SUBMITTED_AT, values).scalar()
        return None if position is None else WaitingPlace(position)

    def before(self, place: Place, limit: int) -> tuple[list[TimelineRow], bool]:
        """Return at most `limit` rows before a place, ascending, and whether there are more."""
        waiting: list[str] = []
        if isinstance(place, WaitingPlace):
            waiting = self._waiting(_SUBMITTED_BEFORE, place.position, limit + 1)[::-1]
        if len(waiting) > limit:
            return self._submitted(waiting[1:]), True
        wanted = limit - len(waiting)
        found = self._older(place, wanted + 1)
        rows = self._server_rows(found[len(found) - wanted :] if len(found) > wanted else found)
        return rows + self._submitted(waiting), len(found) > wanted

    def after(self, place: Place, limit: int) -> tuple[list[TimelineRow], bool]:
        """Return at most `limit` rows after a place, ascending, and whether there are more."""
        found: list[Message] = []
        position = _BEFORE_ALL
        if isinstance(place, ServerPlace):
            found = self._newer(place, limit + 1)
            if len(found) > limit:
                return self._server_rows(found[:limit]), True
        else:
            position = place.position
        room = limit - len(found)
        waiting = self._waiting(_SUBMITTED_AFTER, position, room + 1)
        rows = self._server_rows(found) + self._submitted(waiting[:room])
        return rows, len(waiting) > room

    def rows(self, message_ids: Collection[str]) -> list[TimelineRow]:
        """Return those of the rows that are there, in timeline order."""
        bound = {"ids": id_list(message_ids)}
        payloads = self._view.cache.execute(_BY_IDS, bound).scalars()
        found = sorted(
            map(decode_message, payloads), key=lambda m: (m.place_at_utc_ms, m.place_index)
        )
        known = {message.message_id for message in found}
        return self._server_rows(found) + self._submitted(set(message_ids) - known)

    def _waiting(self, statement: TextClause, position: int, limit: int) -> list[str]:
        """Return up to `limit` submissions the server does not know, going on from a position."""
        waiting: list[str] = []
        while len(waiting) < limit:
            values = {"id": self._id, "position": position, "limit": limit}
            found = self._view.outbox.execute(statement, values).all()
            known = self._known([row[1] for row in found])
            waiting.extend(row[1] for row in found if row[1] not in known)
            if len(found) < limit:
                break
            position = found[-1][0]
        return waiting[:limit]

    def _known(self, ids: Collection[str]) -> set[str]:
        if not ids:
            return set()
        return set(self._view.cache.execute(_KNOWN, {"ids": id_list(ids)}).scalars())

    def _older(self, place: Place, limit: int) -> list[Message]:
        values: dict[str, object] = {"home": self._home, "limit": limit, "floor": self._floor}
        if isinstance(place, ServerPlace):
            if place.at_utc_ms < self._floor:
                values["floor"] = 0
            values |= {"at": place.at_utc_ms, "place_index": place.index, "row_id": place.row_id}
            payloads = self._view.cache.execute(_OLDER, values).scalars().all()
        else:
            payloads = self._view.cache.execute(_NEWEST, values).scalars().all()
        return [decode_message(each) for each in reversed(payloads)]

    def _newer(self, place: ServerPlace, limit: int) -> list[Message]:
        values = {"home": self._home, "limit": limit}
        values |= {"at": place.at_utc_ms, "place_index": place.index, "row_id": place.row_id}
        return [decode_message(each) for each in self._view.cache.execute(_NEWER, values).scalars()]

    def _server_rows(self, messages: Sequence[Message]) -> list[TimelineRow]:
        """Lay what this computer knows more of over the messages: refusals, proofs still due."""
        ids = [message.message_id for message in messages]
        overlaid = entries(self._view.outbox, self._answered.intersection(ids))
        hashes = verified_hashes(self._view.outbox, ids)
        return [
            TimelineRow(message, overlaid.get(message.message_id), is_verified(message, hashes))
            for message in messages
        ]

    def _submitted(self, ids: Collection[str]) -> list[TimelineRow]:
        found = entries(self._view.outbox, ids).values()
        waiting = [entry for entry in found if entry.conversation_id == self._id]
        return [
            TimelineRow(message, entry)
            for message, entry in zip(messages_of(self._view, waiting), waiting, strict=True)
        ]


def is_verified(message: Message, hashes: Mapping[str, str]) -> bool:
    """Tell whether the entry this message stands in is the one that was verified."""
    archive = message.archive
    return archive is not None and hashes.get(message.message_id) == archive.entry_hash
