"""Says how the import page stands at each step, from what is known of the file by then.

It never does anything: the presenter does, and shows what stands here.
"""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from app.domain.errors import AppError, Offline, Refused, Timeout, TooLarge
from app.domain.imports import Export, Imported, ReadAs, Staged, Unfinished
from contract.imports.model import ImportedChat
from ui.models.import_people import PeopleChoices
from ui.models.import_state import Figure, ImportState, Step
from ui.models.import_words import (
    PROMISE,
    PROMISE_OF_ONE,
    SOURCE_NAMES,
    count_words,
    date_words,
    headline,
)
from ui.models.message_words import number_words
from ui.models.sentences import sentence_of

_LINE_LOST = (
    "The connection was lost. What was uploaded stays there; try again when you are connected."
)
MOVED = "Other messages are new by now than the preview said. Look at it once more, then confirm."
_NOTHING_NEW = "Everything in this chat is in the archive already."


def busy_words(begun: Unfinished | None) -> str:
    """Return why another file is not taken now."""
    if begun is None:
        return "A file is being read. Wait for its end, or stop it, then drop the next one."
    return f"“{begun.file_name}” is not finished. Finish or discard it, then drop the next file."


def sentence_on(fault: AppError) -> str:
    """Return what to say of a fault; a refusal of this file says itself what to do."""
    if isinstance(fault, Offline | Timeout):
        return _LINE_LOST
    if isinstance(fault, Refused) and (type(fault) is Refused or isinstance(fault, TooLarge)):
        return fault.detail
    return sentence_of(fault)


def file_state(begun: Unfinished | None) -> ImportState:
    """Return the first step, with what was begun before."""
    if begun is None:
        return ImportState()
    if begun.confirmed:
        words = f"You confirmed the import of “{begun.file_name}”. See what became of it."
    else:
        words = f"Your import of “{begun.file_name}” is not finished. Nothing of it is stored."
    return ImportState(unfinished=words)


def people_state(
    export: Export, chat: ImportedChat | None, choices: PeopleChoices | None, read_as: ReadAs
) -> ImportState:
    """Return the step People; without a chat it is asked which one."""
    titles = tuple(
        f"{each.title or each.key} ({count_words(len(each.messages), 'message')})"
        for each in export.chats
    )
    if chat is None or choices is None:
        count = count_words(len(export.chats), "chat")
        line = f"{SOURCE_NAMES[export.source]} “{export.file_name}” · {count} · {PROMISE_OF_ONE}"
        return ImportState(
            step=Step.PEOPLE, line=line, chats=titles, hindrance="Choose a chat.", go="Preview"
        )
    dates = date_words(export, read_as.order)
    hindrance = choices.hindrance()
    if not hindrance and dates is not None and dates.choices and read_as.order is None:
        hindrance = "Say which day is meant."
    return ImportState(
        step=Step.PEOPLE,
        line=headline(export, choices.figures, ZoneInfo(read_as.zone)),
        chats=titles,
        chat=export.chats.index(chat),
        people=choices.lines(),
        dates=dates,
        zone=read_as.zone,
        order=read_as.order,
        figures=_people_figures(choices),
        hindrance=hindrance,
        go="Preview",
    )


def previewed_state(
    export: Export,
    chat: ImportedChat,
    choices: PeopleChoices,
    read_as: ReadAs,
    staged: Staged | None,
) -> ImportState:
    """Return the step Preview; before the backend has looked (`staged` None) nothing can go on."""
    line = headline(export, choices.figures, ZoneInfo(read_as.zone))
    if staged is None:
        figures = _people_figures(choices)
        return ImportState(
            step=Step.PREVIEW, line=line, figures=figures, notes=chat.notes, go="Import"
        )
    figures = (
        Figure(number_words(staged.new), "new message" if staged.new == 1 else "new messages"),
        Figure(number_words(staged.known), "already here"),
        *((Figure(number_words(staged.changed), "changed since"),) if staged.changed else ()),
        *_unidentified(choices),
    )
    go = f"Import {count_words(staged.new, 'message')}"
    if staged.changed and not staged.new:
        go = f"Import {count_words(staged.changed, 'change')}"
    notes = tuple(dict.fromkeys((*chat.notes, *staged.notes)))
    hindrance = "" if staged.new or staged.changed else _NOTHING_NEW
    return ImportState(
        step=Step.PREVIEW, line=line, figures=figures, notes=notes, hindrance=hindrance, go=go
    )


def archived_state(former: ImportState, end: Imported | None, file_name: str) -> ImportState:
    """Return the step Archive: under way, or with the report."""
    line = former.line.removesuffix(f" · {PROMISE}").removesuffix(f" · {PROMISE_OF_ONE}")
    if end is None:
        return ImportState(step=Step.ARCHIVE, line=line, figures=former.figures, back="")
    figures = (
        Figure(number_words(end.new), "imported"),
        Figure(number_words(end.known), "already here"),
        Figure(number_words(end.unidentified), "by unidentified participants"),
    )
    return ImportState(
        step=Step.ARCHIVE,
        line=line,
        figures=figures,
        outcome="\n".join(_report(end, file_name)),
        done=True,
        back="",
        opens=end.conversation_id,
    )


def _report(end: Imported, file_name: str) -> list[str]:
    """Return the report's sentences: what came in, what was there, what could not be read."""
    said = [f"{count_words(end.new, 'message')} came into the archive, marked Native."]
    if end.files and not end.new:
        said[0] = f"{count_words(end.files, 'file')} came to messages that were there without."
    elif end.files:
        said[0] = (
            f"{count_words(end.new, 'message')} with {count_words(end.files, 'file')} came into "
            "the archive, marked Native."
        )
    if end.known:
        were = "was" if end.known == 1 else "were"
        said.append(f"{count_words(end.known, 'message')} {were} there already.")
    if end.unidentified:
        many = count_words(end.unidentified, "message")
        are = "is" if end.unidentified == 1 else "are"
        said.append(f"{many} of unidentified participants {are} kept without a name of the book.")
    said.append(f"The original, “{file_name}”, is kept, readable by Compliance only.")
    if end.notes:
        said += ["", "What could not be read as meant:", *(f"· {note}" for note in end.notes)]
    return said


def leaving_words(state: ImportState, begun: Unfinished | None) -> str:
    """Return what to say before the window closes, "" when nothing would be cut short."""
    if begun is None or state.work is None or state.step < Step.PREVIEW:
        return ""
    told = "goes on by itself" if begun.confirmed else "is not stored yet"
    return (
        f"The import of “{begun.file_name}” {told}. You can take it up again at the next start. "
        "Close again to leave."
    )


def without_work(state: ImportState, staged: Staged | None) -> ImportState:
    """Return a state in which nothing is done any more; what was cut short is offered again."""
    cut_short = (state.step is Step.PREVIEW and staged is None) or (
        state.step is Step.ARCHIVE and not state.done
    )
    return replace(state, work=None, go="Try again" if cut_short else state.go)


def _people_figures(choices: PeopleChoices) -> tuple[Figure, ...]:
    figures = choices.figures
    many = "message" if figures.messages == 1 else "messages"
    found = [Figure(number_words(figures.messages), f"{many} in this chat")]
    if figures.files:
        found.append(Figure(number_words(figures.files), "file" if figures.files == 1 else "files"))
    return (*found, *_unidentified(choices))


def _unidentified(choices: PeopleChoices) -> tuple[Figure, ...]:
    people, messages = choices.unidentified()
    if not people:
        return ()
    who = "an unidentified participant" if people == 1 else f"{people} unidentified participants"
    return (Figure(number_words(messages), f"by {who}"),)
