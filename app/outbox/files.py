"""Owns files on their way up and down, each checked by its SHA-256.

It never keeps a readable copy in the data folder: what was fetched once is kept encrypted.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import mimetypes
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from app.domain.errors import (
    AppError,
    Conflict,
    DiskFull,
    EnvironmentFault,
    MalformedReply,
    Refused,
    TooLarge,
)
from app.faults import to_app_error
from app.inspection import FileInspections
from app.store.attachment_cache import AttachmentCache
from backend_client.backoff import Backoff
from backend_client.client import GovernedApi
from backend_client.errors import ClientError
from contract.ids import ConversationId
from contract.problems import ProblemCode
from contract.wire import Attachment, CreateAttachment, UploadState

PIECE_BYTES = 256 * 1024
MOST_FAILURES = 8
PATIENCE_S = 5.0

Progress = Callable[[int, int], None]


def ignored(_done_bytes: int, _whole_bytes: int) -> None:
    """Take progress nobody asked for."""


class FileTransfers:
    """Uploads in pieces that resume after a cut; downloads to a chosen path."""

    def __init__(
        self,
        api: GovernedApi,
        max_bytes: Callable[[], int],
        inspections: FileInspections,
        kept: AttachmentCache | None = None,
    ) -> None:
        """`kept` holds what was downloaded before, None for nothing."""
        self._api = api
        self._kept = kept
        self._max_bytes = max_bytes
        self._inspections = inspections

    async def upload(self, path: Path, progress: Progress = ignored) -> Attachment:
        """Inspect one file, upload it, and remember for the draft what is known of it.

        `progress` hears how many bytes of how many the backend holds: first when the file was
        inspected, then after each piece.

        Raises TooLarge, Refused for a file that can't be read, Offline after eight failures
        without progress, Conflict when the file changed meanwhile.
        """
        announced = await asyncio.to_thread(_describe, path, self._max_bytes())
        found = await self._inspections.inspect(announced, lambda: _pieces(path))
        state = await self._announce(announced)
        patience = Backoff(0.3, 10.0)
        while not state.complete:
            progress(state.offset_bytes, announced.size_bytes)
            try:
                piece = await asyncio.to_thread(_read_piece, path, state.offset_bytes)
                state = await self._api.files.upload(state.attachment_id, state.offset_bytes, piece)
                patience.reset()
            except ClientError as fault:
                await _wait_or_raise(fault, patience)  # also when a lost answer moved the offset
                state = await self._ask_state(state, patience)
        attachment = Attachment(
            attachment_id=state.attachment_id,
            name=announced.name,
            media_type=announced.media_type,
            size_bytes=announced.size_bytes,
            sha256=announced.sha256,
            scan=found.verdict.value,
        )
        await self._inspections.remember(attachment, found)
        return attachment

    async def inspect_again(self, attachment: Attachment) -> None:
        """Fetch and inspect a file that is on a draft again, unless it is still known.

        One that can't be fetched stays not evaluated. Its bytes are kept nowhere.
        """
        await self._inspections.recall([attachment.attachment_id])
        if self._inspections.is_known(attachment.attachment_id):
            return
        content = bytearray()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._api.files.download(attachment.attachment_id, content.extend)
        except (ClientError, TimeoutError):
            return
        if hashlib.sha256(content).hexdigest() == attachment.sha256:
            whole = bytes(content)
            found = await self._inspections.inspect(_described(attachment), lambda: iter((whole,)))
            await self._inspections.remember(attachment, found)

    async def download(
        self, attachment: Attachment, save_as: Path, home: ConversationId | None = None
    ) -> Path:
        """Fetch an attachment and put it at `save_as` once its hash is right.

        A second time it comes from this computer. `home` is the conversation it stands in: the
        encrypted copy goes when access to that is revoked. Raises MalformedReply for other bytes
        than announced, DiskFull, EnvironmentFault.
        """
        part = save_as.with_name(f".{save_as.name}.{secrets.token_hex(4)}.part")
        try:
            if self._kept is None or not await self._kept.fetch(attachment, part):
                await self._fetch(attachment, part)
                if self._kept is not None:
                    await self._kept.keep(attachment, part, home)
            part.replace(save_as)
        except ClientError as fault:
            raise to_app_error(fault) from fault
        except OSError as fault:
            raise _disk_fault(fault) from fault
        finally:
            part.unlink(missing_ok=True)
        return save_as

    async def _fetch(self, attachment: Attachment, part: Path) -> None:
        sha256 = hashlib.sha256()
        with _private(part) as sink:

            def write(piece: bytes) -> None:
                sha256.update(piece)
                sink.write(piece)

            await self._api.files.download(attachment.attachment_id, write)
        if sha256.hexdigest() != attachment.sha256:
            raise MalformedReply("The file that arrived is not the one that was sent.")

    async def _announce(self, announced: CreateAttachment) -> UploadState:
        key, patience = secrets.token_hex(16), Backoff(0.3, 10.0)
        while True:
            try:
                return await self._api.files.create_attachment(announced, key=key)
            except ClientError as fault:
                await _wait_or_raise(fault, patience)

    async def _ask_state(self, known: UploadState, patience: Backoff) -> UploadState:
        while True:
            try:
                return await self._api.files.upload_state(known.attachment_id)
            except ClientError as fault:
                await _wait_or_raise(fault, patience)


async def _wait_or_raise(fault: ClientError, patience: Backoff) -> None:
    error = to_app_error(fault)
    moved = isinstance(error, Conflict) and _code_of(error) == ProblemCode.CONFLICT
    if not (error.retryable or moved) or patience.failures >= MOST_FAILURES:
        raise error from fault
    await asyncio.sleep(patience.next_s(error.retry_after_s))


def _code_of(error: Refused) -> str:
    return error.problem.code if error.problem is not None else ""


def _describe(path: Path, max_bytes: int) -> CreateAttachment:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        size_bytes = path.stat().st_size
        if size_bytes == 0:
            raise Refused("The file is empty.")
        if size_bytes > max_bytes:
            raise TooLarge(f"The file is larger than {max_bytes // (1024 * 1024)} MB.")
        with path.open("rb") as source:
            sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as fault:
        raise Refused(f"The file can't be read: {fault.strerror}") from fault
    return CreateAttachment(
        name=path.name, media_type=media_type, size_bytes=size_bytes, sha256=sha256
    )


def _described(attachment: Attachment) -> CreateAttachment:
    return CreateAttachment(
        name=attachment.name,
        media_type=attachment.media_type,
        size_bytes=attachment.size_bytes,
        sha256=attachment.sha256,
    )


def _pieces(path: Path) -> Iterator[bytes]:
    at_bytes = 0
    while piece := _read_piece(path, at_bytes):
        at_bytes += len(piece)
        yield piece


def _read_piece(path: Path, offset_bytes: int) -> bytes:
    try:
        with path.open("rb") as source:
            source.seek(offset_bytes)
            return source.read(PIECE_BYTES)
    except OSError as fault:
        raise Refused(f"The file can't be read: {fault.strerror}") from fault


def _private(path: Path) -> BinaryIO:
    """Make a new file nobody else may read."""
    sink = path.open("xb")
    path.chmod(0o600)
    return sink


def _disk_fault(fault: OSError) -> AppError:
    if fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull("The disk that takes the file is full.")
    return EnvironmentFault(f"The file can't be saved: {fault.strerror}")
