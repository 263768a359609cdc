"""The tour's steps through policy: a warning gone against, a reason, an approval asked and granted.

It never takes the window's word alone: the backend has to hold what the sender answered.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from contract.ids import MessageId
from contract.states import DeliveryState
from contract.wire import Direction
from ui.tour.events import StepFailed, click, demand, press, type_text, wait_for
from ui.tour.stage import Stage

WARNED = "Shall we discuss live at noon?"
PROMISED = "The coupon is guaranteed for 2027"
REASON = "The prospectus says so, page 12"
# The client answers with these very words: what comes after them was caused by nothing before.
ANSWERED = "We spoke of inside information on the bond"
FOR_APPROVAL = f"echo: {ANSWERED}"
NOTE = "Fine, the source is public by now"


async def warned(stage: Stage) -> None:
    """A warning holds Enter back; only “Send anyway” lets the text go, and the backend knows."""
    composer = stage.window.composer
    await click(composer.edit)
    await type_text(composer.edit, WARNED)
    button = composer.send_button
    await wait_for(lambda: button.text() == "Send anyway", "“Send anyway”")
    await press(composer.edit, Qt.Key.Key_Return)
    demand(composer.edit.toPlainText() == WARNED, "Enter sent a text that warns")
    await click(button)
    message_id = await _sent(stage, WARNED)
    held = await stage.backend.archived(message_id)
    demand(held.state is not DeliveryState.BLOCKED, "the acknowledged text was refused")


async def reason_asked(stage: Stage) -> None:
    """A promise asks for a reason in a field of its own; a short one is not taken."""
    composer = stage.window.composer
    await click(composer.edit)
    await type_text(composer.edit, PROMISED)
    await wait_for(
        lambda: composer.send_button.text() == "Send with reason…", "“Send with reason…”"
    )
    await press(composer.edit, Qt.Key.Key_Return)
    field = _reason_field(stage)
    await type_text(field, "ok")
    await press(field, Qt.Key.Key_Return)
    demand(composer.edit.toPlainText() == PROMISED, "the text went without a reason")


async def reason_given(stage: Stage) -> None:
    """With a reason the text goes, and the archive keeps the reason."""
    field = _reason_field(stage)
    field.selectAll()
    await type_text(field, REASON)
    await press(field, Qt.Key.Key_Return)
    message_id = await _sent(stage, PROMISED)
    document = await stage.core.api.archive.receipt(message_id, 1)
    demand(document.justification == REASON, "the archive does not hold the reason")


async def approval_asked(stage: Stage) -> None:
    """A text that a supervisor must read is asked for, held, and says so under its bubble."""
    composer = stage.window.composer
    await click(composer.edit)
    await type_text(composer.edit, FOR_APPROVAL)
    button = composer.send_button
    await wait_for(lambda: button.text() == "Ask for approval", "“Ask for approval”")
    await click(button)
    stage.held_id = await _sent(stage, FOR_APPROVAL, "Waiting for approval")
    held = await stage.core.api.inbox.message(stage.held_id)
    demand(held.state is DeliveryState.HELD, f"the backend says {held.state}")


async def approval_granted(stage: Stage) -> None:
    """The supervisor approves; the message goes out by itself, and its bubble says so."""
    await stage.backend.decide_as_supervisor(stage.held_id, approve=True, note=NOTE)
    await wait_for(
        lambda: "Archived" in stage.shown_footer(stage.held_id), "“Archived” under the bubble"
    )
    held = await stage.backend.archived(stage.held_id)
    demand(
        held.state not in (DeliveryState.HELD, DeliveryState.BLOCKED),
        f"the approved message is {held.state}",
    )
    # The client answers: what comes later counts archive entries, and must not count this one.
    await wait_for(lambda: _answered(stage), "the client's answer to the approved message")


def _answered(stage: Stage) -> bool:
    """Tell whether the client's answer to the message that was held is there, archived."""
    answer = stage.shown_message(ANSWERED, Direction.IN)
    return answer is not None and answer.archive is not None


async def _sent(stage: Stage, text: str, footer: str = "Archived #") -> MessageId:
    """Wait until a text stands in the timeline and the backend took it; return its id."""
    await wait_for(
        lambda: stage.shown_message(text, Direction.OUT) is not None, "the sent message on screen"
    )
    shown = stage.shown_message(text, Direction.OUT)
    assert shown is not None
    edit = stage.window.composer.edit
    await wait_for(lambda: edit.toPlainText() == "", "an empty composer")
    await wait_for(
        lambda: footer in stage.shown_footer(shown.message_id), f"“{footer}” under the bubble"
    )
    return shown.message_id


def _reason_field(stage: Stage) -> QLineEdit:
    for field in stage.window.composer.findChildren(QLineEdit):
        if field.accessibleName() == "Reason for sending" and field.isVisible():
            return field
    raise StepFailed("there is no field for a reason")
