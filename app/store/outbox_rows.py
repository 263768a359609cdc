"""Turns outbox entries and drafts into rows of the outbox file, and back.

It never commits; callers choose what belongs into one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, text

from app.domain.drafts import Draft
from app.domain.timeline import OutboxEntry
from app.store.outbox_tables import outbox
from contract.ids import AttachmentId, ConversationId, MessageId
from contract.states import OutboxState
from contract.wire import WireFinding

_INSERT = outbox.insert()
_BY_ID = text("SELECT * FROM outbox WHERE message_id = :id")
_UPDATE = text(
    "UPDATE outbox SET state = :state, attempts = :attempts, undo_until_utc_ms ="
    " :undo_until_utc_ms, next_attempt_utc_ms = :next_attempt_utc_ms, problem_code ="
    " :problem_code, problem_detail = :problem_detail, findings = :findings"
    " WHERE message_id = :message_id"
)
_DELETE = text("DELETE FROM outbox WHERE message_id = :id")
_DRAFT = text("SELECT * FROM drafts WHERE conversation_id = :id")
_PUT_DRAFT = text(
    "INSERT OR REPLACE INTO drafts (conversation_id, text, quote_message_id, attachment_ids,"
    " saved_at_utc_ms, justification, acknowledged, false_positives, template_id)"
    " VALUES (:conversation_id, :text, :quote_message_id, :attachment_ids, :saved_at_utc_ms,"
    " :justification, :acknowledged, :false_positives, :template_id)"
)
_DROP_DRAFT = text("DELETE FROM drafts WHERE conversation_id = :id")

_encode_findings = msgspec.json.Encoder().encode
_decode_findings = msgspec.json.Decoder(tuple[WireFinding, ...]).decode


def storable(typed: str) -> str:
    """Return text SQLite can hold: half a surrogate pair, as some input methods leave, is `?`."""
    return typed if typed.isascii() else typed.encode("utf-8", "replace").decode()


def insert_entry(connection: Connection, entry: OutboxEntry) -> None:
    """Write a new entry behind all others."""
    connection.execute(_INSERT, _values(entry))


def get_entry(connection: Connection, message_id: str) -> OutboxEntry | None:
    """Return one entry or None."""
    row = connection.execute(_BY_ID, {"id": message_id}).mappings().one_or_none()
    return None if row is None else entry_of(row)


def update_entry(connection: Connection, entry: OutboxEntry) -> None:
    """Replace what may change in an entry: state, attempts, times, problem and findings."""
    connection.execute(_UPDATE, _values(entry))


def delete_entry(connection: Connection, message_id: str) -> None:
    """Remove an entry; nothing happens when it is gone."""
    connection.execute(_DELETE, {"id": message_id})


def entry_of(row: RowMapping) -> OutboxEntry:
    """Return the entry of one row of all columns."""
    quote = row["quote_message_id"]
    return OutboxEntry(
        message_id=MessageId(row["message_id"]),
        revision=row["revision"],
        conversation_id=ConversationId(row["conversation_id"]),
        text=row["text"],
        salt=row["salt"],
        state=OutboxState(row["state"]),
        composed_at_utc_ms=row["composed_at_utc_ms"],
        undo_until_utc_ms=row["undo_until_utc_ms"],
        attempts=row["attempts"],
        next_attempt_utc_ms=row["next_attempt_utc_ms"],
        quote_message_id=None if quote is None else MessageId(quote),
        attachment_ids=_ids(row["attachment_ids"]),
        justification=row["justification"],
        hint_json=bytes(row["hint_json"]),
        problem_code=row["problem_code"],
        problem_detail=row["problem_detail"],
        findings=_decode_findings(row["findings"]),
        acknowledged=_words(row["acknowledged"]),
        false_positives=_words(row["false_positives"]),
        template_id=row["template_id"],
        several=row["several"],
    )


def get_draft(connection: Connection, conversation_id: str) -> Draft | None:
    """Return a conversation's draft or None."""
    row = connection.execute(_DRAFT, {"id": conversation_id}).mappings().one_or_none()
    if row is None:
        return None
    quote = row["quote_message_id"]
    return Draft(
        conversation_id=ConversationId(row["conversation_id"]),
        text=row["text"],
        quote_message_id=None if quote is None else MessageId(quote),
        attachment_ids=_ids(row["attachment_ids"]),
        saved_at_utc_ms=row["saved_at_utc_ms"],
        justification=row["justification"],
        acknowledged=_words(row["acknowledged"]),
        false_positives=_words(row["false_positives"]),
        template_id=row["template_id"],
    )


