"""The palette's one list: people, messages, actions, each under its heading.

It never searches; the presenter hands it results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.domain.search import MessageHit, PersonHit, SearchResults
from contract.ids import ConversationId, MessageId
from contract.wire import Channel, Conversation, Direction
from ui.models.sendability import CHANNEL_NAMES
from ui.models.times import clock_time, day_number, row_time

AnyIndex = QModelIndex | QPersistentModelIndex


class PaletteKind(StrEnum):
    """What a row is."""

    HEADING = "heading"
    PERSON = "person"
    MESSAGE = "message"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class PaletteAction:
    """Something to do; `keys` are shown at the row's end."""

    key: str
    title: str
    keys: str = ""


@dataclass(frozen=True, slots=True)
class PaletteRow:
    """One row as painted; `highlights` are code-point spans of `text`."""

    kind: PaletteKind
    title: str
    text: str = ""
    aside: str = ""
    highlights: tuple[tuple[int, int], ...] = ()
    initials: str = ""
    color: int = 0
    channel: Channel | None = None
    conversation_id: ConversationId | None = None
    message_id: MessageId | None = None
    action: str = ""


class PaletteRole(IntEnum):
    """The row as a value."""

    ROW = Qt.ItemDataRole.UserRole + 1


class PaletteModel(QAbstractListModel):
    """At most a page of results; headings can't be chosen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[PaletteRow, ...] = ()

    def set_rows(self, rows: Sequence[PaletteRow]) -> None:
        """Show other rows."""
        if tuple(rows) == self._rows:
            return
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    def row_at(self, number: int) -> PaletteRow | None:
        """Return a row, None beyond the ends."""
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def first_choice(self) -> int:
        """Return the first row that is no heading, -1 when there is none."""
        for number, row in enumerate(self._rows):
            if row.kind is not PaletteKind.HEADING:
                return number
        return -1

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        row = self.row_at(index.row())
        if row is None or row.kind is PaletteKind.HEADING:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index.row()) if index.isValid() else None
        if row is None:
            return None
        if role == PaletteRole.ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (row.title, row.text, row.aside) if part)
        return None


def palette_rows(
    text: str,
    results: SearchResults | None,
    actions: Sequence[PaletteAction],
    now_utc_ms: int,
    recent: Sequence[Conversation] = (),
) -> tuple[PaletteRow, ...]:
    """Return the list for a question: what was found, then the actions whose words match.

    Without a question the `recent` conversations stand where the found ones would.
    """
    rows: list[PaletteRow] = []
    if not text.strip():
        rows += _section("Recent", [_recent(talk) for talk in recent])
    if results is not None:
        rows += _section("People", [_person(hit) for hit in results.people])
        count, ms = len(results.messages), max(1, round(results.elapsed_ms))
        title = f"Messages · {count} in {ms} ms"
        rows += _section(title, [_message(hit, now_utc_ms) for hit in results.messages])
    wanted = text.casefold().split()
    fitting = [act for act in actions if all(word in act.title.casefold() for word in wanted)]
    rows += _section("Actions", [_action(act) for act in fitting])
    if not rows:
        rows.append(PaletteRow(PaletteKind.HEADING, "Nothing found on this computer"))
    return tuple(rows)


def _section(title: str, rows: list[PaletteRow]) -> list[PaletteRow]:
    return [PaletteRow(PaletteKind.HEADING, title), *rows] if rows else []


def _person(hit: PersonHit) -> PaletteRow:
    contact = hit.contact
    channels = " · ".join(dict.fromkeys(CHANNEL_NAMES[point.channel] for point in contact.points))
    return PaletteRow(
        PaletteKind.PERSON,
        contact.display_name,
        channels if hit.conversation_id else f"{channels} · no conversation yet",
        initials=contact.initials,
        color=contact.color,
        conversation_id=hit.conversation_id,
    )


def _recent(talk: Conversation) -> PaletteRow:
    return PaletteRow(
        PaletteKind.PERSON,
        talk.title,
        CHANNEL_NAMES[talk.channel],
        initials=talk.initials or talk.title[:1].upper(),
        color=talk.color,
        conversation_id=talk.conversation_id,
    )


def _message(hit: MessageHit, now_utc_ms: int) -> PaletteRow:
    own = hit.direction is Direction.OUT
    today = day_number(hit.at_utc_ms) == day_number(now_utc_ms)
    when = row_time(hit.at_utc_ms, now_utc_ms)
    return PaletteRow(
        PaletteKind.MESSAGE,
        f"You → {hit.conversation_title}" if own else hit.author_name or hit.conversation_title,
        hit.snippet.replace("\n", " "),
        f"Today {clock_time(hit.at_utc_ms)}" if today else when,
        hit.highlights,
        channel=hit.channel,
        conversation_id=hit.conversation_id,
        message_id=hit.message_id,
    )


def _action(action: PaletteAction) -> PaletteRow:
    return PaletteRow(PaletteKind.ACTION, action.title, aside=action.keys, action=action.key)
