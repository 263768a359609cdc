"""Owns the form of each kind of rule as written in a bundle, and which files a rule reads.

It does not evaluate rules, and it never accepts a field it does not know.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract.policy.identifier_kinds import IdentifierKind
from contract.policy.model import Action, FixKind, OverrideKind, Scope
from contract.values import Channel, ConsentStatus

RuleId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,62}[a-z0-9]$")]
Confidence = Annotated[int, msgspec.Meta(ge=65, le=85)]
MessageKey = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
MediaType = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9*][a-z0-9.+*-]*/[a-z0-9*][a-z0-9.+*-]*$")]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
LocalTime = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_.-]+)*\.csv$")]

Terms = Annotated[tuple[FileName, ...], msgspec.Meta(min_length=1)]
States = Annotated[tuple[ConsentStatus, ...], msgspec.Meta(min_length=1)]

NEUTRAL_KEY = "neutral"
"""The words a sender reads where something known to the server alone holds the message."""

DEFAULT_OVERRIDE: dict[Action, OverrideKind] = {
    Action.ALLOW: OverrideKind.WITHOUT_JUSTIFICATION,
    Action.LOG: OverrideKind.WITHOUT_JUSTIFICATION,
    Action.HINT: OverrideKind.WITHOUT_JUSTIFICATION,
    Action.WARN: OverrideKind.WITH_ACKNOWLEDGEMENT,
    Action.JUSTIFY: OverrideKind.WITH_JUSTIFICATION,
    Action.APPROVE: OverrideKind.NOT_ALLOWED,
    Action.BLOCK: OverrideKind.NOT_ALLOWED,
}
"""What a sender may do against a finding unless the rule says otherwise."""


class RuleBase(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
):
    """What every rule has: its id, what it asks for, where it holds, and its words.

    `channels` empty means all; `why` names the regulation the rule serves.
    """

    id: RuleId
    action: Action
    message: MessageKey
    category: str
    why: str = ""
    scope: Scope = Scope.BOTH
    override: OverrideKind | None = None
    channels: tuple[Channel, ...] = ()
    fixes: tuple[FixKind, ...] = ()
    disclaimer: MessageKey = ""

    def override_kind(self, action: Action) -> OverrideKind:
        """Return what a sender may do against a finding of this rule with this action."""
        if self.override is not None and action is self.action:
            return self.override
        return DEFAULT_OVERRIDE[action]


class PaymentCardRule(RuleBase, frozen=True, kw_only=True, tag="payment_card"):
    """Payment card numbers; words of `evidence` within 300 characters raise the confidence."""

    evidence: FileName | None = None
    min_confidence: Confidence = 65


class IbanRule(RuleBase, frozen=True, kw_only=True, tag="iban"):
    """IBANs; `action` holds while the client's own accounts are not known.

    When they are known, `own_action` holds for theirs and `other_action` for anyone else's.
    """

    evidence: FileName | None = None
    min_confidence: Confidence = 65
    own_action: Action = Action.ALLOW
    own_message: MessageKey = ""
    other_action: Action = Action.BLOCK
    other_message: MessageKey = ""


class LexiconRule(RuleBase, frozen=True, kw_only=True, tag="lexicon"):
    """Terms of one or more CSV files (term, language, replacement, note).

    `ordinary` names files of phrases in which a term says nothing, such as "bank guarantee" or
    "not guaranteed": a term that overlaps one of them is no finding.
    """

    terms: Terms
    ordinary: tuple[FileName, ...] = ()
    confidence: Confidence = 75


class RegexRule(RuleBase, frozen=True, kw_only=True, tag="regex"):
    """An administrator's RE2 pattern over the folded text, or the text as typed if case counts."""

    pattern: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    case_sensitive: bool = False
    confidence: Confidence = 75


class IdentifierRule(RuleBase, frozen=True, kw_only=True, tag="identifier"):
    """One kind of identifier, with words whose presence is evidence for it."""

    detect: IdentifierKind
    evidence: FileName | None = None
    min_confidence: Confidence = 65


class AccountNumberRule(RuleBase, frozen=True, kw_only=True, tag="account_number"):
    """Account numbers whose keyed hash is known, by whose they are.

    own: the open conversation's clients'; book: another client's of the employee's own book,
    where the draft can be moved; other: another client's of the firm, known to the server alone.
    """

    own_action: Action = Action.ALLOW
    own_message: MessageKey = ""
    book_action: Action = Action.BLOCK
    book_message: MessageKey = ""
    other_action: Action = Action.BLOCK
    other_message: MessageKey = ""


class WrongClientRule(RuleBase, frozen=True, kw_only=True, tag="wrong_client"):
    """The name or company of a client of the book who is not the open conversation's."""


class OptOutRule(RuleBase, frozen=True, kw_only=True, tag="opt_out"):
    """A recipient has opted out on this channel."""


class OptOutWordsRule(RuleBase, frozen=True, kw_only=True, tag="opt_out_words"):
    """Words with which a client opts out; they are sought in what clients write, not in drafts."""

    terms: Terms


