"""Owns what is found in the files of drafts before they are uploaded, kept for hints.

It never uploads, and a file it could not inspect is not evaluated, never clean.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from app.backend_process import backend_command
from app.store.store import Store
from contract.ids import AttachmentId
from contract.inspection.facts import policy_attachment, uninspected_attachment
from contract.inspection.model import FileInspection, Reason, unread
from contract.policy.model import Attachment as PolicyAttachment
from contract.wire import Attachment, CreateAttachment

if TYPE_CHECKING:
    from contract.inspection.apart import InspectionRequest

K = TypeVar("K")
LONGEST_S = 30.0
MOST_KEPT = 24


class FileInspections:
    """What was found, by content and by attachment; the store keeps it with the draft."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_content: OrderedDict[tuple[str, str, str], FileInspection] = OrderedDict()
        self._by_id: OrderedDict[AttachmentId, FileInspection] = OrderedDict()

    async def inspect(
        self, announced: CreateAttachment, pieces: Callable[[], Iterator[bytes]]
    ) -> FileInspection:
        """Tell what a file holds; the same content under the same name is known.

        `pieces` is called once, on a thread, and gives the file's bytes; what it raises is raised.
        A small file is read on the thread, any other in a process that ends with the caller.
        """
        content = (announced.sha256, announced.name, announced.media_type)
        known = self._by_content.get(content)
        if known is not None:
            return known
        from contract.inspection.apart import InspectionRequest

        request = InspectionRequest(name=announced.name, declared_type=announced.media_type)
        run = _Run(request, pieces)
        try:
            async with asyncio.timeout(LONGEST_S):
                found = await asyncio.to_thread(run.inspect)
        except TimeoutError:
            found = unread(request.name, request.declared_type, Reason.TOO_SLOW)
        finally:
            run.end()
        _keep(self._by_content, content, found)
        return found

    async def remember(self, attachment: Attachment, found: FileInspection) -> None:
        """Keep an uploaded file for its draft, with what was found in it, in one commit."""
        await self._store.drafts.remember_attachment(attachment, found)
        _keep(self._by_id, attachment.attachment_id, found)

    async def recall(self, ids: Sequence[AttachmentId]) -> None:
        """Read what was found in a saved draft's files."""
        missing = [each for each in ids if each not in self._by_id]
        if missing:
            for each, found in (await self._store.drafts.inspections(missing)).items():
                _keep(self._by_id, each, found)

    def is_known(self, attachment_id: AttachmentId) -> bool:
        """Tell whether a file was inspected, as far as memory goes."""
        return attachment_id in self._by_id

    def facts(self, file: Attachment) -> PolicyAttachment:
        """Return what policy may know of a file, from memory alone."""
        found = self._by_id.get(file.attachment_id)
        if found is None:
            return uninspected_attachment(file.name, file.media_type, file.sha256, file.size_bytes)
        return policy_attachment(found, file.sha256, file.size_bytes)


class _Run:
    """One inspection on a thread, and the process that it may have started."""

    def __init__(self, request: InspectionRequest, pieces: Callable[[], Iterator[bytes]]) -> None:
        self._request = request
        self._pieces = pieces
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def inspect(self) -> FileInspection:
        from contract.inspection.apart import MOST_BYTES_HERE, inspect_here

        pieces = self._pieces()
        start = b""
        while len(start) <= MOST_BYTES_HERE and (piece := next(pieces, b"")):
            start += piece
        found = inspect_here(self._request, start)
        return found or self._inspect_apart(itertools.chain((start,), pieces))

    def end(self) -> None:
        """End the process, wherever it stands; the thread then comes to its end, too."""
        self._ended = True
        if self._process is not None:
            self._process.kill()

    def _inspect_apart(self, pieces: Iterator[bytes]) -> FileInspection:
        from contract.inspection.apart import answered, exchange

        request = self._request
        try:
            process = subprocess.Popen(
                [*backend_command(), "inspect"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:  # the program is missing, or the system has no room for it
            return unread(request.name, request.declared_type, Reason.NOT_INSPECTED)
        self._process = process
        if self._ended:
            process.kill()
        return answered(request, exchange(process, request, pieces), in_time=True)


def _keep(kept: OrderedDict[K, FileInspection], key: K, found: FileInspection) -> None:
    kept[key] = found
    kept.move_to_end(key)
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)
