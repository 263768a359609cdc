"""The tour's steps: each does what a user does, then asks window and backend what happened.

It never takes a step for done because it was tried: each demands what must be true afterwards.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt

from app.diagnostics.checks import CHECKS
from app.diagnostics.results import CheckStatus
from contract.ids import ContactId
from contract.states import DeliveryState
from contract.wire import Direction
from ui.models.message_words import RECEIPT
from ui.models.palette_rows import PaletteKind, PaletteRow
from ui.tour.events import (
    click,
    click_at,
    click_row,
    demand,
    press,
    type_text,
    wait_for,
)
from ui.tour.import_steps import (
    import_archived,
    import_dropped,
    import_opened,
    import_people,
    import_preview,
    imported_twice,
)
from ui.tour.policy_steps import (
    approval_asked,
    approval_granted,
    reason_asked,
    reason_given,
    warned,
)
from ui.tour.stage import Stage, button_saying
from ui.views.rail import Page

CLIENT = ContactId("con-marcus")
CLIENT_TITLE = "Marcus Feld"
CLIENT_CHANNEL = "whatsapp"
CLIENT_WRITES = "One more question: may I pay by card?"
TEST_CARD = "4111 1111 1111 1111"
DRAFT = f"echo: Thank you, we must not take card {TEST_CARD} in a chat"
SEARCHED = "pay by card"
SAMPLE_BANNER = "Sample workspace. Nothing here reaches a client."
_CONTROL = Qt.KeyboardModifier.ControlModifier


async def start(stage: Stage) -> None:
    """The window is there, says that this is a sample, and is connected."""
    window = stage.window
    demand(window.isVisible(), "the window is not visible")
    await wait_for(lambda: SAMPLE_BANNER in window.banners.texts(), "the sample banner")
    await wait_for(
        lambda: any(text.startswith("Connected") for text in window.status_line.texts()),
        "“Connected” in the status line",
    )
    health = await stage.core.api.workspace.health()
    demand(health.status == "ok", f"the backend reports {health.status}")


async def inbox_filled(stage: Stage) -> None:
    """Every conversation of the backend stands in the list, every message in the archive."""
    count = await stage.backend.conversation_count()
    demand(count >= 12, f"the sample workspace has only {count} conversations")
    model = stage.workspace.inbox.model
    await wait_for(lambda: model.rowCount() == count, f"a list of {count} conversations")
    await wait_for(lambda: not stage.core.status.syncing, "the first reading")
    demand(await stage.backend.unarchived() == 0, "some messages have no archive entry")


async def client_message(stage: Stage) -> None:
    """A client writes while the conversation is open: it appears by itself, archived before."""
    model = stage.workspace.inbox.model
    row = next(row for row in model.rows() if row.conversation.title == CLIENT_TITLE)
    stage.conversation_id = row.conversation.conversation_id
    await click_row(stage.window.inbox.list, model.index(model.number_of(stage.conversation_id)))
    await wait_for(
        lambda: stage.window.header.texts()[0] == CLIENT_TITLE and bool(stage.shown_texts()),
        "the opened conversation",
    )
    stage.client_text = CLIENT_WRITES
    await stage.backend.let_client_say(CLIENT, CLIENT_WRITES, CLIENT_CHANNEL)
    await wait_for(lambda: CLIENT_WRITES in stage.shown_texts(), "the client's message on screen")
    shown = stage.shown_message(CLIENT_WRITES, Direction.IN)
    demand(shown is not None, "the client's message is not on the client's side")
    assert shown is not None
    held = await stage.backend.archived(shown.message_id)
    demand(held.text == CLIENT_WRITES, "the archive's message is another one")
    await wait_for(
        lambda: _first_preview(stage) == CLIENT_WRITES, "the message at the top of the inbox"
    )


async def draft_blocked(stage: Stage) -> None:
    """A card number in the draft is marked, Send is off, and Enter sends nothing."""
    composer = stage.window.composer
    stage.before_blocked = len(await stage.backend.messages(stage.conversation_id))
    await click(composer.edit)
    await type_text(composer.edit, DRAFT)
    button = composer.send_button
    await wait_for(lambda: button.text() == "Send — 1 to mend", "“Send — 1 to mend”")
    demand(bool(composer.finding_words()), "no finding stands above the text")
    demand(not button.isEnabled(), "Send is not off")
    demand(bool(composer.edit.extraSelections()), "nothing is underlined")
    await press(composer.edit, Qt.Key.Key_Return)
    demand(composer.edit.toPlainText() == DRAFT, "the blocked draft left the composer")
    held = await stage.backend.messages(stage.conversation_id)
    demand(len(held) == stage.before_blocked, "the blocked draft reached the backend")
    await wait_for(lambda: stage.core.status.outbox_waiting == 0, "an empty outbox")


async def mended(stage: Stage) -> None:
    """The finding's own button masks the number; Send is on again."""
    composer = stage.window.composer
    await click(button_saying(composer, "Mask"))
    # At night a hint about the hour may stand there; it holds nothing back.
    await wait_for(lambda: composer.send_button.text() == "Send", "the finding's end")
    text = composer.edit.toPlainText()
    demand(TEST_CARD not in text and "echo: Thank you" in text, "the number was not masked")
    demand(composer.send_button.isEnabled(), "Send is still off")
    held = await stage.backend.messages(stage.conversation_id)
    demand(len(held) == stage.before_blocked, "something was sent meanwhile")
    stage.sent_text = text
    stage.answer_text = text.removeprefix("echo:").strip()


