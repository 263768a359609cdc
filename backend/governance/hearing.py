"""Owns whether a client may hear of what an employee does beside messages, and of changes to them.

It never judges words by itself: policy does, with the facts of now.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from backend.archive.entries import append_entry, new_salt, read_entry
from backend.archive.verify import read_envelope
from backend.directory.people import read_contacts, read_me
from backend.governance.consent_first import is_to_be_asked
from backend.governance.later import NO_ACCESS, evaluate_again
from backend.governance.policy import RunningPolicy
from backend.governance.stops import KIND_STOPPED
from backend.inbox.rendering import read_conversation
from backend.storage.change_tables import EDIT, REACT
from contract.ids import EmployeeId
from contract.policy.facts import consent_of
from contract.receipts.canonical import canonical_json
from contract.wire import ConsentKind, ConsentStatus, Conversation, Me

NOT_TO_CLIENT = "Nothing may go to this client: ask Compliance."
_GONE = frozenset({ConsentStatus.OPTED_OUT, ConsentStatus.REFUSED})


def may_hear(connection: Connection, me: Me, conversation: Conversation) -> bool:
    """Tell whether typing, read marks and reactions of an employee may reach the client.

    Not across a wall, not after an opt-out or a refusal, and not before a client whose account
    asks first has accepted: until then nothing but the question goes out.
    """
    if conversation.send is None or conversation.walled:
        return False
    if is_to_be_asked(connection, me, conversation):
        return False
    people = read_contacts(connection, me.employee_id, conversation.contact_ids)
    for person in people:
        recording, marketing = (
            consent_of(person.consents, kind, conversation.channel)
            for kind in (ConsentKind.RECORDING, ConsentKind.MARKETING)
        )
        if recording in _GONE or marketing is ConsentStatus.OPTED_OUT:
            return False
    return True


def change_stopped(
    connection: Connection, policy: RunningPolicy, change: Row[Any], now_utc_ms: int
) -> str:
    """Return why a change that waits (its row) may not be told any more; empty when it may.

    The facts of now count, as they do for a message that waits. A deletion always goes.
    """
    if change.kind == EDIT:
        return evaluate_again(connection, policy, change.message_id, now_utc_ms).reason
    if change.kind == REACT:
        return _reaction_stopped(connection, change.conversation_id, change.entry_id)
    return ""


def _reaction_stopped(connection: Connection, conversation_id: str, entry_id: str) -> str:
    entry = read_entry(connection, entry_id)
    actor_id = "" if entry is None else read_envelope(entry.leaf).actor_id
    me = read_me(connection, EmployeeId(actor_id))
    conversation = me and read_conversation(connection, me.employee_id, conversation_id)
    if not me or not conversation:
        return NO_ACCESS
    return "" if may_hear(connection, me, conversation) else NOT_TO_CLIENT


def archive_stop(
    connection: Connection, change: Row[Any], revision: int, reason: str, now_utc_ms: int
) -> None:
    """Archive that a change (its row) of a message was not told, and why."""
    append_entry(
        connection,
        kind=KIND_STOPPED,
        actor_id="backend",
        conversation_id=change.conversation_id,
        message_id=change.message_id,
        revision=revision,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json({"change": change.kind, "reason": reason}),
        firm_id=change.firm_id,
        now_utc_ms=now_utc_ms,
    )
