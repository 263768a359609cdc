"""Carries out what the person asks of the waiting messages: look at them, edit, cancel many.

It never decides what can still be cancelled: the outbox refuses what is on its way.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from app.domain.changes import ChangeSet
from app.domain.errors import AppError, Conflict
from app.domain.queue import Cancelled, QueueRow, Wait
from app.domain.status import CoreStatus
from ui.models.queue_progress import QueueProgress
from ui.models.sentences import sentence_of

if TYPE_CHECKING:
    from ui.models.queue_presenter import QueuePresenter
    from ui.views.dialogs.queue_dialog import QueueDialog
    from ui.workspace import Workspace


class QueueActions:
    """One queue at a time; `dialog` is it while it is open."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._spawner = workspace.spawner
        self.progress = QueueProgress(workspace.clock.now_utc_ms)
        self._presenter: QueuePresenter | None = None
        self.dialog: QueueDialog | None = None
        workspace.signals.changed.connect(self._on_changed)
        workspace.signals.status_changed.connect(self._on_status)
        workspace.window.status_line.outbox_requested.connect(self.open)

    def open(self) -> None:
        """Show the queue."""
        if self.dialog is None:
            self._spawner.spawn(self._show(), "outbox")

    def _on_status(self, status: CoreStatus) -> None:
        self.progress.take(status)
        if self._presenter is not None:
            self._presenter.on_status(status)

    def _on_changed(self, changes: ChangeSet) -> None:
        if self._presenter is not None:
            self._presenter.on_changed(changes)

    async def _show(self) -> None:
        from ui.bridge.dialogs import ask
        from ui.models.queue_presenter import QueuePresenter
        from ui.views.dialogs.queue_dialog import QueueDialog

        workspace = self._workspace
        messaging, clock = workspace.core.messaging, workspace.clock
        presenter = QueuePresenter(messaging.queue, self._spawner, clock.now_utc_ms, self.progress)
        presenter.on_status(workspace.core.status)
        dialog = QueueDialog(presenter, workspace.look.tokens, workspace.window)
        self._presenter, self.dialog = presenter, dialog
        dialog.edit_requested.connect(lambda row: self._do(self._edit(row), "edit waiting"))
        dialog.cancel_requested.connect(lambda row: self._do(self._cancel(row), "cancel waiting"))
        dialog.cancel_conversation_requested.connect(
            lambda row: self._do(self._cancel_many(row), "cancel conversation")
        )
        dialog.cancel_all_requested.connect(lambda: self._do(self._cancel_many(None), "cancel all"))
        dialog.retry_requested.connect(workspace.retry)
        presenter.look(True)
        try:
            await ask(dialog)
        finally:
            presenter.look(False)
            self._presenter = self.dialog = None
            dialog.deleteLater()
            presenter.deleteLater()
            workspace.window.activateWindow()  # keys work again where no window system does it

    def _do(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._spawner.spawn(self._told(work), name)

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        """Say on the queue itself what could not be done."""
        try:
            await work
        except Conflict:
            self._say("Too late: it is already on its way, so it can’t be cancelled.")
        except AppError as fault:
            self._say(sentence_of(fault))

    async def _edit(self, row: QueueRow) -> None:
        home = row.entry.conversation_id
        await self._back_to_draft(row)
        if self.dialog is not None:
            self.dialog.reject()
        self._workspace.open_conversation(home)
        self._workspace.window.composer.edit.setFocus()

    async def _cancel(self, row: QueueRow) -> None:
        await self._back_to_draft(row)
        self._say(f"Cancelled. Its text is in the draft to {row.title or 'that client'}.")

    async def _back_to_draft(self, row: QueueRow) -> None:
        """Take one message out of the queue; its text joins the draft in the same commit."""
        messaging = self._workspace.core.messaging
        refused = row.wait is Wait.PERSON
        # What is typed meanwhile must be in the store before the old text joins it there.
        before = await self._workspace.composer.flush()
        how = messaging.edit_refused if refused else messaging.cancel
        draft = await how(row.entry.message_id)
        if draft.conversation_id == self._workspace.conversation.conversation_id:
            findings = row.entry.findings if refused else ()
            await self._workspace.conversation.adopt(draft, before, "", findings)

    async def _cancel_many(self, row: QueueRow | None) -> None:
        home = row.entry.conversation_id if row is not None else None
        delete = await self._asked_many(row)
        if delete is None:
            return
        workspace = self._workspace
        before = await workspace.composer.flush()
        done = await workspace.core.messaging.queue.cancel(
            home,
            keep_texts=not delete,
            progress=lambda count: self._say(f"{count} cancelled…"),
        )
        shown = workspace.conversation.conversation_id
        if not delete and shown is not None and home in (None, shown):
            draft = await workspace.source.draft(shown)
            if draft is not None:
                await workspace.conversation.adopt(draft, before)
        self._say(_cancelled_words(done, kept=not delete))

    async def _asked_many(self, row: QueueRow | None) -> bool | None:
        """Return whether to delete the texts, too; None to leave all as it is."""
        from PySide6.QtWidgets import QCheckBox

        from ui.bridge.dialogs import ask
        from ui.views.dialogs.plain_dialog import PlainDialog

        whose = "all waiting messages" if row is None else f"what waits for {row.title}"
        words = (
            "Messages that the service may already have go on. The others leave the queue, and"
            " their texts stand in the drafts of their conversations, in order."
        )
        dialog = PlainDialog(f"Cancel {whose}?", words, self.dialog or self._workspace.window)
        box = QCheckBox("Delete the texts, too")
        dialog.fields.addWidget(box)
        dialog.add_button("Go on sending", "secondary", accepts=False)
        dialog.add_button("Cancel them", "primary", accepts=True)
        try:
            return box.isChecked() if await ask(dialog) else None
        finally:
            dialog.deleteLater()

    def _say(self, words: str) -> None:
        if self.dialog is not None:
            self.dialog.say(words)


def _cancelled_words(done: Cancelled, *, kept: bool) -> str:
    if not done.count:
        return "Nothing could be cancelled: what waited was already on its way."
    what = "1 message" if done.count == 1 else f"{done.count} messages"
    where = " The texts are in the drafts of their conversations." if kept else ""
    left = f" {done.on_their_way} were already on their way." if done.on_their_way else ""
    return f"Cancelled {what}.{where}{left}"
