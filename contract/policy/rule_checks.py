"""Owns the faults of rules that read well one by one but can't hold: ids, words, files, fixes.

It never reads a file's content, and it never changes a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contract.policy.bundle_source import RULES_FILE, BundleSource
from contract.policy.messages import MESSAGES_FILE, Catalogue
from contract.policy.model import Action, FixKind, OverrideKind, Scope
from contract.policy.problems import BundleProblem
from contract.policy.rules import (
    NEUTRAL_KEY,
    AccountNumberRule,
    AttachmentRule,
    DisclaimerRule,
    IbanRule,
    IdentifierRule,
    LexiconRule,
    PaymentCardRule,
    QuietHoursRule,
    Rule,
    WallRule,
    WrongClientRule,
    files_of,
    message_keys_of,
)

_Fault = tuple[str, str]
_OFFERED_BY: dict[FixKind, tuple[type, ...]] = {
    FixKind.MASK: (PaymentCardRule, IbanRule, IdentifierRule, AccountNumberRule),
    FixKind.REPLACE: (LexiconRule,),
    FixKind.MOVE: (AccountNumberRule, IbanRule, WrongClientRule),
}
_CONTRADICTED: dict[Action, tuple[OverrideKind, ...]] = {
    Action.WARN: (OverrideKind.NOT_ALLOWED,),
    Action.JUSTIFY: (
        OverrideKind.NOT_ALLOWED,
        OverrideKind.WITH_ACKNOWLEDGEMENT,
        OverrideKind.WITHOUT_JUSTIFICATION,
    ),
    **dict.fromkeys(
        (Action.ALLOW, Action.LOG, Action.HINT),
        (
            OverrideKind.NOT_ALLOWED,
            OverrideKind.WITH_JUSTIFICATION,
            OverrideKind.WITH_ACKNOWLEDGEMENT,
        ),
    ),
    **dict.fromkeys(
        (Action.APPROVE, Action.BLOCK),
        (
            OverrideKind.WITH_JUSTIFICATION,
            OverrideKind.WITH_ACKNOWLEDGEMENT,
            OverrideKind.WITHOUT_JUSTIFICATION,
        ),
    ),
}
_NAMELESS = (WallRule, WrongClientRule, AccountNumberRule)


def check_rules(
    source: BundleSource, files: Mapping[str, bytes], catalogue: Catalogue | None
) -> list[BundleProblem]:
    """Return the faults of a bundle's rules with their lines; without words, all but theirs."""
    problems: list[BundleProblem] = []
    seen: set[str] = set()
    for index, rule in enumerate(source.rules):
        faults = [*_form_faults(rule), *_file_faults(rule, files)]
        if catalogue is not None:
            faults += _word_faults(rule, catalogue)
        if rule.id in seen:
            faults.append((f"the id '{rule.id}' stands twice", "id"))
        seen.add(rule.id)
        problems += [
            BundleProblem(RULES_FILE, source.line_of(index, field), reason)
            for reason, field in faults
        ]
    return problems


def _form_faults(rule: Rule) -> Iterator[_Fault]:
    if rule.action is Action.LOG and rule.scope is not Scope.SERVER:
        yield "the action log is silent and needs scope server", "action"
    if rule.override is not None and rule.override in _CONTRADICTED[rule.action]:
        yield (
            f"the action {rule.action.value} and the override {rule.override.value} "
            "contradict each other",
            "override",
        )
    if isinstance(rule, DisclaimerRule):
        if rule.disclaimer:
            yield "the words to add are those of 'text'; leave out 'disclaimer'", "disclaimer"
    elif (FixKind.ADD_DISCLAIMER in rule.fixes) != bool(rule.disclaimer):
        yield "the fix add_disclaimer and a disclaimer go together", "fixes"
    for fix in rule.fixes:
        kinds = _OFFERED_BY.get(fix)
        if kinds is not None and not isinstance(rule, kinds):
            yield f"rules of this kind can't offer the fix {fix.value}", "fixes"
    if isinstance(rule, QuietHoursRule) and rule.from_ == rule.to:
        yield "quiet hours start when they end", "to"
    if isinstance(rule, AttachmentRule) and not _asks_anything(rule):
        yield (
            "needs one of max_bytes, block_types, encrypted, executable, mismatch, unread",
            "kind",
        )


def _asks_anything(rule: AttachmentRule) -> bool:
    flags = rule.encrypted or rule.executable or rule.mismatch or rule.unread
    return flags or rule.max_bytes is not None or bool(rule.block_types)


def _file_faults(rule: Rule, files: Mapping[str, bytes]) -> Iterator[_Fault]:
    for name in files_of(rule):
        if name not in files:
            yield f"the file {name} is missing", "terms"


def _word_faults(rule: Rule, catalogue: Catalogue) -> Iterator[_Fault]:
    keys = message_keys_of(rule)
    if rule.scope is Scope.SERVER and NEUTRAL_KEY not in keys:
        keys += (NEUTRAL_KEY,)
    for key in keys:
        if key not in catalogue:
            yield f"{MESSAGES_FILE} has no words for '{key}'", "message"
        elif isinstance(rule, _NAMELESS) and catalogue.names_match(key):
            yield f"the words of '{key}' must not repeat what was found: no {{match}}", "message"
