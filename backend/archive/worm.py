"""Owns the strict door to an object store with S3 Object Lock: write once, keep, never loosen.

It never shortens or downgrades a retention, takes a past date, suspends versions or deletes a
locked version, whether or not the store would allow it.

Source: Amazon S3 User Guide, "Locking objects with Object Lock" (compliance mode).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

COMPLIANCE, GOVERNANCE = "COMPLIANCE", "GOVERNANCE"
_RANK = {"": 0, GOVERNANCE: 1, COMPLIANCE: 2}


class WormRefused(Exception):
    """The step would loosen what is locked; the text is a plain sentence."""


class WormNotReady(Exception):
    """The bucket does not keep what is written to it; the text says what to set."""


class StoredVersion(NamedTuple):
    """One locked version of an object."""

    name: str
    version_id: str
    sha256: str
    retain_until_utc_ms: int


class S3Client(Protocol):
    """The calls of boto3's S3 client that are used here; see its reference for the arguments."""

    def put_object(self, **arguments: Any) -> dict[str, Any]:
        """Write a new version."""

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        """Read a version."""

    def head_object(self, **arguments: Any) -> dict[str, Any]:
        """Read a version's description."""

    def delete_object(self, **arguments: Any) -> dict[str, Any]:
        """Delete a version."""

    def put_object_retention(self, **arguments: Any) -> dict[str, Any]:
        """Set a version's retention."""

    def put_object_legal_hold(self, **arguments: Any) -> dict[str, Any]:
        """Set or lift a version's legal hold."""

    def get_bucket_versioning(self, **arguments: Any) -> dict[str, Any]:
        """Read whether the bucket keeps versions."""

    def put_bucket_versioning(self, **arguments: Any) -> dict[str, Any]:
        """Set whether the bucket keeps versions."""

    def get_object_lock_configuration(self, **arguments: Any) -> dict[str, Any]:
        """Read whether the bucket locks objects."""


class _Lock(NamedTuple):
    mode: str
    until: datetime | None
    held: bool


def open_client(*, endpoint_url: str = "", region: str = "") -> S3Client:
    """Return boto3's S3 client; its own chain finds the credentials.

    Raises WormNotReady when the `production` requirements are not installed.
    """
    try:
        import boto3
    except ImportError as error:
        raise WormNotReady("Install Parley's production requirements first.") from error
    client: S3Client = boto3.client(
        "s3", endpoint_url=endpoint_url or None, region_name=region or None
    )
    return client


