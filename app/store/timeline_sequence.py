"""One conversation as a single sequence: server rows by place, then submissions as composed.

It never loads more rows than asked for and never pages by offset.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from app.domain.timeline import TimelineRow
from app.store.archive import verified_hashes
from app.store.databases import ReadView
from app.store.overlay import entries, messages_of
from app.store.payloads import decode_message, id_list
from contract.states import OutboxState
from contract.wire import Message

_HOME = text("SELECT row_id FROM conversations WHERE conversation_id = :id")
_PLACE = text(
    "SELECT conversation_row, place_at_utc_ms, place_index, row_id FROM messages"
    " WHERE message_id = :id"
)
_NEWEST = text(
    "SELECT payload FROM messages WHERE conversation_row = :home"
    " ORDER BY place_at_utc_ms DESC, place_index DESC, row_id DESC LIMIT :limit"
)
_OLDER = text(
    "SELECT payload FROM messages WHERE conversation_row = :home"
    " AND (place_at_utc_ms, place_index, row_id) < (:at, :place_index, :row_id)"
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
_SUBMITTED = text(
    "SELECT message_id, state FROM outbox WHERE conversation_id = :id ORDER BY position"
)


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """Between server rows: at the message with this place."""

    at_utc_ms: int
    index: int
    row_id: int


@dataclass(frozen=True, slots=True)
class WaitingPlace:
    """Among the submissions the server does not know: the one with this number."""

    number: int


Place = ServerPlace | WaitingPlace
# States in which a submission tells more than the message the cache already holds.
OVERLAID = frozenset({OutboxState.REFUSED, OutboxState.ACCEPTED})


class TimelineSequence:
    """Reads one conversation within one reader transaction (outbox first, then cache)."""

    def __init__(self, view: ReadView, conversation_id: str) -> None:
        self._view = view
        states = {
            row[0]: OutboxState(row[1])
            for row in view.outbox.execute(_SUBMITTED, {"id": conversation_id})
        }
        self._home = view.cache.execute(_HOME, {"id": conversation_id}).scalar()
        known = self._known(states)
        self._waiting = [key for key in states if key not in known]
        self._overlaid = {key for key in known if states[key] in OVERLAID}

    @property
    def end(self) -> Place:
        """Return the place behind everything."""
        return WaitingPlace(len(self._waiting))

    def place_of(self, message_id: str) -> Place | None:
        """Return where a message of this conversation stands, or None."""
        if message_id in self._waiting:
            return WaitingPlace(self._waiting.index(message_id))
        row = self._view.cache.execute(_PLACE, {"id": message_id}).one_or_none()
        if row is None or row[0] != self._home:
            return None
        return ServerPlace(row[1], row[2], row[3])

    def before(self, place: Place, limit: int) -> tuple[list[TimelineRow], bool]:
        """Return at most `limit` rows before a place, ascending, and whether there are more."""
        waiting: list[str] = []
        number = 0
        if isinstance(place, WaitingPlace):
            number = max(0, place.number - limit)
            waiting = self._waiting[number : place.number]
        if number > 0:
            return self._submitted(waiting), True
        wanted = limit - len(waiting)
        found = self._older(place, wanted + 1)
        rows = self._server_rows(found[len(found) - wanted :] if len(found) > wanted else found)
        return rows + self._submitted(waiting), len(found) > wanted

    def after(self, place: Place, limit: int) -> tuple[list[TimelineRow], bool]:
        """Return at most `limit` rows after a place, ascending, and whether there are more."""
        found: list[Message] = []
        first_waiting = 0
        if isinstance(place, ServerPlace):
            found = self._newer(place, limit + 1)
            if len(found) > limit:
                return self._server_rows(found[:limit]), True
        else:
            first_waiting = place.number + 1
        end = first_waiting + limit - len(found)
        waiting = self._waiting[first_waiting:end]
        return self._server_rows(found) + self._submitted(waiting), end < len(self._waiting)

    def rows(self, message_ids: Collection[str]) -> list[TimelineRow]:
        """Return those of the rows that are there, in timeline order."""
        bound = {"ids": id_list(message_ids)}
        payloads = self._view.cache.execute(_BY_IDS, bound).scalars()
        found = sorted(
            map(decode_message, payloads), key=lambda m: (m.place_at_utc_ms, m.place_index)
        )
        wanted = set(message_ids)
        waiting = [key for key in self._waiting if key in wanted]
        return self._server_rows(found) + self._submitted(waiting)

    def _known(self, ids: Collection[str]) -> set[str]:
        if not ids:
            return set()
        return set(self._view.cache.execute(_KNOWN, {"ids": id_list(ids)}).scalars())

    def _older(self, place: Place, limit: int) -> list[Message]:
        values: dict[str, object] = {"home": self._home, "limit": limit}
        if isinstance(place, ServerPlace):
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
        overlaid = entries(self._view.outbox, self._overlaid.intersection(ids))
        hashes = verified_hashes(self._view.outbox, ids)
        return [
            TimelineRow(message, overlaid.get(message.message_id), is_verified(message, hashes))
            for message in messages
        ]

    def _submitted(self, ids: Sequence[str]) -> list[TimelineRow]:
        waiting = list(entries(self._view.outbox, ids).values())
        return [
            TimelineRow(message, entry)
            for message, entry in zip(messages_of(self._view, waiting), waiting, strict=True)
        ]


def is_verified(message: Message, hashes: Mapping[str, str]) -> bool:
    """Tell whether the entry this message stands in is the one that was verified."""
    archive = message.archive
    return archive is not None and hashes.get(message.message_id) == archive.entry_hash
