"""Owns the links by which vendors fetch files: their signed tokens, made and read.

It never opens a file: whether a genuine token still leads to one is asked where it is served.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from typing import NamedTuple

from backend.channels.contract import Attempt, OutboundFile

PATH = "/media"
COVER = f"{PATH}/cover.png"
LIFE_MS = 24 * 3_600_000
_FOR = b"parley media link v1|"
_TIME_BYTES = 8
_NAMED_BYTES = 16 + 16 + _TIME_BYTES
_TOKEN_BYTES = _NAMED_BYTES + hashlib.sha256().digest_size


class Linked(NamedTuple):
    """What a genuine token names: one file, for one attempt, until a time."""

    attachment_id: str
    attempt_id: str
    ends_at_utc_ms: int


class SignedFileLinks:
    """Links under the firm's public address (it keeps the protocol FileLinks)."""

    def __init__(self, public_url: str, key: bytes) -> None:
        """`public_url` has no slash at its end; `key` is the workspace's `link_key`."""
        self._public_url = public_url
        self._key = key

    def link(self, file: OutboundFile, attempt: Attempt) -> str:
        """Return where a file may be fetched for a day from the attempt's beginning.

        The same attempt has the same link. Raises ValueError for ids that are no UUIDs.
        """
        ends_at_utc_ms = attempt.started_at_utc_ms + LIFE_MS
        named = (
            uuid.UUID(file.attachment_id).bytes
            + uuid.UUID(attempt.attempt_id).bytes
            + ends_at_utc_ms.to_bytes(_TIME_BYTES, "big")
        )
        token = base64.urlsafe_b64encode(named + self._mac(named)).rstrip(b"=").decode()
        return f"{self._public_url}{PATH}/{token}"

    def cover(self) -> str:
        """Return the address of the neutral picture that is shown before a file is opened."""
        return f"{self._public_url}{COVER}"

    def read(self, token: str) -> Linked | None:
        """Return what a token names, None for one that this workspace did not make."""
        try:
            padded = token.encode("ascii") + b"=" * (-len(token) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            return None
        named, mac = raw[:_NAMED_BYTES], raw[_NAMED_BYTES:]
        if len(raw) != _TOKEN_BYTES or not hmac.compare_digest(self._mac(named), mac):
            return None
        return Linked(
            attachment_id=str(uuid.UUID(bytes=named[:16])),
            attempt_id=str(uuid.UUID(bytes=named[16:32])),
            ends_at_utc_ms=int.from_bytes(named[32:], "big"),
        )

    def _mac(self, named: bytes) -> bytes:
        return hmac.digest(self._key, _FOR + named, hashlib.sha256)
