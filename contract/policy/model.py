"""Owns the values that pre-send policy reads and returns: drafts, findings, decisions.

It does not evaluate anything, and it never holds a clock, a file or a connection; facts stand
in fact_values, whose names it hands on.
"""

from __future__ import annotations

import functools
import hashlib
from enum import Enum

import msgspec

from contract.policy.fact_values import AccountFacts as AccountFacts
from contract.policy.fact_values import ContactPointFacts as ContactPointFacts
from contract.policy.fact_values import Facts as Facts
from contract.policy.fact_values import GiftFacts as GiftFacts
from contract.policy.fact_values import ReachFacts as ReachFacts
from contract.policy.fact_values import WallFacts as WallFacts
from contract.policy.fact_values import facts_hash as facts_hash

EVALUATOR_VERSION = "2"
"""Rises whenever the same bundle, facts and draft could give another decision."""

_DRAFT_TAG = b"parley.policy.draft.v2\n"
_DECISION_TAG = b"parley.policy.decision.v2\n"
_SEALED_TAG = b"parley.policy.decision.sealed.v1\n"


@functools.total_ordering
class Action(Enum):
    """What a rule asks for, ordered from the mildest to the most restrictive."""

    __hash__ = object.__hash__  # many a look-up at every keystroke

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
    MOVE = "move"


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
    """What policy may know of an attached file: never its bytes.

    `text` is what inspection could read of it, cut short when `truncated`; `reason` is the
    machine code of what kept inspection from more. `type_mismatch` tells that the content is
    not of the type that the name or the sender says.
    """

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    inspection: Inspection = Inspection.NOT_EVALUATED
    text: str = ""
    encrypted: bool = False
    executable: bool = False
    type_mismatch: bool = False
    truncated: bool = False
    reason: str = ""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The text about to be sent, with where it goes.

    `channel` is the channel's wire name such as "whatsapp". `template_id` is not empty when
    the text is an approved template of that channel. `quoted_text` is the message answered.
    `mentions` and `forwarded_from` are contact ids: who is mentioned, whose words are passed on.
    `on_behalf_of` is the employee a delegate writes for. `several` is how many people the text
    goes to as separate chats, 0 for this one alone. `language` chooses the language of the
    findings' words and is no part of any hash.
    """

    text: str
    conversation_id: str
    channel: str
    recipients: tuple[Recipient, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    template_id: str = ""
    language: str = "en"
    quoted_text: str = ""
    mentions: tuple[str, ...] = ()
    forwarded_from: tuple[str, ...] = ()
    on_behalf_of: str = ""
    several: int = 0


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One way to mend a finding: `replacement` is what stands in the span's place afterwards.

    For add_disclaimer it is what is added, for move the conversation the draft belongs in.
    """

    kind: FixKind
    label: str
    replacement: str = ""

    def canonical_replacement(self) -> str:
        """Return the replacement where it is the same in every language, else nothing."""
        return "" if self.kind is FixKind.ADD_DISCLAIMER else self.replacement


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's hit: where, how sure, what it asks for, and how to mend it.

    `start` and `end` count Unicode code points of the draft's own text, or of the text of the
    attachment whose SHA-256 is in `attachment`; both are 0 when the finding is not about words.
    `contact_ids` are the recipients concerned, empty when all are. `message` and `detail` are
    in the draft's language; `why` names the regulation, for behind "Why?".
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
    attachment: str = ""
    contact_ids: tuple[str, ...] = ()

    def canonical(self) -> list[object]:
        """Return the language-free part that both sides must agree on."""
        fixes = [[fix.kind.value, fix.canonical_replacement()] for fix in self.fixes]
        return [
            self.rule_id,
            self.start,
            self.end,
            self.confidence,
            self.action.value,
            self.message_key,
            fixes,
            self.override_kind.value,
            self.attachment,
            self.contact_ids,
        ]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one draft; findings stand most severe first, then by place.

    `justification` is the sender's reason for going on against them, kept with the decision.
    `salt` (64 random hex digits) is set by the server on what it archives: see canonical_bytes.
    """

    evaluator_version: str
    bundle_version: str
    bundle_hash: str
    facts_hash: str
    draft_hash: str
    findings: tuple[Finding, ...]
    action: Action
    override_kind: OverrideKind
    justification: str = ""
    salt: str = ""

    def canonical_bytes(self) -> bytes:
        """Return the bytes that `decision_hash` covers: the same on every side and machine.

        With a salt they tell nothing of rules that only the server knows, not even whether one
        of them found something: a salted hash stands for all of that in every such decision.
        """
        if self.salt:
            return _SEALED_TAG + _json(self._sealed_form())
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
                _sha256(self.justification) if self.justification else "",
            ]
        )

    def _sealed_form(self) -> list[object]:
        """Return what everybody may read, and the commitment to the rest."""
        silent = self.action is Action.LOG
        kept = [one.canonical() for one in self.findings if one.scope is Scope.SERVER]
        withheld = _json([self.facts_hash, kept, self.action.value, self.override_kind.value])
        return [
            self.evaluator_version,
            self.bundle_version,
            self.bundle_hash,
            "",
            self.draft_hash,
            [one.canonical() for one in self.findings if one.scope is Scope.BOTH],
            (Action.ALLOW if silent else self.action).value,
            (OverrideKind.WITHOUT_JUSTIFICATION if silent else self.override_kind).value,
            _sha256(self.justification) if self.justification else "",
            hashlib.sha256(bytes.fromhex(self.salt) + withheld).hexdigest(),
        ]

    def decision_hash(self) -> str:
        """Return the SHA-256 of `canonical_bytes` as 64 hex digits, for the archive's leaf."""
        return hashlib.sha256(self.canonical_bytes()).hexdigest()


def draft_hash(draft: Draft) -> str:
    """Return the SHA-256 (hex) of a draft: exact words, place, recipients, attachments."""
    content = [
        _sha256(draft.text),
        draft.conversation_id,
        draft.channel,
        draft.template_id,
        [[to.contact_id, to.contact_point_id] for to in draft.recipients],
        [_attachment_content(item) for item in draft.attachments],
        _sha256(draft.quoted_text) if draft.quoted_text else "",
        draft.mentions,
        draft.forwarded_from,
        draft.on_behalf_of,
        draft.several,
    ]
    return hashlib.sha256(_DRAFT_TAG + _json(content)).hexdigest()


def _attachment_content(item: Attachment) -> list[object]:
    flags = (item.encrypted, item.executable, item.type_mismatch, item.truncated)
    text_sha256 = _file_text_sha256(item.text) if item.text else ""
    return [
        item.sha256,
        item.size_bytes,
        item.media_type,
        item.inspection.value,
        flags,
        item.reason,
        text_sha256,
    ]


@functools.lru_cache(maxsize=16)
def _file_text_sha256(text: str) -> str:
    # Files can be long, and they stay the same at every keystroke.
    return _sha256(text)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _json(value: object) -> bytes:
    return msgspec.json.encode(value, order="deterministic")
