"""Owns which detector looks for what a rule is about, and in which of a draft's texts.

It does not find anything itself, rank or word what is found, and it never changes a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from contract.policy.account_detectors import find_accounts, find_wrong_names, forget_accounts
from contract.policy.context import Context
from contract.policy.file_detectors import find_files
from contract.policy.gift_detectors import find_gifts
from contract.policy.hits import Hit
from contract.policy.quote_detectors import forget_parts
from contract.policy.recipient_detectors import find_recipients
from contract.policy.rule_plan import PlacedRule, RulePlan
from contract.policy.rules import (
    AccountNumberRule,
    AttachmentRule,
    DisclaimerRule,
    GiftRule,
    IbanRule,
    IdentifierRule,
    LexiconRule,
    OptOutWordsRule,
    PaymentCardRule,
    RegexRule,
    Rule,
    WrongClientRule,
)
from contract.policy.text_detectors import (
    find_missing_disclaimer,
    find_numbers,
    find_pattern,
    find_quoted_numbers,
    find_terms,
)
from contract.policy.text_scan import TextScan

_InText = Callable[[int, Any, TextScan, Context], Iterable[Hit]]

_TEXT_DETECTORS: dict[type, _InText] = {
    LexiconRule: lambda index, rule, scan, _context: find_terms(index, rule, scan),
    RegexRule: lambda _index, rule, scan, _context: find_pattern(rule, scan),
    PaymentCardRule: lambda _index, rule, scan, context: find_numbers(rule, scan, context),
    IbanRule: lambda _index, rule, scan, context: find_numbers(rule, scan, context),
    IdentifierRule: lambda _index, rule, scan, context: find_numbers(rule, scan, context),
    AccountNumberRule: lambda _index, rule, scan, context: find_accounts(rule, scan, context),
    WrongClientRule: lambda _index, rule, scan, context: find_wrong_names(rule, scan, context),
    GiftRule: find_gifts,
}
"""By the rule's class, because this is asked for every rule at every keystroke."""


def detect(index: int, rule: Rule, context: Context) -> Iterable[Hit]:
    """Return what one rule of the bundle, at its index, finds; nothing on other channels."""
    if rule.channels and context.draft.channel not in rule.channels:
        return ()
    in_text = _TEXT_DETECTORS.get(type(rule))
    if in_text is not None:
        if not context.has_more_texts:
            return in_text(index, rule, context.text, context)
        return _in_texts(index, rule, context, in_text)
    match rule:
        case OptOutWordsRule():
            return ()
        case AttachmentRule():
            return find_files(rule, context)
        case DisclaimerRule():
            return find_missing_disclaimer(index, rule, context)
        case (
            LexiconRule()
            | RegexRule()
            | PaymentCardRule()
            | IbanRule()
            | IdentifierRule()
            | AccountNumberRule()
            | WrongClientRule()
            | GiftRule()
        ):
            raise AssertionError(f"{rule.id}: a rule about texts without a detector")
        case _:
            return find_recipients(rule, context)


def text_rules(plan: RulePlan, context: Context) -> Iterable[PlacedRule]:
    """Return the rules about texts that may find something in the draft's.

    Those left out would find nothing, and would take their time to say so.
    """
    if context.has_more_texts:
        return plan.about_text
    text, facts = context.text, context.facts
    rules = [plan.by_terms[place] for place in text.terms if place in plan.by_terms]
    if clues := text.clues:
        rules += [rule for needed, rule in plan.by_clues if not needed.isdisjoint(clues)]
    if facts.accounts.key:
        rules += plan.accounts
    if facts.book.names:
        rules += plan.names
    rules += plan.any_text
    return rules


def forget_texts() -> None:
    """Drop the pieces of texts that detectors keep between drafts to save work."""
    forget_accounts()
    forget_parts()


def _in_texts(index: int, rule: Rule, context: Context, in_text: _InText) -> Iterator[Hit]:
    own = list(in_text(index, rule, context.text, context))
    yield from own
    for sha256, scan in context.files:
        for hit in in_text(index, rule, scan, context):
            yield hit._replace(attachment=sha256)
    for sha256, scan in context.file_names:
        for hit in in_text(index, rule, scan, context):
            yield hit._replace(attachment=sha256, start=0, end=0)
    if isinstance(rule, PaymentCardRule | IbanRule | IdentifierRule):
        for hit in find_quoted_numbers(rule, context):
            if not any(hit.start < one.end and one.start < hit.end for one in own):
                yield hit
