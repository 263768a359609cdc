"""Owns how an inspection becomes what policy may know of an attachment.

It never inspects and never evaluates; both sides call it, so that equal bytes give equal facts.
"""

from __future__ import annotations

from contract.inspection.model import FileInspection, Reason, unread
from contract.policy.model import Attachment


def policy_attachment(inspection: FileInspection, sha256: str, size_bytes: int) -> Attachment:
    """Return the facts of an inspected file; its type is the one its content tells."""
    return Attachment(
        name=inspection.name,
        media_type=inspection.media_type,
        size_bytes=size_bytes,
        sha256=sha256,
        inspection=inspection.verdict,
        text=inspection.text,
        encrypted=inspection.encrypted,
        executable=inspection.executable,
        type_mismatch=inspection.type_mismatch,
        truncated=inspection.truncated,
        reason=inspection.reason,
    )


def uninspected_attachment(
    name: str, declared_type: str, sha256: str, size_bytes: int
) -> Attachment:
    """Return the facts of a file that nobody inspected: not evaluated, of the type it is told."""
    return policy_attachment(unread(name, declared_type, Reason.NOT_INSPECTED), sha256, size_bytes)
