"""Describes what the import page shows at one moment, as frozen values.

It never changes anything: the presenter makes the next state.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from contract.ids import ConversationId
from contract.imports.day_order import DayOrder
from ui.models.import_people import PersonLine
from ui.models.import_words import FIRST_LINE, DateWords


class Step(IntEnum):
    """The steps in their order; the number is what the page shows before the name."""

    FILE = 1
    PEOPLE = 2
    PREVIEW = 3
    ARCHIVE = 4

    @property
    def title(self) -> str:
        """Return "People"."""
        return self.name.capitalize()


@dataclass(frozen=True, slots=True)
class Figure:
    """A count with what is counted: ("1 204", "new messages")."""

    number: str
    words: str


@dataclass(frozen=True, slots=True)
class Work:
    """What is being done just now; `percent` is None where nobody can tell how far it is."""

    words: str
    percent: int | None = None
    can_stop: bool = True


@dataclass(frozen=True, slots=True)
class ImportState:
    """`line` stands below the page's title; `fault` says what went wrong and what to do.

    `chats` are the titles to choose from where the file holds several, `chat` the one chosen, -1
    before. `hindrance` is why the primary button is off. `notes` are sentences on what could not
    be read as meant. `unfinished` tells of an import that was begun before. `done` tells that the
    report is final.
    """

    step: Step = Step.FILE
    line: str = FIRST_LINE
    work: Work | None = None
    fault: str = ""
    unfinished: str = ""
    chats: tuple[str, ...] = ()
    chat: int = -1
    people: tuple[PersonLine, ...] = ()
    dates: DateWords | None = None
    zone: str = ""
    order: DayOrder | None = None
    figures: tuple[Figure, ...] = ()
    hindrance: str = ""
    notes: tuple[str, ...] = ()
    go: str = ""
    back: str = "Back"
    outcome: str = ""
    done: bool = False
    opens: ConversationId | None = None
