"""Owns the values that pre-send policy reads and returns: drafts, facts, findings, decisions.

It does not evaluate anything, and it never holds a clock, a file or a connection.
"""

from __future__ import annotations

import functools
import hashlib
from enum import Enum

import msgspec

from contract.wire import ConsentStatus

EVALUATOR_VERSION = "1"
"""Rises whenever the same bundle, facts and draft could give another decision."""

_DRAFT_TAG = b"parley.policy.draft.v1\n"
_FACTS_TAG = b"parley.policy.facts.v1\n"
_DECISION_TAG = b"parley.policy.decision.v1\n"


@functools.total_ordering
class Action(Enum):
    """What a rule asks for, ordered from the mildest to the most restrictive."""

    ALLOW = "allow"
    LOG = "log"
    HINT = "hint"
    WARN = "warn"
    JUSTIFY = "justify"
    APPROVE = "approve"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """Return the place in the order of severity, 0 for allow."""
        return _ACTION_RANK[self]

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Action):
            return NotImplemented
        return self.rank < other.rank


_ACTION_RANK: dict[Action, int] = {action: rank for rank, action in enumerate(Action)}


class OverrideKind(Enum):
    """How a sender may go on against a finding, named as in Microsoft Graph."""

    NOT_ALLOWED = "notAllowed"
    FALSE_POSITIVE = "allowFalsePositiveOverride"
    WITH_JUSTIFICATION = "allowWithJustification"
    WITH_ACKNOWLEDGEMENT = "allowWithAcknowledgement"
    WITHOUT_JUSTIFICATION = "allowWithoutJustification"

    @property
    def rank(self) -> int:
        """Return the place in the order of freedom, 0 for the strictest."""
        return _OVERRIDE_RANK[self]


_OVERRIDE_RANK: dict[OverrideKind, int] = {kind: rank for rank, kind in enumerate(OverrideKind)}


class Scope(Enum):
    """Where a rule may be known: on both sides, or on the server alone."""

    BOTH = "both"
    SERVER = "server"


class FixKind(Enum):
    """The ways in which a finding can be mended in the text."""

    MASK = "mask"
    REMOVE = "remove"
    REPLACE = "replace"
    ADD_DISCLAIMER = "add_disclaimer"


class Inspection(Enum):
    """What is known of an attachment's content; unread is never the same as clean."""

    NOT_EVALUATED = "not_evaluated"
    CLEAN = "clean"
    FLAGGED = "flagged"


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """One person a draft goes to, at one address of one channel."""

    contact_id: str
    contact_point_id: str


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """What policy may know of an attached file: never its bytes."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    inspection: Inspection = Inspection.NOT_EVALUATED


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The text about to be sent, with where it goes.

    `channel` is the channel's wire name such as "whatsapp". `template_id` is not empty when
    the text is an approved template of that channel. `language` chooses the language of the
    findings' words and is no part of any hash.
    """

    text: str
    conversation_id: str
    channel: str
    recipients: tuple[Recipient, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    template_id: str = ""
    language: str = "en"


class ContactPointFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Consent, opt-out and reply window of one contact point.

    `window_closes_at_utc_ms` is None when the channel has no window or it is not known, and 0
    when the client has not written yet. `window_messages_left` is None without such a limit.
    """

    contact_point_id: str
    version: int = 0
    recording_notice: ConsentStatus = ConsentStatus.NOT_ASKED
    opt_in: ConsentStatus = ConsentStatus.NOT_ASKED
    opted_out: bool = False
    window_closes_at_utc_ms: int | None = None
    window_messages_left: int | None = None


class WallFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The contacts this employee may not write to, and the reference to quote to Compliance."""

    version: int = 0
    denied_contact_ids: frozenset[str] = frozenset()
    reference: str = ""


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Keyed hashes (`account_hash`) of accounts that belong to the open conversation's clients."""

    version: int = 0
    key: str = ""
    client_hashes: frozenset[str] = frozenset()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything changeable a decision rests on; `version` only grows per employee.

    `now_utc_ms` is the evaluation's time, given by the caller: no rule reads a clock. It is
    left out of `facts_hash`, so that both sides can agree on equal facts.
    """

    now_utc_ms: int
    version: int = 0
    contact_points: tuple[ContactPointFacts, ...] = ()
    walls: WallFacts = WallFacts()
    accounts: AccountFacts = AccountFacts()


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One way to mend a finding: `replacement` is what stands in the span's place afterwards."""

    kind: FixKind
    label: str
    replacement: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's hit: where, how sure, what it asks for, and how to mend it.

    `start` and `end` count Unicode code points of the draft's own text; both are 0 when the
    finding is about the recipient and not about words. `message` and `detail` are in the
    draft's language; `why` names the regulation, for behind "Why?".
    """

    rule_id: str
    action: Action
    confidence: int
    message_key: str
    message: str
    start: int = 0
    end: int = 0
    detail: str = ""
    category: str = ""
    why: str = ""
    fixes: tuple[Fix, ...] = ()
    override_kind: OverrideKind = OverrideKind.NOT_ALLOWED
    scope: Scope = Scope.BOTH

    def canonical(self) -> list[object]:
        """Return the language-free part that both sides must agree on."""
        fixes = [[fix.kind.value, fix.replacement] for fix in self.fixes]
        return [
            self.rule_id,
            self.start,
            self.end,
            self.confidence,
            self.action.value,
            self.message_key,
            fixes,
            self.override_kind.value,
        ]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one draft; findings stand most severe first, then by place."""

    evaluator_version: str
    bundle_version: str
    bundle_hash: str
    facts_hash: str
    draft_hash: str
    findings: tuple[Finding, ...]
    action: Action
    override_kind: OverrideKind

    def canonical_bytes(self) -> bytes:
        """Return the bytes that `decision_hash` covers: the same on every side and machine."""
        return _DECISION_TAG + _json(
            [
                self.evaluator_version,
                self.bundle_version,
                self.bundle_hash,
                self.facts_hash,
                self.draft_hash,
                [finding.canonical() for finding in self.findings],
                self.action.value,
                self.override_kind.value,
            ]
        )

    def decision_hash(self) -> str:
        """Return the SHA-256 of `canonical_bytes` as 64 hex digits, for the archive's leaf."""
        return hashlib.sha256(self.canonical_bytes()).hexdigest()


def draft_hash(draft: Draft) -> str:
    """Return the SHA-256 (hex) of a draft: exact text, place, recipients, attachments."""
    text_sha256 = hashlib.sha256(draft.text.encode("utf-8", "surrogatepass")).hexdigest()
    content = [
        text_sha256,
        draft.conversation_id,
        draft.channel,
        draft.template_id,
        [[to.contact_id, to.contact_point_id] for to in draft.recipients],
        [[item.sha256, item.size_bytes, item.media_type] for item in draft.attachments],
    ]
    return hashlib.sha256(_DRAFT_TAG + _json(content)).hexdigest()


def facts_hash(facts: Facts) -> str:
    """Return the SHA-256 (hex) of all facts but the time of evaluation."""
    points = sorted(facts.contact_points, key=lambda point: point.contact_point_id)
    content = [facts.version, points, facts.walls, facts.accounts]
    return hashlib.sha256(_FACTS_TAG + _json(content)).hexdigest()


def _json(value: object) -> bytes:
    return msgspec.json.encode(value, order="deterministic")
