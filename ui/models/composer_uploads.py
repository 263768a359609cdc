"""Holds the files of one draft, from choosing to uploaded.

It never reads a file itself and never sends a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.domain.errors import AppError
from contract.ids import AttachmentId
from contract.wire import Attachment
from ui.bridge.spawn import Spawner
from ui.models.composer_state import Upload, UploadStep
from ui.models.sentences import sentence_of


class Uploader(Protocol):
    """Brings a file to the backend."""

    async def upload(self, path: Path) -> Attachment:
        """Upload, resuming where a cut came."""
        ...


class ComposerUploads(QObject):
    """The chips above the composer's buttons."""

    changed = Signal()

    def __init__(self, uploader: Uploader, spawner: Spawner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._uploader = uploader
        self._spawner = spawner
        self._items: dict[int, Upload] = {}
        self._last_number = 0

    def items(self) -> tuple[Upload, ...]:
        """Return the files in the order they were added."""
        return tuple(self._items.values())

    def ready_ids(self) -> tuple[AttachmentId, ...]:
        """Return the ids of the files that can be sent."""
        return tuple(
            item.attachment_id
            for item in self._items.values()
            if item.step is UploadStep.READY and item.attachment_id is not None
        )

    def attachments(self) -> tuple[Attachment, ...]:
        """Return what is known of the files that can be sent."""
        found = (item.attachment for item in self._items.values())
        return tuple(one for one in found if one is not None)

    def restore(self, attachment_ids: Sequence[AttachmentId]) -> None:
        """Begin anew with files of a saved draft; their names are not kept with it."""
        self._items = {}
        for attachment_id in attachment_ids:
            self._put(Upload(self._next(), "Attached file", 0, UploadStep.READY, attachment_id))

    def describe(self, attachments: Sequence[Attachment]) -> None:
        """Give restored files their names and sizes back."""
        known = {attachment.attachment_id: attachment for attachment in attachments}
        for number, item in list(self._items.items()):
            found = known.get(item.attachment_id) if item.attachment_id else None
            if found is not None:
                size = found.size_bytes
                self._items[number] = replace(
                    item, name=found.name, size_bytes=size, attachment=found
                )

    def add(self, path: Path) -> None:
        """Start to upload the file at `path`; anything but a readable file becomes a fault."""
        item = Upload(self._next(), path.name, 0, UploadStep.RUNNING, path=path)
        self._start(item)

    def retry(self, number: int) -> None:
        """Upload a failed file again."""
        item = self._items.get(number)
        if item is not None and item.step is UploadStep.FAILED and item.path is not None:
            self._start(replace(item, step=UploadStep.RUNNING, fault=""))

    def remove(self, number: int) -> None:
        """Take a file off the draft."""
        if self._items.pop(number, None) is not None:
            self.changed.emit()

    def forget_sent(self) -> None:
        """Take off every file that went out with a message."""
        self._items = {
            number: item
            for number, item in self._items.items()
            if item.step is not UploadStep.READY
        }

    def _start(self, item: Upload) -> None:
        self._put(item)
        self.changed.emit()
        assert item.path is not None
        self._spawner.spawn(self._upload(item.number, item.path), "upload")

    async def _upload(self, number: int, path: Path) -> None:
        try:
            attachment = await self._uploader.upload(path)
        except AppError as fault:
            self._fail(number, sentence_of(fault))
            return
        except OSError:
            self._fail(number, "This file can't be read. Choose it again.")
            return
        item = self._items.get(number)
        if item is None:
            return
        self._put(
            replace(
                item,
                step=UploadStep.READY,
                attachment_id=attachment.attachment_id,
                attachment=attachment,
                name=attachment.name,
                size_bytes=attachment.size_bytes,
            )
        )
        self.changed.emit()

    def _fail(self, number: int, words: str) -> None:
        item = self._items.get(number)
        if item is not None:
            self._put(replace(item, step=UploadStep.FAILED, fault=words))
            self.changed.emit()

    def _put(self, item: Upload) -> None:
        self._items[item.number] = item

    def _next(self) -> int:
        self._last_number += 1
        return self._last_number
