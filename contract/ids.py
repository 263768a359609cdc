"""Identifier types of the governed API with the maker of UUIDv7 values.

It never orders anything by an identifier: a message's place comes from the backend.
"""

from __future__ import annotations

import uuid
from typing import NewType

FirmId = NewType("FirmId", str)
EmployeeId = NewType("EmployeeId", str)
ContactId = NewType("ContactId", str)
ContactPointId = NewType("ContactPointId", str)
AccountId = NewType("AccountId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
AttachmentId = NewType("AttachmentId", str)
EntryId = NewType("EntryId", str)

RANDOM_BYTES_OF_UUID7 = 10


def uuid7(now_utc_ms: int, random: bytes) -> str:
    """Build a UUIDv7 as lower-case text (RFC 9562, section 5.7).

    `now_utc_ms` is Unix time in milliseconds (0 … 2**48 - 1); `random` holds exactly
    10 random bytes. Raises ValueError when either is out of range.
    """
    if not 0 <= now_utc_ms < 1 << 48:
        raise ValueError("now_utc_ms must fit 48 bits")
    if len(random) != RANDOM_BYTES_OF_UUID7:
        raise ValueError(f"random must hold {RANDOM_BYTES_OF_UUID7} bytes")
    value = (now_utc_ms << 80) | int.from_bytes(random, "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def idempotency_key(message_id: MessageId, revision: int) -> str:
    """Return the key of one submission: `message_id.revision`; it never expires."""
    return f"{message_id}.{revision}"
