"""Owns unknown senders: their entering of the owned queue, and what its owners decide, archived.

It never deletes a word of theirs: a dismissed sender's messages stay in the archive, and one who
writes again is in the queue again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from backend.archive.entries import append_act
from backend.directory.assignment import able_members, accounts_looked_after, owners_of
from backend.directory.denials import denied_contacts
from backend.inbox.conversations import add_member, conversation_row
from backend.inbox.events import append_event, members_of, note_message
from backend.inbox.linking import link_sender
from backend.refusals import Refused, not_found
from backend.storage.account_tables import triage_items
from backend.storage.tables import conversation_contacts, messages
from contract.events import TriageChanged
from contract.ids import EmployeeId
from contract.problems import ProblemCode
from contract.triage import TriageAction, TriageCommand, TriageState
from contract.wire import Me

KIND_TRIAGE = "triage"
MAX_NOTE_CHARS = 1_000
_TOLD_MESSAGES = 200  # older ones come with the client's own look into history
_STATES = {
    TriageAction.CLAIM: TriageState.ASSIGNED,
    TriageAction.ASSIGN: TriageState.ASSIGNED,
    TriageAction.DISMISS: TriageState.DISMISSED,
}


def look_after(connection: Connection, conversation_id: str, now_utc_ms: int) -> bool:
    """Enter a conversation that nobody takes part in into its account's queue; true when it was.

    Whoever owns the queue is told, also when a sender who waits already wrote once more.
    """
    if members_of(connection, conversation_id):
        return False
    row = conversation_row(connection, conversation_id)
    this = triage_items.c.conversation_id == conversation_id
    known = connection.execute(select(triage_items.c.state).where(this)).scalar()
    if known is None:
        connection.execute(
            insert(triage_items).values(
                conversation_id=conversation_id,
                firm_id=row.firm_id,
                account_id=row.account_id,
                opened_at_utc_ms=now_utc_ms,
            )
        )
    elif known != TriageState.OPEN:
        connection.execute(
            update(triage_items)
            .where(this)
            .values(state=TriageState.OPEN.value, opened_at_utc_ms=now_utc_ms)
        )
    tell_owners(connection, row.account_id, row.firm_id, now_utc_ms)
    return True


def decide_triage(
    connection: Connection, me: Me, conversation_id: str, command: TriageCommand, now_utc_ms: int
) -> None:
    """Carry out an owner's decision: claim, assign to a colleague, or dismiss with a note.

    With a `contact_id` the sender becomes that client (inbox.linking). Raises Refused when the
    queue is not the asker's or a wall parts them from the sender, when somebody took the
    conversation already, or when the employee chosen may not have it.
    """
    note = command.note.strip()
    if len(note) > MAX_NOTE_CHARS:
        raise Refused(ProblemCode.BAD_REQUEST, "The note is too long.")
    if command.action is TriageAction.DISMISS and not note:
        raise Refused(ProblemCode.BAD_REQUEST, "Say why the sender is dismissed.")
    if command.action is TriageAction.DISMISS and command.contact_id:
        raise Refused(ProblemCode.BAD_REQUEST, "Somebody who is dismissed is linked to no client.")
    row = _mine(connection, me, conversation_id)
    if row.state == TriageState.ASSIGNED and members_of(connection, conversation_id):
        raise Refused(ProblemCode.CONFLICT, "Somebody has taken this sender over already.")
    linked = _linked(connection, me, conversation_id, command.contact_id, now_utc_ms)
    chosen = _chosen(connection, me, row, command)
    connection.execute(
        update(triage_items)
        .where(triage_items.c.conversation_id == conversation_id)
        .values(
            state=_STATES[command.action].value,
            decided_by=me.employee_id,
            decided_at_utc_ms=now_utc_ms,
            assigned_to=chosen,
            note=note,
        )
    )
    told = {"account": row.account_id, "action": command.action.value, "note": note, "to": chosen}
    _archive(connection, me, row, told | linked, now_utc_ms)
    if chosen:
        _give(connection, conversation_id, chosen, now_utc_ms)
    tell_owners(connection, row.account_id, row.firm_id, now_utc_ms)


def candidates(connection: Connection, row: Row[Any]) -> tuple[str, ...]:
    """Return who may be given an unknown sender: who writes from the account, and no wall parts."""
    return tuple(
        each
        for each in able_members(connection, row.account_id)
        if not _walled(connection, each, row.conversation_id)
    )


def tell_owners(
    connection: Connection,
    account_id: str,
    firm_id: str,
    now_utc_ms: int,
    others: Collection[str] = (),
) -> None:
    """Tell those who look after an account how many unknown senders wait for them now.

    `others` are told, too: those who do so no longer.
    """
    for one in sorted({*owners_of(connection, account_id), *others}):
        pending = pending_count(connection, one, firm_id)
        append_event(connection, EmployeeId(one), TriageChanged(pending=pending), now_utc_ms)


def pending_count(connection: Connection, employee_id: str, firm_id: str) -> int:
    """Return how many unknown senders wait that an employee looks after and may see."""
    columns = triage_items.c
    waiting = connection.execute(
        select(columns.conversation_id).where(
            columns.account_id.in_(accounts_looked_after(connection, employee_id, firm_id)),
            columns.state == TriageState.OPEN.value,
        )
    ).scalars()
    return len(seen_by(connection, employee_id, waiting.all()))


def seen_by(
    connection: Connection, employee_id: str, conversation_ids: Collection[str]
) -> frozenset[str]:
    """Return those of some conversations from whose people no wall parts an employee."""
    people = conversation_contacts.c
    pairs = connection.execute(
        select(people.conversation_id, people.contact_id).where(
            people.conversation_id.in_(list(conversation_ids))
        )
    ).all()
    denied = denied_contacts(connection, employee_id, {pair.contact_id for pair in pairs})
    walled = {pair.conversation_id for pair in pairs if pair.contact_id in denied}
    return frozenset(conversation_ids) - walled


def _mine(connection: Connection, me: Me, conversation_id: str) -> Row[Any]:
    columns = triage_items.c
    row = connection.execute(
        select(triage_items).where(
            columns.conversation_id == conversation_id, columns.firm_id == me.firm_id
        )
    ).one_or_none()
    if row is None or me.employee_id not in owners_of(connection, row.account_id):
        raise not_found("unknown sender")
    if _walled(connection, me.employee_id, conversation_id):
        raise not_found("unknown sender")
    return row


def _linked(
    connection: Connection, me: Me, conversation_id: str, contact_id: str, now_utc_ms: int
) -> dict[str, str]:
    """Make the sender a client of the book where one is named; return what the archive holds."""
    if not contact_id:
        return {}
    was = link_sender(connection, me, conversation_id, contact_id, now_utc_ms)
    return {"client": contact_id, "was": was}


def _chosen(connection: Connection, me: Me, row: Row[Any], command: TriageCommand) -> str:
    """Return who gets the conversation, empty when it is dismissed."""
    if command.action is TriageAction.DISMISS:
        return ""
    if command.action is TriageAction.CLAIM:
        return me.employee_id
    if command.employee_id not in candidates(connection, row):
        raise Refused(
            ProblemCode.BAD_REQUEST, "Choose somebody who writes from this account to clients."
        )
    return command.employee_id


def _walled(connection: Connection, employee_id: str, conversation_id: str) -> bool:
    return not seen_by(connection, employee_id, [conversation_id])


def _give(connection: Connection, conversation_id: str, employee_id: str, now_utc_ms: int) -> None:
    """Make the employee take part, with the messages that came before them."""
    add_member(connection, conversation_id, employee_id, now_utc_ms)
    columns = messages.c
    newest = connection.execute(
        select(columns.message_id)
        .where(columns.conversation_id == conversation_id)
        .order_by(columns.place_at_utc_ms.desc(), columns.place_index.desc())
        .limit(_TOLD_MESSAGES)
    ).scalars()
    for message_id in reversed(newest.all()):
        note_message(connection, message_id, now_utc_ms)


def _archive(
    connection: Connection,
    me: Me,
    row: Row[Any],
    told: Mapping[str, str],
    now_utc_ms: int,
) -> None:
    append_act(
        connection,
        kind=KIND_TRIAGE,
        actor_id=me.employee_id,
        told=dict(told),
        conversation_id=row.conversation_id,
        firm_id=row.firm_id,
        now_utc_ms=now_utc_ms,
    )
