"""What is known of an export that may be imported, and whom its names stand for.

It never reads a file and never decides who somebody is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from contract.ids import ContactId, ConversationId
from contract.imports.model import ImportedChat, ImportedKind, Source

if TYPE_CHECKING:
    from contract.imports.day_order import DayOrder, FoundOrder

NO_CONTACT = ContactId("")


class Who(StrEnum):
    """What a name of an export can stand for."""

    CLIENT = "client"
    NEW_CLIENT = "new_client"
    ME = "me"
    UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a name stands for; `contact_id` is a client's of the book, `name` anybody's."""

    who: Who
    contact_id: ContactId = NO_CONTACT
    name: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Whom a name may stand for, with what speaks for it; it holds once it is confirmed."""

    person: Person
    why: str


@dataclass(frozen=True, slots=True)
class ReadAs:
    """How the times of a phone are meant: its time zone (IANA name) and its order of dates.

    `order` is None as long as nobody chose one.
    """

    zone: str
    order: DayOrder | None = None


@dataclass(frozen=True, slots=True)
class DateReadings:
    """A date of the file that can be read in several ways, with the day each way gives."""

    as_written: str
    days: tuple[tuple[DayOrder, date], ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A file as it was read on this computer, before anything left it.

    `order` is how its dates were found to be written, None where the format leaves no doubt;
    `readings` is an example where that is not sure. `has_zone` tells that its times are exact.
    `sha256` is lower-case hex of the whole file. `has_others`: it may hold more than its chats.
    """

    path: Path
    size_bytes: int
    sha256: str
    chats: tuple[ImportedChat, ...]
    has_zone: bool
    order: FoundOrder | None = None
    readings: DateReadings | None = None
    has_others: bool = False

    @property
    def source(self) -> Source:
        """Return the format."""
        return self.chats[0].source

    @property
    def file_name(self) -> str:
        """Return the file's name."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class ChatFigures:
    """What a chat holds: messages, files beside them, and how many messages each name wrote."""

    messages: int
    files: int
    by_name: dict[str, int] = field(default_factory=dict)
    first_utc_ms: int = 0
    last_utc_ms: int = 0


def figures_of(chat: ImportedChat) -> ChatFigures:
    """Count a chat; lines of the app itself count as messages, as they are kept, too."""
    by_name = dict.fromkeys(chat.participants, 0)
    files = 0
    for message in chat.messages:
        files += len(message.files)
        if message.sender and message.kind is not ImportedKind.SYSTEM:
            by_name[message.sender] = by_name.get(message.sender, 0) + 1
    times = [message.at_utc_ms for message in chat.messages]
    return ChatFigures(
        len(chat.messages), files, by_name, min(times, default=0), max(times, default=0)
    )


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An import that was begun, as it is kept over restarts; the file itself is not kept.

    `upload_id` names the original's upload as far as it came, `import_id` the backend's import
    once the whole file is there. `new` is how many messages the preview counted; `confirmed`
    tells that the person said yes to that: then the backend goes on by itself.
    """

    path: Path
    sha256: str
    chat_key: str
    people: dict[str, Person]
    read_as: ReadAs
    upload_id: str = ""
    import_id: str = ""
    new: int = 0
    confirmed: bool = False

    @property
    def file_name(self) -> str:
        """Return the file's name."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Staged:
    """What the backend found in an uploaded file, before anything of it is stored.

    `new` and `known` count messages, `changed` those of the known ones that were edited or taken
    back since, or get a file that they came without; `notes` are sentences on what could not be
    read as meant.
    """

    import_id: str
    new: int
    known: int
    notes: tuple[str, ...] = ()
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import: messages that came in or were here before, with their files.

    `unidentified` counts messages of people nobody identified, `missing_files` those that the
    export names without holding them.
    """

    new: int
    known: int
    unidentified: int = 0
    files: int = 0
    missing_files: int = 0
    conversation_id: ConversationId | None = None
    notes: tuple[str, ...] = ()