def put_draft(connection: Connection, draft: Draft) -> None:
    """Write a draft in place of the former; one without text, quote and files removes it."""
    if not (draft.text or draft.quote_message_id or draft.attachment_ids):
        drop_draft(connection, draft.conversation_id)
        return
    connection.execute(
        _PUT_DRAFT,
        {
            "conversation_id": draft.conversation_id,
            "text": storable(draft.text),
            "quote_message_id": draft.quote_message_id,
            "attachment_ids": json.dumps(draft.attachment_ids),
            "saved_at_utc_ms": draft.saved_at_utc_ms,
            "justification": storable(draft.justification),
            "acknowledged": storable(json.dumps(draft.acknowledged, ensure_ascii=False)),
            "false_positives": storable(json.dumps(draft.false_positives, ensure_ascii=False)),
            "template_id": draft.template_id,
        },
    )


def drop_draft(connection: Connection, conversation_id: str) -> None:
    """Remove a draft; nothing happens when there is none."""
    connection.execute(_DROP_DRAFT, {"id": conversation_id})


def merged_draft(entry: OutboxEntry, draft: Draft | None, now_utc_ms: int) -> Draft:
    """Return a draft that holds a taken-back entry before what was typed since."""
    later = "" if draft is None else draft.text
    quote = entry.quote_message_id
    files: Sequence[AttachmentId] = ()
    answers = (entry.justification, entry.acknowledged, entry.false_positives)
    if draft is not None:
        answers = (
            entry.justification or draft.justification,
            tuple(dict.fromkeys((*entry.acknowledged, *draft.acknowledged))),
            tuple(dict.fromkeys((*entry.false_positives, *draft.false_positives))),
        )
        quote = quote or draft.quote_message_id
        files = tuple(each for each in draft.attachment_ids if each not in entry.attachment_ids)
    return Draft(
        conversation_id=entry.conversation_id,
        text=f"{entry.text}\n\n{later}" if later.strip() else entry.text,
        quote_message_id=quote,
        attachment_ids=(*entry.attachment_ids, *files),
        saved_at_utc_ms=now_utc_ms,
        justification=answers[0],
        acknowledged=answers[1],
        false_positives=answers[2],
        template_id="" if later.strip() else entry.template_id,
    )


def joined_draft(draft: Draft | None, addition: Draft) -> Draft:
    """Return a draft that holds `addition` on new lines behind what was there."""
    if draft is None:
        return addition
    here = draft.text.rstrip()
    known = frozenset(draft.attachment_ids)
    return Draft(
        conversation_id=addition.conversation_id,
        text=f"{here}\n{addition.text}" if here else addition.text,
        quote_message_id=draft.quote_message_id or addition.quote_message_id,
        attachment_ids=(
            *draft.attachment_ids,
            *(each for each in addition.attachment_ids if each not in known),
        ),
        saved_at_utc_ms=addition.saved_at_utc_ms,
        justification=draft.justification,
        acknowledged=draft.acknowledged,
        false_positives=draft.false_positives,
    )


def _ids(packed: str) -> tuple[AttachmentId, ...]:
    return tuple(AttachmentId(each) for each in json.loads(packed))


def _words(packed: str) -> tuple[str, ...]:
    return tuple(str(each) for each in json.loads(packed))


def _values(entry: OutboxEntry) -> dict[str, Any]:
    return {
        "message_id": entry.message_id,
        "revision": entry.revision,
        "conversation_id": entry.conversation_id,
        "text": storable(entry.text),
        "salt": entry.salt,
        "state": entry.state.value,
        "composed_at_utc_ms": entry.composed_at_utc_ms,
        "undo_until_utc_ms": entry.undo_until_utc_ms,
        "attempts": entry.attempts,
        "next_attempt_utc_ms": entry.next_attempt_utc_ms,
        "quote_message_id": entry.quote_message_id,
        "attachment_ids": json.dumps(entry.attachment_ids),
        "justification": storable(entry.justification),
        "hint_json": entry.hint_json,
        "problem_code": entry.problem_code,
        "problem_detail": storable(entry.problem_detail),
        "findings": _encode_findings(entry.findings),
        "acknowledged": json.dumps(entry.acknowledged),
        "false_positives": json.dumps(entry.false_positives),
        "template_id": entry.template_id,
        "several": entry.several,
    }
