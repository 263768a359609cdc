"""Owns the one transaction of a submission: decision, archive entry, message, delivery job.

It never delivers, and it never lets a refused submission go unarchived.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from backend.archive.entries import Recorded
from backend.archive.sealing import SealedEntry
from backend.directory.templates import is_filled
from backend.governance.approvals import hold_message
from backend.governance.decisions import Verdict, decide
from backend.governance.policy import RunningPolicy
from backend.inbox.idempotency import CommandKey, Reply, store_reply, stored_reply
from backend.inbox.messages import NewMessage, add_message
from backend.inbox.queueing import queue_message
from backend.inbox.recording_notice import first_contact
from backend.inbox.rendering import read_conversation, read_messages
from backend.inbox.uploads import MOST_ATTACHMENT_BYTES
from backend.refusals import Refused, not_found
from backend.storage.bulk import Prepared
from backend.storage.tables import attachments, messages
from contract.ids import EntryId, idempotency_key
from contract.problems import PROBLEM_MEDIA_TYPE, PROBLEM_STATUS, Problem, ProblemCode
from contract.receipts.bodies import KIND_MESSAGE_OUT, attachment_commitments, submission_body
from contract.states import DeliveryState
from contract.wire import (
    MAX_DECISION_CHARS,
    MAX_TEXT_CHARS,
    Attachment,
    Conversation,
    Direction,
    Me,
    Message,
    Mode,
    SubmitMessage,
    Submitted,
)

MAX_ATTACHMENTS = 10
MAX_JUSTIFICATION_CHARS = 2_000
MAX_ANSWERS = 100
MAX_RULE_ID_CHARS = 64
_MAX_TIME_MS = 2**48 - 1
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SALT = re.compile(r"[0-9a-f]{64}")
_TAKEN = Prepared(
    select(messages.c.message_id).where(messages.c.message_id == bindparam("id")), "id"
)


@dataclass(frozen=True, slots=True)
class Submission:
    """One POST of a message as it came in; `most_file_bytes` is what each file may hold."""

    conversation_id: str
    command: SubmitMessage
    key: CommandKey
    most_file_bytes: int = MOST_ATTACHMENT_BYTES


def submit(
    connection: Connection,
    policy: RunningPolicy,
    me: Me,
    submission: Submission,
    now_utc_ms: int,
) -> Reply:
    """Decide on, record and queue one message; the stored reply when the key is known.

    The reply says 202: `sealed_reply` makes the final one of it. A message that policy refuses
    is archived as blocked and answered with `policy_denied`. At the first contact on a channel
    the recording notice goes before it, where the account has one.
    Raises Refused (nothing is kept) when the request itself is at fault.
    """
    known = stored_reply(connection, me, submission.key)
    if known is not None:
        return known
    command = submission.command
    check_form(submission)
    conversation = read_conversation(connection, me.employee_id, submission.conversation_id)
    if conversation is None:
        raise not_found("conversation")
    _check_sendable(connection, conversation, command)
    _check_template(connection, me, conversation, command)
    files = _files(connection, me, submission)
    if not conversation.walled:
        first_contact(connection, conversation.conversation_id, now_utc_ms)
    verdict = decide(connection, policy, me, conversation, command, files, now_utc_ms)
    archived = _write(connection, me, conversation, command, files, verdict, now_utc_ms)
    if verdict.state is DeliveryState.ARCHIVED:
        queue_message(connection, command.message_id, archived, now_utc_ms)
    elif verdict.state is DeliveryState.HELD:
        hold_message(connection, me, command, verdict, now_utc_ms)
    (message,) = read_messages(connection, me.employee_id, [command.message_id])
    return store_reply(connection, me, submission.key, verdict_reply(message, verdict), now_utc_ms)


def sealed_reply(reply: Reply, sealed: SealedEntry | None) -> Reply:
    """Return the reply to give once the entry is sealed; the reply as it is while it is not.

    The message has the version that the seal gave it, and its place in the log.
    """
    if sealed is None:
        return reply
    if reply.status == 202:
        submitted = msgspec.json.decode(reply.body, type=Submitted)
        whole = msgspec.structs.replace(
            submitted, message=_placed(submitted.message, sealed), receipt=sealed.receipt
        )
        return Reply(201, reply.media_type, msgspec.json.encode(whole))
    problem = msgspec.json.decode(reply.body, type=Problem)
    if problem.message is None:
        return reply
    told = msgspec.structs.replace(problem, message=_placed(problem.message, sealed))
    return Reply(reply.status, reply.media_type, msgspec.json.encode(told))


def _placed(message: Message, sealed: SealedEntry) -> Message:
    return msgspec.structs.replace(message, archive=sealed.archive, version=message.version + 1)


def check_form(submission: Submission) -> None:
    """Refuse a command whose values no message can have, whatever it is meant for."""
    command = submission.command
    faults = {
        "message_id must be a lower-case UUID.": _UUID.fullmatch(command.message_id) is None,
        "revision must be between 0 and 1000000.": not 0 <= command.revision <= 1_000_000,
        "salt must be 64 lower-case hex digits.": _SALT.fullmatch(command.salt) is None,
        "composed_at_utc_ms is out of range.": not 0 <= command.composed_at_utc_ms <= _MAX_TIME_MS,
        "A message needs text or a file.": not (command.text.strip() or command.attachment_ids),
        "A file can be attached once only.": len(set(command.attachment_ids))
        != len(command.attachment_ids),
        f"At most {MAX_ATTACHMENTS} files go with one message.": len(command.attachment_ids)
        > MAX_ATTACHMENTS,
        "several must be between 0 and 1000000.": not 0 <= command.several <= 1_000_000,
        "The justification is too long.": len(command.justification) > MAX_JUSTIFICATION_CHARS,
        "The answers to the findings are too long.": _answers_too_long(command),
    }
    for fault, found in faults.items():
        if found:
            raise Refused(ProblemCode.BAD_REQUEST, fault)
    if submission.key.key != idempotency_key(command.message_id, command.revision):
        raise Refused(ProblemCode.BAD_REQUEST, "The Idempotency-Key must be message_id.revision.")


def _answers_too_long(command: SubmitMessage) -> bool:
    answers = (*command.acknowledged, *command.false_positives)
    hint = command.hint.decision if command.hint else ""
    return (
        len(answers) > MAX_ANSWERS
        or any(len(rule_id) > MAX_RULE_ID_CHARS for rule_id in answers)
        or len(hint) > MAX_DECISION_CHARS
    )


def _check_sendable(
    connection: Connection, conversation: Conversation, command: SubmitMessage
) -> None:
    send = conversation.send
    if conversation.mode is Mode.NATIVE or send is None:
        raise Refused(
            ProblemCode.READ_ONLY, "This conversation is read-only: answer it in the channel's app."
        )
    longest = min(MAX_TEXT_CHARS, send.text_max_chars)
    if len(command.text) > longest:
        raise Refused(
            ProblemCode.TOO_LARGE, f"This channel takes at most {longest} characters: shorten it."
        )
    if command.attachment_ids and not send.attachments:
        raise Refused(ProblemCode.BAD_REQUEST, "This channel takes no files.")
    if _TAKEN.first(connection, command.message_id) is not None:
        raise Refused(ProblemCode.CONFLICT, "This message was submitted before: write a new one.")
    if command.quote_message_id is not None:
        quoted = connection.execute(
            select(messages.c.message_id).where(
                messages.c.message_id == command.quote_message_id,
                messages.c.conversation_id == conversation.conversation_id,
            )
        ).first()
        if quoted is None:
            raise not_found("message to quote")


def _check_template(
    connection: Connection, me: Me, conversation: Conversation, command: SubmitMessage
) -> None:
    if command.template_id and not is_filled(
        connection, me.firm_id, command.template_id, conversation.channel, command.text
    ):
        raise Refused(
            ProblemCode.BAD_REQUEST, "The text is not that template of the channel, filled in."
        )


def _files(connection: Connection, me: Me, submission: Submission) -> tuple[Attachment, ...]:
    """Return the files to send; a file of a refused message may go with the mended one."""
    found: list[Attachment] = []
    for attachment_id in submission.command.attachment_ids:
        row = connection.execute(
            select(attachments, messages.c.state.label("holder_state"))
            .outerjoin(messages, messages.c.message_id == attachments.c.message_id)
            .where(
                attachments.c.attachment_id == attachment_id,
                attachments.c.owner_id == me.employee_id,
            )
        ).one_or_none()
        if row is None:
            raise not_found("attachment")
        if not row.complete:
            raise Refused(
                ProblemCode.ATTACHMENT_INCOMPLETE, "A file is not uploaded yet: finish it first."
            )
        if row.size_bytes > submission.most_file_bytes:
            # An import's original may be larger: it was announced for that alone.
            raise Refused(
                ProblemCode.TOO_LARGE,
                f"A file of a message may hold at most {submission.most_file_bytes} bytes.",
            )
        if row.message_id is not None and row.holder_state != DeliveryState.BLOCKED:
            raise Refused(ProblemCode.CONFLICT, "A file went with another message: upload it anew.")
        found.append(
            Attachment(
                attachment_id=attachment_id,
                name=row.name,
                media_type=row.media_type,
                size_bytes=row.size_bytes,
                sha256=row.sha256,
                scan=row.scan,
            )
        )
    return tuple(found)


def _write(
    connection: Connection,
    me: Me,
    conversation: Conversation,
    command: SubmitMessage,
    files: Sequence[Attachment],
    verdict: Verdict,
    now_utc_ms: int,
) -> Recorded:
    digests = [file.sha256 for file in files]
    salt = bytes.fromhex(command.salt)
    new = NewMessage(
        message_id=command.message_id,
        firm_id=me.firm_id,
        conversation_id=conversation.conversation_id,
        account_id=conversation.account_id,
        direction=Direction.OUT,
        text=command.text,
        author_id=me.employee_id,
        author_name=me.display_name,
        place_at_utc_ms=now_utc_ms,
        occurred_at_utc_ms=command.composed_at_utc_ms,
        entry_kind=KIND_MESSAGE_OUT,
        body=submission_body(command, digests),
        salt=salt,
        entry_id=EntryId(idempotency_key(command.message_id, command.revision)),
        revision=command.revision,
        state=verdict.state,
        quote_message_id=command.quote_message_id,
        attachment_commitments=attachment_commitments(salt, digests),
        decision_hash=verdict.decision_hash,
    )
    archived = add_message(connection, new, now_utc_ms)
    for position, file in enumerate(files):
        connection.execute(
            update(attachments)
            .where(attachments.c.attachment_id == file.attachment_id)
            .values(message_id=command.message_id, position=position)
        )
    return archived


def verdict_reply(message: Message, verdict: Verdict) -> Reply:
    """Return 202 for what may go, `policy_denied` with the findings for what may not."""
    if verdict.state is not DeliveryState.BLOCKED:
        submitted = Submitted(
            message=message, findings=verdict.findings, decision_hash=verdict.decision_hash
        )
        return Reply(202, "application/json", msgspec.json.encode(submitted))
    code = ProblemCode.POLICY_DENIED
    problem = Problem(
        type=f"urn:parley:problem:{code}",
        title="Policy denied",
        status=PROBLEM_STATUS[code],
        code=code,
        detail="The firm's policy does not let this message go. It was archived as refused.",
        findings=verdict.findings,
        message=message,
    )
    return Reply(problem.status, PROBLEM_MEDIA_TYPE, msgspec.json.encode(problem))