def store_faults() -> tuple[type[Exception], ...]:
    """Return the errors boto3 raises for a store it can't use; none when it is not installed."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return ()
    return (BotoCoreError, ClientError)


class WormStore:
    """One bucket, through the strict door; all methods block: call them in a thread."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def check(self) -> None:
        """Raise WormNotReady unless the bucket keeps versions and locks objects."""
        if self._versioning() != "Enabled":
            raise WormNotReady("Turn the bucket's versioning on: without it nothing is kept.")
        said = self._client.get_object_lock_configuration(Bucket=self.bucket)
        if said.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise WormNotReady("Make the bucket anew with Object Lock: it can't be locked.")

    def put(
        self,
        name: str,
        data: bytes,
        *,
        retain_until_utc_ms: int,
        now_utc_ms: int,
        held: bool = False,
    ) -> StoredVersion:
        """Write a new version locked in compliance mode, or on hold too, and read its lock back.

        Raises WormRefused for a date not in the future, or a bucket that keeps no versions.
        """
        until = _future(retain_until_utc_ms, now_utc_ms)
        if self._versioning() != "Enabled":
            raise WormRefused("The bucket keeps no versions: nothing is written to it.")
        digest = hashlib.sha256(data).digest()
        said = self._client.put_object(
            Bucket=self.bucket,
            Key=name,
            Body=data,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=base64.b64encode(digest).decode(),
            ObjectLockMode=COMPLIANCE,
            ObjectLockRetainUntilDate=until,
            ObjectLockLegalHoldStatus="ON" if held else "OFF",
            Metadata={"sha256": digest.hex()},
        )
        version_id = said.get("VersionId", "")
        lock = self._lock(name, version_id)
        kept = lock.mode == COMPLIANCE and lock.until is not None and lock.until >= until
        if not version_id or not kept or lock.held != held:
            raise WormNotReady("The store did not lock what was written: do not rely on it.")
        return StoredVersion(name, version_id, digest.hex(), retain_until_utc_ms)

    def extend(
        self,
        name: str,
        version_id: str,
        *,
        retain_until_utc_ms: int,
        now_utc_ms: int,
        mode: str = COMPLIANCE,
    ) -> None:
        """Keep a version longer, or as long under a stricter mode; raises WormRefused else."""
        until = _future(retain_until_utc_ms, now_utc_ms)
        if mode not in (COMPLIANCE, GOVERNANCE):
            raise WormRefused("The mode must be COMPLIANCE or GOVERNANCE.")
        lock = self._lock(name, version_id)
        if _RANK[mode] < _RANK[lock.mode]:
            raise WormRefused("A compliance lock can't be downgraded.")
        if lock.until is not None and until < lock.until:
            raise WormRefused("A retention can't be shortened.")
        self._client.put_object_retention(
            Bucket=self.bucket,
            Key=name,
            VersionId=version_id,
            Retention={"Mode": mode, "RetainUntilDate": until},
        )

    def hold(self, name: str, version_id: str) -> None:
        """Put a legal hold on a version and read it back; raises WormNotReady when it is not."""
        self._set_hold(name, version_id, "ON")
        if not self._lock(name, version_id).held:
            raise WormNotReady("The store did not take a legal hold: do not rely on it.")

    def release_hold(self, name: str, version_id: str) -> None:
        """Lift a version's legal hold; its retention stays."""
        self._set_hold(name, version_id, "OFF")

    def delete(self, name: str, version_id: str, *, now_utc_ms: int) -> None:
        """Delete one version whose retention ended; raises WormRefused for any other.

        A name without a version is refused too: the store would hide the object behind a marker.
        """
        if not version_id:
            raise WormRefused("Name the version: an object is never hidden.")
        lock = self._lock(name, version_id)
        if lock.held:
            raise WormRefused("A legal hold keeps this version.")
        if lock.until is not None and lock.until > _at(now_utc_ms):
            raise WormRefused("The version is locked: its retention still runs.")
        self._client.delete_object(Bucket=self.bucket, Key=name, VersionId=version_id)

    def set_versioning(self, status: str) -> None:
        """Turn versioning on; raises WormRefused for anything else."""
        if status != "Enabled":
            raise WormRefused("Versioning is never suspended: locked objects rest on it.")
        self._client.put_bucket_versioning(
            Bucket=self.bucket, VersioningConfiguration={"Status": status}
        )

    def read(self, version: StoredVersion) -> bytes:
        """Return a version's bytes; raises WormRefused when they are not those written."""
        said = self._client.get_object(
            Bucket=self.bucket, Key=version.name, VersionId=version.version_id
        )
        data: bytes = said["Body"].read()
        if not hmac.compare_digest(hashlib.sha256(data).hexdigest(), version.sha256):
            raise WormRefused("The stored bytes are not those that were written.")
        return data

    def _set_hold(self, name: str, version_id: str, status: str) -> None:
        self._client.put_object_legal_hold(
            Bucket=self.bucket, Key=name, VersionId=version_id, LegalHold={"Status": status}
        )

    def _versioning(self) -> str:
        return str(self._client.get_bucket_versioning(Bucket=self.bucket).get("Status", ""))

    def _lock(self, name: str, version_id: str) -> _Lock:
        said = self._client.head_object(Bucket=self.bucket, Key=name, VersionId=version_id)
        until = said.get("ObjectLockRetainUntilDate")
        held = said.get("ObjectLockLegalHoldStatus") == "ON"
        return _Lock(said.get("ObjectLockMode", ""), until, held)


def _at(at_utc_ms: int) -> datetime:
    return datetime.fromtimestamp(at_utc_ms // 1000, UTC)


def _future(retain_until_utc_ms: int, now_utc_ms: int) -> datetime:
    """Return the date in whole seconds, as the store keeps it; raises WormRefused for the past."""
    if retain_until_utc_ms <= now_utc_ms:
        raise WormRefused("The date lies in the past: it would lock nothing.")
    return _at(retain_until_utc_ms + 999)
