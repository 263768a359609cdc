"""What supervisors and Compliance see and decide: approvals, reviews, templates, account keys.

It never holds a rule: who may decide what is enforced by the backend.
All times are Unix milliseconds in UTC.
"""

from __future__ import annotations

from enum import StrEnum

from contract.ids import ConversationId, EmployeeId, MessageId
from contract.values import Attachment, Channel, Command, Wire
from contract.wire import WireFinding


class ApprovalState(StrEnum):
    """Where a held message stands; all but `pending` are final."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class ReviewKind(StrEnum):
    """Why something stands in Compliance's review queue."""

    RULE_SAMPLE = "rule_sample"
    RANDOM_SAMPLE = "random_sample"
    OVERRIDE = "override"
    INCIDENT = "incident"
    FALSE_POSITIVE = "false_positive"
    CAPTURE_GAP = "capture_gap"


class ReviewStep(StrEnum):
    """What a reviewer does with an item; `cleared` and `coached` close it."""

    COMMENTED = "commented"
    ESCALATED = "escalated"
    COACHED = "coached"
    CLEARED = "cleared"


CLOSING_STEPS = frozenset({ReviewStep.CLEARED, ReviewStep.COACHED})


class Approval(Wire):
    """A message held for a supervisor; `approval_id` is `message_id.revision`.

    `note` is the supervisor's word to the author, `justification` the author's own reason.
    """

    approval_id: str
    conversation_id: ConversationId
    message_id: MessageId
    author_id: EmployeeId
    author_name: str
    title: str
    channel: Channel
    text: str
    held_at_utc_ms: int
    expires_at_utc_ms: int
    state: ApprovalState = ApprovalState.PENDING
    attachments: tuple[Attachment, ...] = ()
    findings: tuple[WireFinding, ...] = ()
    justification: str = ""
    decided_by: str = ""
    decided_at_utc_ms: int | None = None
    note: str = ""


class ApprovalPage(Wire):
    """Approvals the asking supervisor may decide, oldest first; `pending` counts the open ones."""

    approvals: tuple[Approval, ...]
    pending: int = 0
    next_cursor: str = ""


class ApprovalVerdict(Command):
    """A supervisor's decision; a rejection needs a note, which its author reads."""

    approve: bool
    note: str = ""


class ReviewEntry(Wire):
    """One logged step of a review: reviewer, date, action; its archive entry is `entry_id`."""

    reviewer_id: EmployeeId
    reviewer_name: str
    step: ReviewStep
    at_utc_ms: int
    entry_id: str
    note: str = ""


class ReviewItem(Wire):
    """One thing Compliance is asked to look at; `closed` once a step closed it.

    `employee_id` wrote the message, `rule_ids` are the rules concerned, `justification` is the
    author's reason and `detail` what else there is to know. A capture gap has no message.
    """

    review_id: str
    kind: ReviewKind
    created_at_utc_ms: int
    closed: bool = False
    rule_ids: tuple[str, ...] = ()
    bundle_version: str = ""
    action: str = ""
    conversation_id: str = ""
    message_id: str = ""
    employee_id: str = ""
    employee_name: str = ""
    title: str = ""
    channel: str = ""
    text: str = ""
    justification: str = ""
    detail: str = ""
    findings: tuple[WireFinding, ...] = ()
    steps: tuple[ReviewEntry, ...] = ()


class ReviewPage(Wire):
    """The review queue, oldest first; `open` counts what no step has closed."""

    reviews: tuple[ReviewItem, ...]
    open: int = 0
    next_cursor: str = ""


class ReviewCommand(Command):
    """One step of a review; only this is a review, opening an item is not (FINRA 3110)."""

    step: ReviewStep
    note: str = ""


class Template(Wire):
    """A text the channel approved for use outside its reply window.

    `body` holds the places `{{1}}` … `{{parameters}}` that the sender fills.
    """

    template_id: str
    channel: Channel
    language: str
    name: str
    body: str
    parameters: int = 0


class TemplateList(Wire):
    """The firm's approved templates, by name."""

    templates: tuple[Template, ...]


class AccountKeys(Wire):
    """Keyed hashes of the accounts of the employee's own book, for the wrong-client guard.

    `key` is the firm's, `hashes` holds contract.policy's `account_hash` values by conversation;
    `version` grows with every change.
    """

    version: int
    key: str
    hashes: dict[str, tuple[str, ...]]