async def sent(stage: Stage) -> None:
    """Enter sends: the bubble stands there with Undo, the composer is empty."""
    composer = stage.window.composer
    await press(composer.edit, Qt.Key.Key_Return)
    await wait_for(
        lambda: stage.shown_message(stage.sent_text, Direction.OUT) is not None,
        "the sent message on screen",
    )
    shown = stage.shown_message(stage.sent_text, Direction.OUT)
    assert shown is not None
    stage.sent_id = shown.message_id
    # Asked at once: on a busy machine the period may be over before anything else is.
    demand("Undo" in stage.shown_footer(stage.sent_id), "the bubble offers no Undo")
    row = stage.workspace.timeline.message(stage.sent_id)
    undo_until_utc_ms = row.outbox.undo_until_utc_ms if row is not None and row.outbox else 0
    stage.follow_states()
    await wait_for(lambda: composer.edit.toPlainText() == "", "an empty composer")
    held = await stage.backend.messages(stage.conversation_id)
    early = [message for message in held if message.message_id == stage.sent_id]
    # An answer that came after the period says nothing of what was within it.
    is_within = stage.workspace.clock.now_utc_ms() < undo_until_utc_ms
    demand(not (early and is_within), "the message was submitted within its undo period")


async def archived(stage: Stage) -> None:
    """The bubble says Archived, and the backend's archive holds exactly that text."""
    await wait_for(
        lambda: "Archived #" in stage.shown_footer(stage.sent_id), "“Archived” under the bubble"
    )
    held = await stage.backend.archived(stage.sent_id)
    demand(held.text == stage.sent_text, "the archive holds another text")
    row = stage.workspace.timeline.message(stage.sent_id)
    demand(
        row is not None and row.message.archive == held.archive,
        "window and backend name different archive entries",
    )


async def receipt(stage: Stage) -> None:
    """A click on the seal opens the receipt; this computer has verified it, and says so."""
    await wait_for(lambda: stage.is_verified(stage.sent_id), "a seal verified on this computer")
    view = stage.window.timeline
    await click_at(view, stage.footer_point(stage.sent_id, RECEIPT))
    receipts = stage.workspace.on_conversation.receipts
    await wait_for(lambda: receipts.dialog is not None, "the receipt's dialog")
    dialog = receipts.dialog
    assert dialog is not None
    said = "This message is archived, and this computer checked it"
    await wait_for(lambda: said in dialog.texts(), f"“{said}”")
    await click(button_saying(dialog, "▸ Technical details"))
    words = dialog.texts()
    demand("Inclusion proof" in words, "the technical details do not open")
    demand(any(text.endswith("hashes, valid") for text in words), "no valid proof is named")
    await wait_for(
        lambda: any(
            text.startswith("Archive verified") for text in stage.window.status_line.texts()
        ),
        "the time of the archive's verification in the status line",
    )


