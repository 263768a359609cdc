"""Owns the places a log's tiles are published to and read from: a folder, or an S3 bucket.

It never changes a full tile once it is there, and knows nothing of what a file holds.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Any, Protocol

from backend.archive.worm import S3Client, open_client, store_faults

_S3 = re.compile(r"s3://([a-z0-9.-]{3,63})(?:/(.*))?")
_NOT_THERE = ("NoSuchKey", "404")


class TilePlace(Protocol):
    """Where files of a log lie, by names such as `tile/0/000.p/5`; all methods block."""

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, None when there is none; raises OSError."""

    def write(self, name: str, data: bytes) -> None:
        """Put a file in place whole, or leave the old one; raises OSError."""

    def drop_partials(self, name: str) -> None:
        """Remove the partial tiles that the full one of this name replaces; raises OSError."""


class TileFolder:
    """A folder; each file is written beside its place, flushed, and moved there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; None when there is none."""
        try:
            return (self._folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        """Put a file in place whole, or leave the old one."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f"{path.name}.{secrets.token_hex(6)}.tmp")
        try:
            with staged.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)

    def drop_partials(self, name: str) -> None:
        """Remove the folder of partial tiles, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder / f"{name}.p")


class TileBucket:
    """A bucket of an S3 store, below a prefix; the store puts objects in place whole."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self._client: Any = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def read(self, name: str) -> bytes | None:
        """Return an object's bytes; None when there is none."""
        try:
            said = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            return bytes(said["Body"].read())
        except store_faults() as error:
            if _code(error) in _NOT_THERE:
                return None
            raise _unusable() from error

    def write(self, name: str, data: bytes) -> None:
        """Put an object; the store checks its SHA-256."""
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + name,
                Body=data,
                ChecksumAlgorithm="SHA256",
            )
        except store_faults() as error:
            raise _unusable() from error

    def drop_partials(self, name: str) -> None:
        """Remove the partial tiles' objects: at most 255 there can be."""
        prefix = f"{self._prefix}{name}.p/"
        try:
            said = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
            for item in said.get("Contents", ()):
                self._client.delete_object(Bucket=self._bucket, Key=item["Key"])
        except store_faults() as error:
            raise _unusable() from error


def place_of(where: str, *, endpoint_url: str = "", region: str = "") -> TilePlace:
    """Return the place that a path or `s3://bucket/prefix` names; raises WormNotReady for S3
    without the production requirements.
    """
    bucket = _S3.fullmatch(where)
    if bucket is None:
        return TileFolder(Path(where))
    client = open_client(endpoint_url=endpoint_url, region=region)
    return TileBucket(client, bucket[1], bucket[2] or "")


def _code(error: Exception) -> str:
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def _unusable() -> OSError:
    words = "the object store can't be used: check the bucket, the address and the credentials"
    return OSError(5, words)
