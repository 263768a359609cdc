"""What the owners of a pooled account see of unknown senders, and what they decide about them.

It never holds a rule: who owns which queue is enforced by the backend.
All times are Unix milliseconds in UTC.
"""

from __future__ import annotations

from enum import StrEnum

from contract.ids import AccountId, ContactId, ConversationId, EmployeeId
from contract.values import Channel, Colleague, Command, Direction, MessageKind, Wire


class TriageState(StrEnum):
    """Where an unknown sender stands; a dismissed one who writes again is open again."""

    OPEN = "open"
    ASSIGNED = "assigned"
    DISMISSED = "dismissed"


class TriageAction(StrEnum):
    """What an owner does with an unknown sender."""

    CLAIM = "claim"
    ASSIGN = "assign"
    DISMISS = "dismiss"


class TriageMessage(Wire):
    """One message of an unknown sender, or the notice that went to them; files by name."""

    direction: Direction
    kind: MessageKind
    text: str
    at_utc_ms: int
    author_name: str = ""
    files: tuple[str, ...] = ()


class TriageItem(Wire):
    """Somebody who wrote to a pooled number and whom no employee's book knows.

    `title` is the name the sender shows, `label` their masked address, `account_label` what they
    wrote to. `messages` are the newest, oldest first, of `message_count`. `candidates` may be
    given the conversation; `waits_since_utc_ms` is when it came into the queue.
    """

    conversation_id: ConversationId
    account_id: AccountId
    account_label: str
    channel: Channel
    title: str
    label: str
    waits_since_utc_ms: int
    state: TriageState = TriageState.OPEN
    group: bool = False
    initials: str = ""
    color: int = 0
    message_count: int = 0
    messages: tuple[TriageMessage, ...] = ()
    candidates: tuple[Colleague, ...] = ()
    decided_by: str = ""
    decided_at_utc_ms: int | None = None
    assigned_to: str = ""
    note: str = ""


class TriagePage(Wire):
    """The asker's queue, oldest first; `owner` tells whether they look after any account."""

    items: tuple[TriageItem, ...]
    pending: int = 0
    owner: bool = False
    next_cursor: str = ""


class TriageCommand(Command):
    """An owner's decision; `employee_id` is who gets an assigned conversation.

    `contact_id` names a client of the decider's own book who the sender is: the addresses become
    theirs. A dismissal needs a note: it stands in the archive beside the messages, and these stay.
    """

    action: TriageAction
    employee_id: EmployeeId = EmployeeId("")
    contact_id: ContactId = ContactId("")
    note: str = ""
