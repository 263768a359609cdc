"""Holds the files of one draft, from choosing to uploaded.

It never reads a file itself and never sends a message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal

from app.domain.errors import AppError
from contract.ids import AttachmentId, ConversationId
from contract.wire import Attachment
from ui.bridge.spawn import Spawner
from ui.models.composer_state import Upload, UploadStep
from ui.models.sentences import sentence_of

if TYPE_CHECKING:
    import asyncio


class Uploader(Protocol):
    """Brings a file to the backend."""

    async def upload(self, path: Path, progress: Callable[[int, int], None]) -> Attachment:
        """Upload, resuming where a cut came; `progress` hears bytes done and bytes in all."""
        ...


class ComposerUploads(QObject):
    """The chips above the composer's buttons."""

    changed = Signal()
    progressed = Signal(int, int)
    told = Signal(str)

    def __init__(self, uploader: Uploader, spawner: Spawner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._uploader = uploader
        self._spawner = spawner
        self._items: dict[int, Upload] = {}
        self._home: ConversationId | None = None
        self._aside: dict[ConversationId, dict[int, Upload]] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
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

    def restore(
        self, attachment_ids: Sequence[AttachmentId], home: ConversationId | None = None
    ) -> bool:
        """Begin anew with the files of `home`'s saved draft; their names are not kept with it.

        Files on their way stay with the conversation they were chosen in, and come back with it.
        Returns True when such a file has meanwhile arrived: the saved draft lacks it yet.
        """
        if self._home is not None:
            self._aside[self._home] = {
                number: item
                for number, item in self._items.items()
                if item.step is not UploadStep.READY
            }
        self._home, self._items = home, {}
        for attachment_id in attachment_ids:
            self._put(Upload(self._next(), "Attached file", 0, UploadStep.READY, attachment_id))
        kept = {} if home is None else self._aside.pop(home, {})
        fresh = {n: item for n, item in kept.items() if item.attachment_id not in attachment_ids}
        self._items |= fresh
        return any(item.step is UploadStep.READY for item in fresh.values())

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
            self._start(replace(item, step=UploadStep.RUNNING, fault="", percent=0))

    def remove(self, number: int) -> None:
        """Take a file off the draft; one on its way up goes no further."""
        self._stop(number)
        if self._items.pop(number, None) is not None:
            self.changed.emit()

    def remove_content(self, sha256: str) -> None:
        """Take every file with this content off the draft."""
        for item in self.items():
            if item.attachment is not None and item.attachment.sha256 == sha256:
                self.remove(item.number)

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
        task = self._spawner.spawn(self._upload(item.number, item.path), "upload")
        if task is not None:
            self._running[item.number] = task
            task.add_done_callback(lambda _: self._running.pop(item.number, None))

    def _stop(self, number: int) -> None:
        task = self._running.pop(number, None)
        if task is not None:
            task.cancel()

    def _on_progress(self, number: int, done_bytes: int, whole_bytes: int) -> None:
        item = self._find(number)
        percent = 100 * done_bytes // max(1, whole_bytes)
        if item is None or item.step is not UploadStep.RUNNING:
            return
        if percent != item.percent or item.size_bytes != whole_bytes:
            self._put(replace(item, percent=percent, size_bytes=whole_bytes))
            self.progressed.emit(number, percent)

    async def _upload(self, number: int, path: Path) -> None:
        try:
            attachment = await self._uploader.upload(path, partial(self._on_progress, number))
        except AppError as fault:
            self._fail(number, sentence_of(fault))
            return
        except OSError:
            self._fail(number, "This file can't be read. Choose it again.")
            return
        item = self._find(number)
        if item is None:
            return
        ready = replace(
            item,
            step=UploadStep.READY,
            attachment_id=attachment.attachment_id,
            attachment=attachment,
            name=attachment.name,
            size_bytes=attachment.size_bytes,
        )
        self._settle(ready, f"{attachment.name} is attached")

    def _fail(self, number: int, words: str) -> None:
        item = self._find(number)
        if item is not None:
            failed = replace(item, step=UploadStep.FAILED, fault=words)
            self._settle(failed, f"{item.name} is not attached. {words}")

    def _settle(self, item: Upload, words: str) -> None:
        self._put(item)
        if item.number in self._items:
            self.changed.emit()
            self.told.emit(words)

    def _find(self, number: int) -> Upload | None:
        places = (self._items, *self._aside.values())
        return next((place[number] for place in places if number in place), None)

    def _put(self, item: Upload) -> None:
        """Write an item where it stands: in the draft on screen, or in one left aside."""
        place = next((one for one in self._aside.values() if item.number in one), self._items)
        place[item.number] = item

    def _next(self) -> int:
        self._last_number += 1
        return self._last_number
