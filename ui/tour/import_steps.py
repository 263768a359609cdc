"""The tour's steps through an import: a file dropped, people confirmed, a preview, the archive.

It never takes the page's word alone: the backend has to hold what was imported, and nothing before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from contract.wire import Mode, Origin
from ui.models.import_state import ImportState, Step
from ui.tour.events import (
    StepFailed,
    click,
    click_row,
    demand,
    drop_file,
    press,
    type_text,
    wait_for,
)
from ui.tour.stage import Stage, button_saying
from ui.views.rail import Page

if TYPE_CHECKING:
    from ui.import_actions import ImportActions

TITLE = "Marcus Feld"
IMPORTED = "The notary in Zug confirmed, 你好 from the airport"
LINES = (
    "[03/02/2026, 09:12:44] Marcus: Are you still at your desk?",
    "[03/02/2026, 09:14:02] Elena: Until six. Write to my office number, please.",
    f"[27/02/2026, 18:30:00] Marcus: {IMPORTED}",
    "[27/02/2026, 18:31:10] Tonton Marc: Bon voyage!",
)
FILE = f"WhatsApp Chat - {TITLE}.txt"
_CONTROL = Qt.KeyboardModifier.ControlModifier


async def import_dropped(stage: Stage) -> None:
    """A file dropped on an open conversation: what it is for is asked, then it is read here."""
    path = _export(stage)
    stage.messages_before = await _message_count(stage)
    await drop_file(stage.window, path)
    entry = stage.workspace.actions.imports
    await wait_for(lambda: "actions" in entry.__dict__, "the import")
    await wait_for(lambda: entry.actions.dialog is not None, "the question what the file is for")
    dialog = entry.actions.dialog
    assert dialog is not None
    await click(button_saying(dialog, "Import from a phone"))
    # A desktop gives the window back its keyboard once a dialog is gone; without one we do.
    stage.window.activateWindow()
    await wait_for(lambda: _state(stage).step is Step.PEOPLE, "the people of the chat")
    demand(stage.window.page() is Page.IMPORT, "the import page is not in front")
    demand("nothing is stored before you confirm" in _state(stage).line, "the promise is not made")


async def import_people(stage: Stage) -> None:
    """Each likeness waits for a word; the unknown is kept unidentified; then Preview is on."""
    await wait_for(lambda: _state(stage).work is None, "the end of the reading")
    preview = _actions(stage).page.foot.go
    demand(not preview.isEnabled(), "Preview is on before anybody was confirmed")
    for name in ("Marcus", "Elena"):
        await click(_named(stage, f"Confirm {name}"))
    kept = "Kept as “unidentified participant” (1 message)"
    demand(_state(stage).people[-1].words == kept, "Tonton Marc is not kept as unidentified")
    await wait_for(preview.isEnabled, "Preview")
    demand(await _message_count(stage) == stage.messages_before, "something was stored already")


async def import_preview(stage: Stage) -> None:
    """The chat stands there in bubbles with what is new in it; still nothing is stored."""
    await click(_actions(stage).page.foot.go)
    state = f"Import {len(LINES)} messages"
    await wait_for(lambda: _state(stage).go == state, f"“{state}”")
    model = _actions(stage).presenter.preview.model
    await wait_for(
        lambda: any(
            words is not None and words.text == IMPORTED
            for words in map(model.words_at, range(model.rowCount()))
        ),
        "the chat in the preview",
    )
    demand(await _message_count(stage) == stage.messages_before, "the preview stored something")


async def import_archived(stage: Stage) -> None:
    """Confirmed, the messages are in the archive; the report says so and counts them."""
    await click(_actions(stage).page.foot.go)
    await wait_for(lambda: _state(stage).done, "the report", 60)
    outcome = _state(stage).outcome
    demand(outcome.startswith(f"{len(LINES)} messages came into the archive"), outcome)
    after = await _message_count(stage)
    demand(after == stage.messages_before + len(LINES), "the backend holds another number")
    demand(await stage.backend.unarchived() == 0, "some messages have no archive entry")


async def import_opened(stage: Stage) -> None:
    """The conversation is read-only and marked Native; search finds what was imported."""
    await click(button_saying(_actions(stage).page, "Open the conversation"))
    window = stage.window
    await wait_for(lambda: IMPORTED in stage.shown_texts(), "the imported message on screen")
    facts = stage.workspace.conversation.facts
    demand(facts is not None and facts.conversation.mode is Mode.NATIVE, "it is not Native")
    demand(not window.composer.send_button.isVisible(), "the composer offers to send")
    items = stage.workspace.timeline.model.rows()
    rows = [item.row.message for item in items if item.row is not None]
    demand(all(one.origin is Origin.IMPORTED for one in rows), "a message is not marked imported")
    await press(window.timeline, Qt.Key.Key_K, _CONTROL)
    await wait_for(window.palette_view.isVisible, "the palette")
    await type_text(window.palette_view.field, "notary in Zug")
    model = stage.workspace.search.model
    await wait_for(
        lambda: any(
            row is not None and row.text == IMPORTED
            for row in (model.row_at(number) for number in range(model.rowCount()))
        ),
        "the imported message among the results",
    )
    await press(window.palette_view.field, Qt.Key.Key_Escape)


async def imported_twice(stage: Stage) -> None:
    """The same file a second time adds nothing, and says so."""
    path = _export(stage)
    await press(stage.window, Qt.Key.Key_I, _CONTROL | Qt.KeyboardModifier.ShiftModifier)
    await wait_for(lambda: stage.window.page() is Page.IMPORT, "the import page")
    await drop_file(stage.window, path)
    await wait_for(lambda: bool(_state(stage).people) and not _state(stage).work, "the people")
    for name in ("Marcus", "Elena"):
        await click(_named(stage, f"Confirm {name}"))
    await click(_actions(stage).page.foot.go)
    said = "Everything in this chat is in the archive already."
    await wait_for(lambda: _state(stage).hindrance == said, f"“{said}”")
    await click(button_saying(_actions(stage).page, "Back"))
    await click(button_saying(_actions(stage).page, "Back"))
    await click(_named(stage, "Discard the import"))
    await wait_for(lambda: not _state(stage).unfinished, "the discarded import")
    model = stage.workspace.inbox.model
    await press(stage.window, Qt.Key.Key_1, _CONTROL)
    await click_row(stage.window.inbox.list, model.index(model.number_of(stage.conversation_id)))
    await wait_for(lambda: stage.answer_text in stage.shown_texts(), "the conversation from before")


def _export(stage: Stage) -> Path:
    """Write the chat as a phone exports it; return where."""
    path = stage.core.paths.data_dir / FILE
    path.write_text("\n".join(LINES), "utf-8")
    return path


def _actions(stage: Stage) -> ImportActions:
    return stage.workspace.actions.imports.actions


def _state(stage: Stage) -> ImportState:
    return _actions(stage).presenter.state


def _named(stage: Stage, name: str) -> QAbstractButton:
    for one in _actions(stage).page.findChildren(QAbstractButton):
        if one.accessibleName() == name and one.isVisible():
            return one
    raise StepFailed(f"there is no button “{name}”")


async def _message_count(stage: Stage) -> int:
    page = await stage.core.api.inbox.conversations(limit=500)
    return sum(talk.message_count for talk in page.conversations)
