"""Owns the canonical body bytes and the envelope of a submission, the same on both sides.

It never sees the reply: the sender builds all of it from what was sent.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from contract.ids import ConversationId, EntryId, idempotency_key
from contract.receipts.canonical import canonical_json
from contract.receipts.leaf import Envelope, body_commitment
from contract.wire import SubmitMessage

KIND_MESSAGE_OUT = "message_out"
KIND_EDITED = "edited"
KIND_EDITED_LATE = "edited_late"  # an edit told after a newer one, or after the deletion
KIND_FILE_ADDED = "file_added"  # an import brought a file that an earlier one had left out


def message_body(text: str, quote_message_id: str, attachment_sha256s: Sequence[str]) -> bytes:
    """Return the bytes of a message that its archive entry commits to.

    `quote_message_id` is empty when nothing is quoted; the hashes are lower-case hex in the
    order of the attachments. Raises ValueError for text with a lone surrogate.
    """
    return canonical_json(
        {
            "attachments": list(attachment_sha256s),
            "quote": quote_message_id,
            "text": text,
        }
    )


def submission_body(command: SubmitMessage, attachment_sha256s: Sequence[str]) -> bytes:
    """Return the body of a submission, with the sender's words to policy where there are any.

    They are the justification, the acknowledged rules, the false positives and the template.
    """
    quote = command.quote_message_id or ""
    told: dict[str, str | list[str]] = {
        "acknowledged": list(command.acknowledged),
        "false_positives": list(command.false_positives),
        "justification": command.justification,
        "template": command.template_id,
    }
    if not any(told.values()):
        return message_body(command.text, quote, attachment_sha256s)
    return canonical_json(
        {
            "attachments": list(attachment_sha256s),
            "quote": quote,
            "text": command.text,
            **{name: value for name, value in told.items() if value},
        }
    )


def attachment_commitments(salt: bytes, attachment_sha256s: Sequence[str]) -> tuple[str, ...]:
    """Return hex SHA-256(salt ‖ digest) for each attachment's digest."""
    return tuple(body_commitment(salt, bytes.fromhex(digest)) for digest in attachment_sha256s)


def submission_envelope(
    command: SubmitMessage,
    conversation_id: ConversationId,
    *,
    firm_id: str,
    employee_id: str,
    decision_hash: str,
    attachment_sha256s: Sequence[str] = (),
) -> Envelope:
    """Return the envelope of a submission's archive entry; its entry id is the idempotency key.

    `decision_hash` is the backend's decision, which the client knows when its own agrees.
    Raises ValueError when the salt is not 64 hex digits.
    """
    salt = bytes.fromhex(command.salt)
    return Envelope(
        firm_id=firm_id,
        entry_id=EntryId(idempotency_key(command.message_id, command.revision)),
        kind=KIND_MESSAGE_OUT,
        actor_id=employee_id,
        conversation_id=conversation_id,
        message_id=command.message_id,
        revision=command.revision,
        occurred_at_utc_ms=command.composed_at_utc_ms,
        body_commitment=body_commitment(salt, submission_body(command, attachment_sha256s)),
        attachment_commitments=attachment_commitments(salt, attachment_sha256s),
        decision_hash=decision_hash,
    )


def edit_envelope(
    command: SubmitMessage,
    conversation_id: ConversationId,
    *,
    firm_id: str,
    employee_id: str,
    decision_hash: str,
    previous: str,
) -> Envelope:
    """Return the envelope of an edit's archive entry, which names the version before it.

    `previous` is that version's leaf hash in hex. Raises ValueError as `submission_envelope` does.
    """
    envelope = submission_envelope(
        command,
        conversation_id,
        firm_id=firm_id,
        employee_id=employee_id,
        decision_hash=decision_hash,
    )
    return msgspec.structs.replace(envelope, kind=KIND_EDITED, previous=previous)
