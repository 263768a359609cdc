"""Owns the values an inspection takes and gives: limits, reasons, the result.

It does not read any content.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from contract.policy.model import Inspection

INSPECTOR_VERSION = "1"
"""Rises whenever the same bytes could give another result."""

UNKNOWN_TYPE = "application/octet-stream"


class Reason(StrEnum):
    """Why a file is not clean; where several hold, the first in this order is told.

    All but the last three mean that something was not read.
    """

    ENCRYPTED = "encrypted"
    EXECUTABLE = "executable"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    TOO_SLOW = "too_slow"
    ARCHIVE = "archive"
    NO_TEXT = "no_text"
    ENCODING = "encoding"
    ENCODED_DATA = "encoded_data"
    IMAGE = "image"
    MEDIA = "media"
    UNKNOWN = "unknown_type"
    UNSUPPORTED = "unsupported_type"
    TOO_LONG = "too_long"
    NOT_INSPECTED = "not_inspected"
    SCRIPT = "script"
    MACROS = "macros"
    TYPE_MISMATCH = "type_mismatch"


READ_YET_FLAGGED = frozenset({Reason.SCRIPT, Reason.MACROS, Reason.TYPE_MISMATCH})


class InspectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a file is read at most; beyond a limit it is not wholly evaluated.

    Time is bounded by `pdf_steps` (operators of content streams) and by the sizes, not by a
    clock, so that each computer comes to the same result. A picture of up to
    `decoration_bytes` within a document counts as a logo; a larger one as unread.
    """

    text_chars: int = 200_000
    inflated_bytes: int = 64 * 1024 * 1024
    member_bytes: int = 32 * 1024 * 1024
    members: int = 10_000
    depth: int = 3
    pdf_bytes: int = 64 * 1024 * 1024
    pdf_pages: int = 500
    pdf_steps: int = 500_000
    decoration_bytes: int = 32 * 1024


class FileInspection(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one file.

    `media_type` is the type by content, `declared_type` what its sender's system told.
    `encrypted` means that a password is needed to read some of it; `executable` that it is or
    holds a program, a script or macros. `text` has what could be read, also where the verdict
    is NOT_EVALUATED; `truncated` tells that there was more. CLEAN means wholly read.
    """

    name: str
    media_type: str
    declared_type: str = ""
    verdict: Inspection = Inspection.NOT_EVALUATED
    reason: str = Reason.NOT_INSPECTED
    text: str = ""
    encrypted: bool = False
    executable: bool = False
    type_mismatch: bool = False
    truncated: bool = False
    inspector_version: str = INSPECTOR_VERSION


def unread(name: str, declared_type: str, reason: Reason) -> FileInspection:
    """Return the result for a file that nothing could be told of."""
    return FileInspection(
        name=name,
        media_type=declared_type or UNKNOWN_TYPE,
        declared_type=declared_type,
        reason=reason,
    )
