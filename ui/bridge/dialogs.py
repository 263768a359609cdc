"""Opens dialogs without a nested loop and hands their outcome to a coroutine.

It never calls exec(): a nested loop inside a coroutine loses other tasks for good.
"""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QDialog, QFileDialog, QWidget


async def ask(dialog: QDialog) -> bool:
    """Open `dialog` window-modal and return True when it was accepted.

    A cancelled caller closes the dialog. The dialog stays the caller's to read and delete.
    """
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def on_finished(result: int) -> None:
        if not answer.done():
            answer.set_result(result == QDialog.DialogCode.Accepted)

    dialog.finished.connect(on_finished)
    dialog.open()
    try:
        return await answer
    finally:
        dialog.finished.disconnect(on_finished)
        if dialog.isVisible():
            dialog.reject()


async def ask_for_file(parent: QWidget, title: str) -> str:
    """Let the user choose an existing file; returns its path, "" when they did not."""
    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return await _chosen(dialog)


async def ask_where_to_save(parent: QWidget, title: str, name: str) -> str:
    """Let the user choose where to save; `name` is proposed. Returns "" when they did not."""
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.selectFile(name)
    return await _chosen(dialog)


async def _chosen(dialog: QFileDialog) -> str:
    try:
        accepted = await ask(dialog)
        files = dialog.selectedFiles()
        return files[0] if accepted and files else ""
    finally:
        dialog.deleteLater()
