"""Lets a timeline show a chat that was only read from a file, message by message as asked.

It never stores or sends anything: its rows are on no backend, and no act is offered on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from app.domain.imports import Person, Who
from app.domain.timeline import TimelineRow, TimelineWindow
from contract.ids import ConversationId, MessageId
from contract.imports.model import ImportedChat, ImportedKind, ImportedMessage
from contract.wire import Direction, Message, MessageKind, Origin, Quote, Reaction
from ui.models.timeline_source import PAGE_ROWS

PREVIEW = ConversationId("import-preview")
_QUOTED_CHARS = 200


class ImportedTimeline:
    """A TimelineSource over one chat as its names were identified; empty before `show`."""

    def __init__(self) -> None:
        self._messages: tuple[ImportedMessage, ...] = ()
        self._people: dict[str, Person] = {}
        self._places: dict[str, int] = {}

    def show(self, chat: ImportedChat | None, people: Mapping[str, Person]) -> None:
        """Hold another chat, None for nothing."""
        self._messages = () if chat is None else chat.messages
        self._people = dict(people)
        self._places = {
            message.native_id: number
            for number, message in enumerate(self._messages)
            if message.native_id
        }

    async def around(
        self,
        conversation_id: ConversationId,
        anchor: MessageId | None = None,
        before: int = PAGE_ROWS,
        after: int = PAGE_ROWS,
    ) -> TimelineWindow:
        """Return the rows around `anchor`; None asks for the newest."""
        last = len(self._messages)
        place = last if anchor is None else int(anchor)
        return self._window(conversation_id, place - before, place + after)

    async def older(
        self, conversation_id: ConversationId, first: MessageId, limit: int = PAGE_ROWS
    ) -> TimelineWindow:
        """Return the rows just before `first`."""
        return self._window(conversation_id, int(first) - limit, int(first))

    async def newer(
        self, conversation_id: ConversationId, last: MessageId, limit: int = PAGE_ROWS
    ) -> TimelineWindow:
        """Return the rows just after `last`."""
        return self._window(conversation_id, int(last) + 1, int(last) + 1 + limit)

    async def rows(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> tuple[TimelineRow, ...]:
        """Return those of the rows that are there."""
        return tuple(self._row(conversation_id, int(each)) for each in message_ids)

    async def first_new(
        self, conversation_id: ConversationId, read_upto_utc_ms: int
    ) -> MessageId | None:
        """Return None: nothing of a preview is new."""
        return None

    async def first_from(self, conversation_id: ConversationId, at_utc_ms: int) -> MessageId | None:
        """Return the first message placed at a moment or later."""
        for number, message in enumerate(self._messages):
            if message.at_utc_ms >= at_utc_ms:
                return MessageId(str(number))
        return None

    def _window(self, home: ConversationId, first: int, end: int) -> TimelineWindow:
        first, end = max(0, first), min(end, len(self._messages))
        rows = tuple(self._row(home, number) for number in range(first, end))
        return TimelineWindow(home, rows, first > 0, end < len(self._messages))

    def _row(self, home: ConversationId, number: int) -> TimelineRow:
        message = self._messages[number]
        system = message.kind in {ImportedKind.SYSTEM, ImportedKind.CALL}
        return TimelineRow(
            Message(
                message_id=MessageId(str(number)),
                conversation_id=home,
                version=0,
                revision=1,
                direction=Direction.SYSTEM if system else self._direction(message),
                kind=MessageKind.SYSTEM if system else MessageKind.TEXT,
                text=_text(message),
                author_id="",
                author_name=self._name(message.sender),
                place_at_utc_ms=message.at_utc_ms,
                place_index=number,
                occurred_at_utc_ms=message.at_utc_ms,
                origin=Origin.IMPORTED,
                quote=self._quote(message),
                reactions=self._reactions(message),
                edited_at_utc_ms=message.edited_at_utc_ms if message.edited else None,
            )
        )

    def _direction(self, message: ImportedMessage) -> Direction:
        person = self._people.get(message.sender)
        mine = person.who is Who.ME if person is not None else bool(message.outgoing)
        return Direction.OUT if mine else Direction.IN

    def _name(self, sender: str) -> str:
        person = self._people.get(sender)
        return person.name if person is not None and person.name else sender

    def _quote(self, message: ImportedMessage) -> Quote | None:
        place = self._places.get(message.quoted_native_id)
        if place is None:
            return None
        quoted = self._messages[place]
        return Quote(
            message_id=MessageId(str(place)),
            author_name=self._name(quoted.sender),
            text=_text(quoted)[:_QUOTED_CHARS],
        )

    def _reactions(self, message: ImportedMessage) -> tuple[Reaction, ...]:
        counted = Counter(reaction.emoji for reaction in message.reactions)
        return tuple(Reaction(emoji=emoji, count=count) for emoji, count in counted.items())


def _text(message: ImportedMessage) -> str:
    """Return the text with the names of its files; a preview opens none of them."""
    said = [message.text] if message.text else []
    if message.kind is ImportedKind.DELETED and not said:
        said.append("This message was deleted in the chat.")
    said += [f"📎 {name}" for name in message.files]
    if message.missing_files:
        many = "A file was" if message.missing_files == 1 else f"{message.missing_files} files were"
        said.append(f"{many} left out when the chat was exported.")
    return "\n".join(said)