async def receipt_closed(stage: Stage) -> None:
    """Escape closes the receipt; the conversation is where it was."""
    dialog = stage.workspace.on_conversation.receipts.dialog
    assert dialog is not None
    await press(dialog, Qt.Key.Key_Escape)
    await wait_for(
        lambda: stage.workspace.on_conversation.receipts.dialog is None, "the dialog's end"
    )
    held = await stage.backend.archived(stage.sent_id)
    noted = await stage.core.store.archive.verified(stage.sent_id)
    assert held.archive is not None
    demand(
        noted is not None and noted.leaf_hash == held.archive.entry_hash,
        "the verified entry is another one than the backend's",
    )


async def delivered(stage: Stage) -> None:
    """The client's phone reported that it holds the message.

    On a busy machine the window may show the next state at once; the archive's receipts, read
    at the tour's end, tell the two apart.
    """
    await _reaches(stage, DeliveryState.DELIVERED)


async def read(stage: Stage) -> None:
    """The client's phone reported that the message was read, after it was delivered."""
    await _reaches(stage, DeliveryState.READ)
    demand(stage.states[-1] is DeliveryState.READ, "another state followed “read”")
    demand("Read" in stage.shown_footer(stage.sent_id), "the bubble does not say “Read”")


async def answer_received(stage: Stage) -> None:
    """The client's answer to just this message stands in the timeline and in the archive."""
    await wait_for(
        lambda: stage.shown_message(stage.answer_text, Direction.IN) is not None, "the answer"
    )
    answer = stage.shown_message(stage.answer_text, Direction.IN)
    assert answer is not None
    held = await stage.backend.archived(answer.message_id)
    mine = await stage.backend.archived(stage.sent_id)
    assert held.archive is not None and mine.archive is not None
    demand(held.archive.index > mine.archive.index, "the answer was archived before its question")


async def search(stage: Stage) -> None:
    """Ctrl+K finds the client's message while it is typed; Enter goes to it."""
    window = stage.window
    other = stage.workspace.inbox.model.index(3)
    await click_row(window.inbox.list, other)
    await wait_for(lambda: window.header.texts()[0] != CLIENT_TITLE, "another conversation")
    await press(window.composer.edit, Qt.Key.Key_K, _CONTROL)
    await wait_for(window.palette_view.isVisible, "the palette")
    await type_text(window.palette_view.field, SEARCHED)
    await wait_for(lambda: _found(stage) is not None, "the client's message among the results")
    hit = _found(stage)
    assert hit is not None
    demand(hit.kind is PaletteKind.MESSAGE and bool(hit.highlights), "the words are not marked")
    assert hit.message_id is not None
    await stage.backend.archived(hit.message_id)


async def search_opened(stage: Stage) -> None:
    """Enter on the found message opens its conversation there."""
    window = stage.window
    await press(window.palette_view.field, Qt.Key.Key_Return)
    await wait_for(lambda: not window.palette_view.isVisible(), "the palette's end")
    await wait_for(lambda: window.header.texts()[0] == CLIENT_TITLE, "the found conversation")
    await wait_for(lambda: stage.client_text in stage.shown_texts(), "the found message")
    held = await stage.backend.messages(stage.conversation_id)
    demand(
        any(message.text == stage.client_text for message in held),
        "the backend does not hold the found message",
    )


