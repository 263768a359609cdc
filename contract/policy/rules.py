"""Owns the form of each kind of rule as written in a bundle, and which files a rule reads.

It does not evaluate rules, and it never accepts a field it does not know.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from contract.policy.model import Action, FixKind, OverrideKind, Scope
from contract.wire import Channel, ConsentStatus

RuleId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,62}[a-z0-9]$")]
Confidence = Annotated[int, msgspec.Meta(ge=65, le=85)]
MessageKey = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_.-]+)*\.csv$")]

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
    """Terms of one or more CSV files (term, language, replacement, note)."""

    terms: Annotated[tuple[FileName, ...], msgspec.Meta(min_length=1)]
    confidence: Confidence = 75


class RegexRule(RuleBase, frozen=True, kw_only=True, tag="regex"):
    """An administrator's RE2 pattern over the folded text, or the text as typed if case counts."""

    pattern: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    case_sensitive: bool = False
    confidence: Confidence = 75


class OptOutRule(RuleBase, frozen=True, kw_only=True, tag="opt_out"):
    """A recipient has opted out on this channel."""


class RecordingNoticeRule(RuleBase, frozen=True, kw_only=True, tag="recording_notice"):
    """A recipient's recording notice stands in one of `states`."""

    states: Annotated[tuple[ConsentStatus, ...], msgspec.Meta(min_length=1)]


class ChannelWindowRule(RuleBase, frozen=True, kw_only=True, tag="channel_window"):
    """The channel's reply window is closed and the draft is no template."""


class WallRule(RuleBase, frozen=True, kw_only=True, tag="wall"):
    """A wall stands between the employee and a recipient; its words never name it."""


Rule = (
    PaymentCardRule
    | IbanRule
    | LexiconRule
    | RegexRule
    | OptOutRule
    | RecordingNoticeRule
    | ChannelWindowRule
    | WallRule
)


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


def files_of(rule: Rule) -> tuple[str, ...]:
    """Return the names of the CSV files a rule reads."""
    if isinstance(rule, LexiconRule):
        return rule.terms
    if isinstance(rule, PaymentCardRule | IbanRule) and rule.evidence is not None:
        return (rule.evidence,)
    return ()


def message_keys_of(rule: Rule) -> tuple[str, ...]:
    """Return the keys of messages.csv whose words a rule shows."""
    keys = [rule.message, *(f"fix.{fix.value}" for fix in rule.fixes)]
    if isinstance(rule, IbanRule):
        keys += [rule.own_message, rule.other_message]
    keys.append(rule.disclaimer)
    return tuple(dict.fromkeys(key for key in keys if key))
