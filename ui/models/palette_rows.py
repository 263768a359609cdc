"""The rows of the palette: what was found and what can be done, each under its heading.

It never searches; the presenter hands it results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.search import MessageHit, PersonHit
from contract.ids import ConversationId, MessageId
from contract.wire import Channel, Conversation, Direction
from ui.models.sendability import CHANNEL_NAMES
from ui.models.times import clock_time, day_number, row_time

MORE = "Show older messages"


class PaletteKind(StrEnum):
    """What a row is; headings and notes can't be chosen."""

    HEADING = "heading"
    NOTE = "note"
    CHOICE = "choice"
    PERSON = "person"
    MESSAGE = "message"
    MORE = "more"
    ACTION = "action"


UNCHOSEN = frozenset({PaletteKind.HEADING, PaletteKind.NOTE})


@dataclass(frozen=True, slots=True)
class PaletteAction:
    """Something to do; `keys` are shown at the row's end."""

    key: str
    title: str
    keys: str = ""


@dataclass(frozen=True, slots=True)
class PaletteRow:
    """One row as painted; `highlights` are code-point spans of `text`, `key` names the row."""

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
    in_archive: bool = False
    action: str = ""
    key: str = ""

    @property
    def spoken(self) -> str:
        """Return what a screen reader says of the row."""
        place = "from the archive" if self.in_archive else ""
        lead = "Complete to" if self.kind is PaletteKind.CHOICE else ""
        words = f"{lead} {self.title}".strip()
        return ", ".join(part for part in (words, self.text, self.aside, place) if part)


@dataclass(frozen=True, slots=True)
class PaletteContents:
    """All there is to show for one question, as far as it is known.

    `elapsed_ms` None: nothing was searched yet. `choices` complete the filter under the caret.
    """

    text: str = ""
    notes: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    people: tuple[PersonHit, ...] = ()
    messages: tuple[MessageHit, ...] = ()
    elapsed_ms: float | None = None
    has_more: bool = False
    recent: tuple[Conversation, ...] = ()


def palette_rows(
    contents: PaletteContents, actions: Sequence[PaletteAction], now_utc_ms: int
) -> tuple[PaletteRow, ...]:
    """Return the list for a question: what was found, then the actions whose words match.

    Without a question the recent conversations stand where the found ones would.
    """
    rows = [PaletteRow(PaletteKind.NOTE, words, key=f"n:{words}") for words in contents.notes]
    rows += _section("Complete with Tab", [_choice(each) for each in contents.choices])
    if not contents.text.strip():
        rows += _section("Recent", [_recent(talk) for talk in contents.recent])
    rows += _section("People", [_person(hit) for hit in contents.people])
    found = [_message(hit, now_utc_ms) for hit in contents.messages]
    if contents.has_more:
        found.append(PaletteRow(PaletteKind.MORE, MORE, key="more"))
    rows += _section(_messages_title(contents), found, "messages")
    wanted = contents.text.casefold().split()
    fitting = [act for act in actions if all(word in act.title.casefold() for word in wanted)]
    rows += _section("Actions", [_action(act) for act in fitting])
    if not rows:
        rows.append(PaletteRow(PaletteKind.HEADING, "Nothing found", key="h:nothing"))
    return tuple(rows)


def _messages_title(contents: PaletteContents) -> str:
    more = "+" if contents.has_more else ""
    in_ms = max(1, round(contents.elapsed_ms or 0.0))
    return f"Messages · {len(contents.messages)}{more} in {in_ms} ms"


def _section(title: str, rows: list[PaletteRow], name: str = "") -> list[PaletteRow]:
    heading = PaletteRow(PaletteKind.HEADING, title, key=f"h:{name or title}")
    return [heading, *rows] if rows else []


def _choice(value: str) -> PaletteRow:
    return PaletteRow(PaletteKind.CHOICE, value, key=f"c:{value}")


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
        key=f"p:{contact.contact_id}",
    )


def _recent(talk: Conversation) -> PaletteRow:
    return PaletteRow(
        PaletteKind.PERSON,
        talk.title,
        CHANNEL_NAMES[talk.channel],
        initials=talk.initials or talk.title[:1].upper(),
        color=talk.color,
        conversation_id=talk.conversation_id,
        key=f"r:{talk.conversation_id}",
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
        in_archive=hit.in_archive,
        key=f"m:{hit.message_id}",
    )


def _action(action: PaletteAction) -> PaletteRow:
    title = action.title
    return PaletteRow(
        PaletteKind.ACTION, title, aside=action.keys, action=action.key, key=f"a:{action.key}"
    )
