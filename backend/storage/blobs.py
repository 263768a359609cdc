"""Owns the encrypted files that hold attachments' bytes, one file per uploaded part.

It never knows whose bytes they are and never writes a byte in clear.

A part is a row of frames of 64 KiB, each nonce ‖ AES-256-GCM; the associated data binds a frame
to its attachment, part and number, so that none can be moved or cut off unseen.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FRAME_BYTES = 64 * 1024
_NONCE_BYTES = 12
_TAG_BYTES = 16
_STORED_FRAME_BYTES = _NONCE_BYTES + FRAME_BYTES + _TAG_BYTES
_ID = re.compile(r"[0-9a-f-]{36}")


class BlobDamaged(Exception):
    """A stored file is missing or was changed."""


class BlobStore:
    """Parts of attachments under one folder, encrypted with a key of their own.

    All methods block: call them in a thread.
    """

    def __init__(self, folder: Path, database_key: bytes, *, tidy: bool = True) -> None:
        """`tidy` removes what a crash left half written: not beside a running backend."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left_behind in folder.glob("*/*.tmp") if tidy else ():
            left_behind.unlink(missing_ok=True)
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"parley blobs v1")
        self._cipher = AESGCM(derived.derive(database_key))

    def put(self, attachment_id: str, start_byte: int, data: bytes) -> None:
        """Write one part and flush it to the disk; the same part again replaces it.

        Raises OSError when the disk is full.
        """
        self.adopt(self.stage(attachment_id, start_byte, data), attachment_id, start_byte)

    def stage(self, attachment_id: str, start_byte: int, data: bytes) -> Path:
        """Write one part, flushed, under a name of its own that only `adopt` makes readable.

        Two writers of one part never meet. Raises OSError when the disk is full.
        """
        path = self._path(attachment_id, start_byte)
        path.parent.mkdir(exist_ok=True)
        staged = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            self._write(staged, attachment_id, start_byte, data)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        return staged

    def adopt(self, staged: Path, attachment_id: str, start_byte: int) -> None:
        """Make a staged part the part; call it where nobody else may add that part."""
        path = self._path(attachment_id, start_byte)
        staged.replace(path)
        _flush_folder(path.parent)

    def _write(self, staged: Path, attachment_id: str, start_byte: int, data: bytes) -> None:
        with staged.open("xb") as file:
            for number, at in enumerate(range(0, len(data), FRAME_BYTES)):
                nonce = os.urandom(_NONCE_BYTES)
                bound = self._bound(attachment_id, start_byte, number)
                sealed = self._cipher.encrypt(nonce, data[at : at + FRAME_BYTES], bound)
                file.write(nonce + sealed)
            file.flush()
            os.fsync(file.fileno())

    def read(
        self, attachment_id: str, start_byte: int, end_byte: int, first: int, last: int
    ) -> Iterator[bytes]:
        """Yield the bytes `first` … `last` - 1 of the part `start_byte` … `end_byte` - 1.

        The positions count from the attachment's beginning. Raises BlobDamaged.
        """
        first, last = max(first, start_byte) - start_byte, min(last, end_byte) - start_byte
        if first >= last:
            return
        try:
            with self._path(attachment_id, start_byte).open("rb") as file:
                for number in range(first // FRAME_BYTES, (last - 1) // FRAME_BYTES + 1):
                    file.seek(number * _STORED_FRAME_BYTES)
                    stored = file.read(_STORED_FRAME_BYTES)
                    bound = self._bound(attachment_id, start_byte, number)
                    frame = self._cipher.decrypt(
                        stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], bound
                    )
                    at = number * FRAME_BYTES
                    yield frame[max(0, first - at) : last - at]
        except (OSError, InvalidTag, ValueError) as error:
            raise BlobDamaged("a stored attachment can't be read") from error

    def remove(self, attachment_id: str, start_byte: int) -> None:
        """Delete one part; nothing happens when it is gone."""
        self._path(attachment_id, start_byte).unlink(missing_ok=True)

    def _path(self, attachment_id: str, start_byte: int) -> Path:
        if _ID.fullmatch(attachment_id) is None:
            raise ValueError("an attachment id is a lower-case UUID")
        return self._folder / attachment_id[-2:] / f"{attachment_id}.{start_byte}"

    @staticmethod
    def _bound(attachment_id: str, start_byte: int, number: int) -> bytes:
        return f"{attachment_id}|{start_byte}|{number}".encode()


def _flush_folder(folder: Path) -> None:
    """Make a new name in a folder survive the loss of power, where the system needs that."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows keeps names with their files
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
