"""Carries out what the user asks of single messages: undo, cancel, edit, decide, save a file.

It never decides whether an action is allowed; the core refuses what is not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.domain.drafts import Draft
from contract.ids import ConversationId, MessageId
from contract.names import file_name
from contract.wire import Attachment
from ui.bridge.dialogs import ask, ask_where_to_save
from ui.bridge.spawn import Spawner
from ui.models.composer_presenter import ComposerPresenter
from ui.models.composer_state import QuotedMessage
from ui.models.conversation_presenter import ConversationPresenter
from ui.models.link_words import link_words
from ui.models.timeline_presenter import TimelinePresenter
from ui.receipt_actions import ReceiptActions
from ui.views.dialogs.plain_dialog import PlainDialog
from ui.views.timeline_acts import REACT, TAKE_BACK

SEND_AGAIN = "send_again"


class SentMessages(Protocol):
    """What is asked about messages that are out."""

    async def take_back(self, message_id: MessageId) -> None:
        """Have a sent message deleted at the client."""
        ...

    async def react(self, message_id: MessageId, emoji: str) -> None:
        """Set the person's reaction; empty takes it away."""
        ...


class MessageMessaging(Protocol):
    """What single messages ask of the core's messaging."""

    @property
    def sent(self) -> SentMessages:
        """Return what changes messages that are out."""
        ...

    async def undo(self, message_id: MessageId) -> Draft:
        """Take a send back within its undo period."""
        ...

    async def cancel(self, message_id: MessageId) -> Draft:
        """Take back what still waits."""
        ...

    async def edit_refused(self, message_id: MessageId) -> Draft:
        """Put the text of what did not go out back into the draft."""
        ...

    async def resolve_unknown(self, message_id: MessageId, action: str) -> None:
        """Decide on a message whose delivery is unknown."""
        ...

    async def download(
        self, attachment: Attachment, save_as: Path, home: ConversationId | None = None
    ) -> Path:
        """Save a file of the conversation `home`."""
        ...


class MessageActions:
    """Slots for the timeline's signals."""

    def __init__(
        self,
        messaging: MessageMessaging,
        timeline: TimelinePresenter,
        composer: ComposerPresenter,
        conversation: ConversationPresenter,
        spawner: Spawner,
        window: Callable[[], QWidget],
        receipts: ReceiptActions,
    ) -> None:
        self._messaging = messaging
        self._timeline = timeline
        self._composer = composer
        self._conversation = conversation
        self._spawner = spawner
        self._window = window
        self._receipts = receipts

    def on_undo(self, message_id: str) -> None:
        """Take a send back."""
        self._spawner.spawn(self._take_back(self._messaging.undo, message_id), "undo")

    def on_cancel(self, message_id: str) -> None:
        """Take back what waits for the connection."""
        self._spawner.spawn(self._take_back(self._messaging.cancel, message_id), "cancel")

    def on_edit(self, message_id: str) -> None:
        """Put the text of a message that did not go out into the draft."""
        self._spawner.spawn(self._take_back(self._messaging.edit_refused, message_id), "edit")

    def on_resolve(self, message_id: str, action: str) -> None:
        """Decide on a message whose delivery is unknown; sending again is asked back."""
        self._spawner.spawn(self._resolve(MessageId(message_id), action), "resolve")

    def on_reply(self, message_id: str) -> None:
        """Answer a message."""
        row = self._timeline.message(MessageId(message_id))
        if row is not None:
            message = row.message
            quote = QuotedMessage(message.message_id, message.author_name, message.text)
            self._composer.set_quote(quote)

    def on_change(self, act: str, message_id: str, value: str) -> None:
        """Change a message that is out: an act of timeline_acts.CHANGES."""
        wanted = MessageId(message_id)
        row = self._timeline.message(wanted)
        if act == REACT:
            self._spawner.spawn(self._messaging.sent.react(wanted, value), "react")
        elif act == TAKE_BACK:
            self._spawner.spawn(self._take_back_sent(wanted), "take back")
        elif row is not None and not self._composer.propose(
            row.message.text, instead_of=row.message
        ):
            self._spawner.spawn(self._tell_draft(), "change text")

    def on_receipt(self, message_id: str) -> None:
        """Show a message's receipt."""
        row = self._timeline.message(MessageId(message_id))
        if row is not None:
            self._receipts.open(row.message)

    def on_link(self, url: str) -> None:
        """Open a link of a message outside Parley, after asking."""
        self._spawner.spawn(self._open_link(url), "open link")

    def on_file_save(self, attachment: Attachment) -> None:
        """Save a file where the user chooses."""
        home = self._timeline.conversation_id
        self._spawner.spawn(self._save_file(attachment, home), "save file")

    async def _take_back(
        self, how: Callable[[MessageId], Awaitable[Draft]], message_id: str
    ) -> None:
        row = self._timeline.message(MessageId(message_id))
        # What is typed meanwhile must be in the store before the old text joins it there.
        before = await self._composer.flush()
        draft = await how(MessageId(message_id))
        files = row.message.attachments if row is not None else ()
        gone = [f"“{one.name}”" for one in files if one.attachment_id not in draft.attachment_ids]
        note = f"Attach {' and '.join(gone)} again: a file goes with one message only."
        refused = row.outbox.findings if row is not None and row.outbox is not None else ()
        await self._conversation.adopt(draft, before, note if gone else "", refused)

    async def _take_back_sent(self, message_id: MessageId) -> None:
        words = "Your client's copy is deleted where the channel can do that. The archive keeps it."
        if await self._confirm("Delete it for everyone?", words, "Keep it", "Delete"):
            await self._messaging.sent.take_back(message_id)

    async def _tell_draft(self) -> None:
        words = "Send or empty the draft in this conversation first: it would be lost else."
        await self._confirm("There is a draft", words, "Stay here", "")

    async def _resolve(self, message_id: MessageId, action: str) -> None:
        if action == SEND_AGAIN and not await self._confirm_send_again():
            return
        await self._messaging.resolve_unknown(message_id, action)

    async def _open_link(self, url: str) -> None:
        words = link_words(url)
        if not words:
            words = "No browser can read this address. Ask who wrote it for another."
            await self._confirm("This link can't be opened", words, "Stay here", "")
        elif await self._confirm("Open this link?", words, "Stay here", "Open link"):
            QDesktopServices.openUrl(QUrl(url, QUrl.ParsingMode.StrictMode))

    async def _confirm_send_again(self) -> bool:
        words = "We can't tell whether the first one arrived, so your client may get it twice."
        return await self._confirm("Send it again?", words, "Don't send", "Send again")

    async def _confirm(self, title: str, words: str, no: str, yes: str) -> bool:
        dialog = PlainDialog(title, words, self._window())
        dialog.add_button(no, "secondary", accepts=False)
        if yes:
            dialog.add_button(yes, "primary", accepts=True)
        try:
            return await ask(dialog)
        finally:
            dialog.deleteLater()

    async def _save_file(self, attachment: Attachment, home: ConversationId | None) -> None:
        proposed = file_name(attachment.name)  # the name is a stranger's
        chosen = await ask_where_to_save(self._window(), "Save file", proposed)
        if chosen:
            await self._messaging.download(attachment, Path(chosen), home)
