"""Turns an outbox entry into the request that submits it.

It never adds anything of the moment: the same entry always gives the same bytes.
"""

from __future__ import annotations

import contextlib

import msgspec

from app.domain.timeline import OutboxEntry
from contract.wire import HintReport, SubmitMessage


def submission_of(entry: OutboxEntry) -> SubmitMessage:
    """Return the request body of an entry: the same entry always gives the same bytes.

    A report of this computer's decision that can't be read (of another version, or saved from a
    damaged file) stays away: the backend decides by itself, and the text must not wait for it.
    """
    hint = None
    if entry.hint_json:
        with contextlib.suppress(msgspec.DecodeError):
            hint = msgspec.json.decode(entry.hint_json, type=HintReport)
    return SubmitMessage(
        message_id=entry.message_id,
        revision=entry.revision,
        text=entry.text,
        salt=entry.salt,
        composed_at_utc_ms=entry.composed_at_utc_ms,
        quote_message_id=entry.quote_message_id,
        attachment_ids=entry.attachment_ids,
        justification=entry.justification,
        acknowledged=entry.acknowledged,
        false_positives=entry.false_positives,
        template_id=entry.template_id,
        several=entry.several,
        hint=hint,
    )