class OptInRule(RuleBase, frozen=True, kw_only=True, tag="opt_in"):
    """A recipient's opt-in to marketing stands in one of `states`."""

    states: States


class RecordingNoticeRule(RuleBase, frozen=True, kw_only=True, tag="recording_notice"):
    """A recipient's recording notice stands in one of `states`."""

    states: States


class ChannelWindowRule(RuleBase, frozen=True, kw_only=True, tag="channel_window"):
    """The channel's reply window is closed or used up, and the draft is no template."""


class WallRule(RuleBase, frozen=True, kw_only=True, tag="wall"):
    """A wall stands in the way; its words never name it.

    Between the employee and a recipient or a person mentioned, between a person mentioned or
    passed on and a recipient (in that direction), or between a delegator and a recipient.
    """


class AttachmentRule(RuleBase, frozen=True, kw_only=True, tag="attachment"):
    """A file that is too large, of a type, encrypted, executable, disguised, or not readable.

    `block_types` are media types in which `*` stands for any part. `unread` also holds for
    files that could only be read in part: they are not evaluated, never clean.
    """

    max_bytes: AtLeastOne | None = None
    block_types: tuple[MediaType, ...] = ()
    encrypted: bool = False
    executable: bool = False
    mismatch: bool = False
    unread: bool = False


class GiftRule(RuleBase, frozen=True, kw_only=True, tag="gift"):
    """A gift whose amount, with what was given this year, is above a limit in minor units.

    `other_limits` are those of other currencies; an amount in a currency without a limit, or a
    gift without an amount, gets `unknown_action`.
    """

    terms: Terms
    limit_minor: AtLeastOne
    currency: Currency
    period: Literal["year"] = "year"
    other_limits: dict[Currency, AtLeastOne] = {}
    unknown_action: Action = Action.ALLOW
    unknown_message: MessageKey = ""
    confidence: Confidence = 75


class RetailReachRule(RuleBase, frozen=True, kw_only=True, tag="retail_reach"):
    """The text would have reached more than `limit` retail clients within 30 days."""

    limit: AtLeastOne = 25


class DisclaimerRule(RuleBase, frozen=True, kw_only=True, tag="disclaimer"):
    """The words of the message key `text` are missing, in every language they have.

    With `terms` only where one of these stands in the draft.
    """

    text: MessageKey
    terms: tuple[FileName, ...] = ()


class QuietHoursRule(RuleBase, frozen=True, kw_only=True, tag="quiet_hours"):
    """The recipient's local time is within quiet hours; they may go past midnight."""

    from_: LocalTime = msgspec.field(name="from")
    to: LocalTime


Rule = (
    PaymentCardRule
    | IbanRule
    | IdentifierRule
    | AccountNumberRule
    | WrongClientRule
    | LexiconRule
    | RegexRule
    | OptOutRule
    | OptOutWordsRule
    | OptInRule
    | RecordingNoticeRule
    | ChannelWindowRule
    | WallRule
    | AttachmentRule
    | GiftRule
    | RetailReachRule
    | DisclaimerRule
    | QuietHoursRule
)
TermRule = LexiconRule | GiftRule | DisclaimerRule
"""Rules whose terms are sought in drafts, all in one pass."""

NumberRule = PaymentCardRule | IbanRule | IdentifierRule
"""Rules about identifiers."""


class RulesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of rules.yaml."""

    rules: tuple[Rule, ...]


class Header(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The content of bundle.yaml; the version is three numbers such as 2026.11.3 and only grows."""

    name: str
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$")]
    description: str = ""


def kind_of(rule: NumberRule) -> IdentifierKind:
    """Return the kind of identifier a rule looks for."""
    match rule:
        case PaymentCardRule():
            return IdentifierKind.PAYMENT_CARD
        case IbanRule():
            return IdentifierKind.IBAN
        case IdentifierRule():
            return rule.detect


def files_of(rule: Rule) -> tuple[str, ...]:
    """Return the names of the CSV files a rule reads."""
    if isinstance(rule, LexiconRule):
        return rule.terms + rule.ordinary
    if isinstance(rule, TermRule | OptOutWordsRule):
        return rule.terms
    if isinstance(rule, PaymentCardRule | IbanRule | IdentifierRule) and rule.evidence is not None:
        return (rule.evidence,)
    return ()


def message_keys_of(rule: Rule) -> tuple[str, ...]:
    """Return the keys of messages.csv whose words a rule shows."""
    keys = [rule.message, *(f"fix.{fix.value}" for fix in rule.fixes), rule.disclaimer]
    match rule:
        case IbanRule():
            keys += [rule.own_message, rule.other_message]
        case AccountNumberRule():
            keys += [rule.own_message, rule.book_message, rule.other_message, NEUTRAL_KEY]
        case GiftRule():
            keys.append(rule.unknown_message)
        case DisclaimerRule():
            keys.append(rule.text)
    return tuple(dict.fromkeys(key for key in keys if key))


def disclaimer_key_of(rule: Rule) -> str:
    """Return the key of the words that the fix add_disclaimer adds, empty without one."""
    return rule.text if isinstance(rule, DisclaimerRule) else rule.disclaimer