async def dark_theme(stage: Stage) -> None:
    """The palette's action turns the window dark; nothing in the archive changes."""
    window = stage.window
    before = await stage.backend.probed_entries()
    await press(window.composer.edit, Qt.Key.Key_K, _CONTROL)
    await wait_for(window.palette_view.isVisible, "the palette")
    await type_text(window.palette_view.field, "dark theme")
    await wait_for(
        lambda: (
            stage.workspace.search.model.rowCount() == 2
            or _chosen_title(stage) == "Use the dark theme"
        ),
        "the action",
    )
    await wait_for(lambda: _chosen_title(stage) == "Use the dark theme", "the chosen action")
    await press(window.palette_view.field, Qt.Key.Key_Return)
    await wait_for(lambda: _lightness(stage) < 60, "a dark window")
    after = await stage.backend.probed_entries()
    demand(after == before + 1, "the archive changed with the theme")


async def diagnostics(stage: Stage) -> None:
    """F12 opens the page; every check is fine, among them the archive's round trip."""
    window = stage.window
    await press(window.composer.edit, Qt.Key.Key_F12)
    await wait_for(lambda: window.page() is Page.DIAGNOSTICS, "the diagnostics page")
    await wait_for(lambda: _all_checked(stage), "each result")
    if _not_fine(stage):  # a busy machine may have sealed too late for the archive's round trip
        await click(button_saying(window.diagnostics, "Run checks"))
        await wait_for(lambda: _all_checked(stage), "each result of a second run")
    demand(not _not_fine(stage), f"not fine: {', '.join(_not_fine(stage))}")
    demand(stage.workspace.figures.archived_ms != [], "no send was measured")
    demand(await stage.backend.probed_entries() > 0, "the archive is empty")


async def back_to_inbox(stage: Stage) -> None:
    """Ctrl+1 leads back to the conversation, read to its end."""
    window = stage.window
    await press(window, Qt.Key.Key_1, _CONTROL)
    await wait_for(lambda: window.page() is Page.INBOX, "the inbox page")
    demand(stage.answer_text in stage.shown_texts(), "the conversation is not on screen")
    demand(await stage.backend.unarchived() == 0, "some messages have no archive entry")


Step = Callable[[Stage], Awaitable[None]]
STEPS: tuple[Step, ...] = (
    start,
    inbox_filled,
    client_message,
    draft_blocked,
    mended,
    sent,
    archived,
    receipt,
    receipt_closed,
    delivered,
    read,
    answer_received,
    warned,
    reason_asked,
    reason_given,
    approval_asked,
    approval_granted,
    search,
    search_opened,
    import_dropped,
    import_people,
    import_preview,
    import_archived,
    import_opened,
    imported_twice,
    dark_theme,
    diagnostics,
    back_to_inbox,
)


async def _reaches(stage: Stage, state: DeliveryState) -> None:
    ranks = (DeliveryState.DELIVERED, DeliveryState.READ)
    enough = ranks[ranks.index(state) :]
    await wait_for(
        lambda: any(stage.has_shown(one) for one in enough), f"“{state.value}” under the bubble"
    )
    held = await stage.backend.archived(stage.sent_id)
    demand(held.state in enough, f"the backend says {held.state}")


def _all_checked(stage: Stage) -> bool:
    if stage.workspace.diagnostics.is_running:
        return False
    return len(stage.window.diagnostics.results()) == len(CHECKS)


def _not_fine(stage: Stage) -> list[str]:
    results = stage.window.diagnostics.results()
    return [one.title for one in results if one.status is not CheckStatus.OK]


def _first_preview(stage: Stage) -> str:
    preview = stage.workspace.inbox.model.rows()[0].conversation.preview
    return preview.text if preview is not None else ""


def _found(stage: Stage) -> PaletteRow | None:
    model = stage.workspace.search.model
    rows = (model.row_at(number) for number in range(model.rowCount()))
    return next((row for row in rows if row and row.text == stage.client_text), None)


def _chosen_title(stage: Stage) -> str:
    row = stage.workspace.search.model.row_at(stage.window.palette_view.list.currentIndex().row())
    return row.title if row is not None else ""


def _lightness(stage: Stage) -> int:
    image = stage.window.grab().toImage()
    return image.pixelColor(image.width() // 2, image.height() - 12).lightness()
