"""Carries out what the person asks of a receipt: open it, check again, copy, save; the alarm.

It never verifies anything: the core does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from app.domain.archive import ArchiveAlarm, ReceiptView
from app.domain.clock import Clock
from app.domain.errors import AppError
from contract.wire import Message
from ui.bridge.dialogs import ask, ask_where_to_save
from ui.bridge.spawn import Spawner
from ui.models.receipt_words import alarm_lines, checking_words, receipt_words
from ui.models.sentences import sentence_of
from ui.theme.tokens import Tokens
from ui.theme.widgets import label
from ui.views.dialogs.plain_dialog import PlainDialog
from ui.views.dialogs.receipt_dialog import ReceiptDialog

Check = Callable[[Message], Awaitable[ReceiptView]]


class ReceiptActions:
    """One receipt dialog at a time; `dialog` is it while it is open."""

    def __init__(
        self,
        check: Check,
        clock: Clock,
        spawner: Spawner,
        window: Callable[[], QWidget],
        tokens: Callable[[], Tokens],
    ) -> None:
        self._check = check
        self._clock = clock
        self._spawner = spawner
        self._window = window
        self._tokens = tokens
        self._view: ReceiptView | None = None
        self.dialog: ReceiptDialog | None = None

    def open(self, message: Message) -> None:
        """Show a message's receipt and check it."""
        if self.dialog is None:
            self._spawner.spawn(self._show(message), "receipt")

    def show_alarm(self, alarm: ArchiveAlarm) -> None:
        """Show what is behind the alarm's banner."""
        self._spawner.spawn(self._show_alarm(alarm), "archive alarm")

    async def _show(self, message: Message) -> None:
        dialog = ReceiptDialog(self._tokens(), self._window())
        self.dialog, self._view = dialog, None
        dialog.check_requested.connect(lambda: self._start_check(dialog, message))
        dialog.copy_requested.connect(lambda: self._copy(dialog, message))
        dialog.save_requested.connect(
            lambda: self._spawner.spawn(self._save(dialog, message), "save receipt")
        )
        try:
            self._start_check(dialog, message)
            await ask(dialog)
        finally:
            self.dialog = None
            dialog.deleteLater()
            if QApplication.activeWindow() in (None, dialog):
                self._window().activateWindow()  # keys work again where no window system does it

    def _start_check(self, dialog: ReceiptDialog, message: Message) -> None:
        dialog.show_checking(checking_words(message))
        self._spawner.spawn(self._check_into(dialog, message), "check receipt")

    async def _check_into(self, dialog: ReceiptDialog, message: Message) -> None:
        view = await self._check(message)
        if dialog is self.dialog:
            self._view = view
            dialog.show_words(receipt_words(message, view, self._clock.now_utc_ms()))

    def _copy(self, dialog: ReceiptDialog, message: Message) -> None:
        QApplication.clipboard().setText(archive_reference(message))
        dialog.say("The reference is on the clipboard; it holds no content.")

    async def _save(self, dialog: ReceiptDialog, message: Message) -> None:
        view = self._view
        if view is None or not view.saved:
            return
        name = f"receipt-{view.index}.parley-receipt"
        chosen = await ask_where_to_save(self._window(), "Save receipt", name)
        if not chosen:
            return
        try:
            await asyncio.to_thread(_write, Path(chosen), view.saved)
        except OSError as fault:
            dialog.say(f"It could not be saved: {fault.strerror}. Choose another place.")
        except AppError as fault:
            dialog.say(sentence_of(fault))
        else:
            dialog.say("Saved. Anyone with the archive's keys can check this file offline.")

    async def _show_alarm(self, alarm: ArchiveAlarm) -> None:
        sentence, lines = alarm_lines(alarm)
        words = f"{sentence} Sending is paused until your firm explains it with a signed statement."
        dialog = PlainDialog("Sending is paused", words, self._window())
        for name, value in lines:
            dialog.fields.addWidget(label(f"{name}: {value}", "secondary", selectable=True))
        dialog.add_button("Close", "primary", accepts=True)
        try:
            await ask(dialog)
        finally:
            dialog.deleteLater()


def archive_reference(message: Message) -> str:
    """Return the line to quote to Compliance; it holds no content."""
    archive = message.archive
    if archive is None:
        return f"Parley message {message.message_id}, not sealed yet"
    return f"Parley entry {archive.index} · {archive.entry_id} · {archive.entry_hash}"


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
