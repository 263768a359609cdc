"""Owns the evaluations after the first: at an approval, before delivery, at a fire time.

It never changes a message: it says what today's facts and bundle say of it.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, func, insert, select

from backend.archive.entries import read_entry
from backend.directory.people import read_me
from backend.governance.attachments import inspected_attachments
from backend.governance.consent_first import with_consent_first
from backend.governance.facts import Content, ground_of
from backend.governance.findings import sealed, sender_findings
from backend.governance.policy import RunningPolicy
from backend.inbox.messages import message_row
from backend.inbox.rendering import message_attachments, read_conversation
from backend.storage.supervision_tables import later_decisions
from backend.storage.tables import jobs
from contract.ids import idempotency_key, uuid7
from contract.policy.model import Action, Decision
from contract.wire import Conversation, WireFinding

CAUSE_APPROVAL = "approval"
CAUSE_DELIVERY = "delivery"
NO_ACCESS = "Its author has no access to this conversation any more."
BLOCKED_BY_POLICY = "The firm's policy does not let this message go any more."


class _Body(msgspec.Struct):
    template: str = ""


class Again(NamedTuple):
    """What an evaluation says now; `reason` is empty unless the message must not go.

    `decision` is None when its author may not write there any more.
    """

    decision: Decision | None
    findings: tuple[WireFinding, ...]
    reason: str

    @property
    def hash(self) -> str:
        """Return the decision's hash, empty without one."""
        return "" if self.decision is None else self.decision.decision_hash()


def evaluate_again(
    connection: Connection, policy: RunningPolicy, message_id: str, now_utc_ms: int
) -> Again:
    """Evaluate a message as its author would submit it at a time, which may lie ahead."""
    row = message_row(connection, message_id)
    me = read_me(connection, row.author_id)
    conversation = None
    if me is not None:
        conversation = read_conversation(connection, me.employee_id, row.conversation_id)
    if me is None or conversation is None:
        return Again(None, (), NO_ACCESS)
    content = _content(connection, row)
    conversation = _as_unsent(connection, conversation)
    ground = ground_of(connection, me, conversation, content, now_utc_ms)
    decision = with_consent_first(connection, me, conversation, policy.enforce(*ground))
    decision = sealed(decision)
    findings = sender_findings(policy, decision, me.language)
    reason = ""
    if decision.action is Action.BLOCK:
        told = (finding.message for finding in findings if finding.action == Action.BLOCK.value)
        reason = next(told, "") or BLOCKED_BY_POLICY
    return Again(decision, findings, reason)


def keep_again(
    connection: Connection,
    firm_id: str,
    message_id: str,
    cause: str,
    again: Again,
    entry_id: str,
    now_utc_ms: int,
) -> None:
    """Keep a later decision, with the archive entry that holds its hash."""
    if again.decision is None:
        return
    connection.execute(
        insert(later_decisions).values(
            later_id=uuid7(now_utc_ms, os.urandom(10)),
            firm_id=firm_id,
            message_id=message_id,
            cause=cause,
            action=again.decision.action.value,
            decision_hash=again.hash,
            decision=msgspec.json.encode(again.decision),
            entry_id=entry_id,
            decided_at_utc_ms=now_utc_ms,
        )
    )


def _content(connection: Connection, row: Row[Any]) -> Content:
    files = message_attachments(connection, [row.message_id])[row.message_id]
    return Content(
        text=row.text,
        files=inspected_attachments(connection, files),
        quote_message_id=row.quote_message_id,
        template_id=_template_of(connection, row),
    )


def _template_of(connection: Connection, row: Row[Any]) -> str:
    """Return the template a message was submitted as: its archived body tells."""
    entry = read_entry(connection, idempotency_key(row.message_id, row.revision))
    if entry is None or entry.body is None:
        return ""
    return msgspec.json.decode(entry.body, type=_Body).template


def _as_unsent(connection: Connection, conversation: Conversation) -> Conversation:
    """Return a conversation whose window has not been used by what still waits to be sent."""
    left = conversation.window_messages_left
    if left is None:
        return conversation
    waiting = connection.execute(
        select(func.count()).where(
            jobs.c.conversation_id == conversation.conversation_id,
            jobs.c.state != "done",
        )
    ).scalar_one()
    return msgspec.structs.replace(conversation, window_messages_left=left + waiting)
