"""Owns the rules about attached files as such: size, type, encryption, disguise, readability.

It never looks into a file; inspection did, and the words in it are judged as any text is.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from contract.policy.context import Context
from contract.policy.hits import Hit
from contract.policy.model import Attachment, Inspection
from contract.policy.rules import AttachmentRule


def find_files(rule: AttachmentRule, context: Context) -> Iterator[Hit]:
    """Yield one hit for each attached file that a rule is about."""
    for file in context.draft.attachments:
        if _concerns(rule, file):
            yield Hit(rule.action, rule.message, attachment=file.sha256, shown=file.name)


def _concerns(rule: AttachmentRule, file: Attachment) -> bool:
    media_type = file.media_type.lower().partition(";")[0].strip()
    unread = file.inspection is Inspection.NOT_EVALUATED or file.truncated
    return (
        (rule.max_bytes is not None and file.size_bytes > rule.max_bytes)
        or any(fnmatch.fnmatchcase(media_type, pattern) for pattern in rule.block_types)
        or (rule.encrypted and file.encrypted)
        or (rule.executable and file.executable)
        or (rule.mismatch and file.type_mismatch)
        or (rule.unread and unread)
    )
