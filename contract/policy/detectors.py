"""Owns which detector looks for what a rule is about, and in which of a draft's texts.

It does not find anything itself, rank or word what is found, and it never changes a draft.
"""

from __future__ import annotations

from collections.abc import Iterator

from contract.policy.account_detectors import find_accounts, find_wrong_names
from contract.policy.context import Context
from contract.policy.file_detectors import find_files
from contract.policy.gift_detectors import find_gifts
from contract.policy.hits import Hit
from contract.policy.recipient_detectors import find_recipients
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

TextRule = (
    LexiconRule
    | RegexRule
    | PaymentCardRule
    | IbanRule
    | IdentifierRule
    | AccountNumberRule
    | WrongClientRule
    | GiftRule
)


def detect(index: int, rule: Rule, context: Context) -> Iterator[Hit]:
    """Yield what one rule of the bundle, at its index, finds; nothing on other channels."""
    if rule.channels and context.draft.channel not in rule.channels:
        return
    match rule:
        case OptOutWordsRule():
            return
        case AttachmentRule():
            yield from find_files(rule, context)
        case DisclaimerRule():
            yield from find_missing_disclaimer(index, rule, context)
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
            yield from _in_texts(index, rule, context)
        case _:
            yield from find_recipients(rule, context)


def _in_texts(index: int, rule: TextRule, context: Context) -> Iterator[Hit]:
    own: list[tuple[int, int]] = []
    for attachment, scan in context.texts():
        for hit in _in_text(index, rule, scan, context):
            if attachment:
                hit = hit._replace(attachment=attachment)
            else:
                own.append((hit.start, hit.end))
            yield hit
    if isinstance(rule, PaymentCardRule | IbanRule | IdentifierRule):
        for hit in find_quoted_numbers(rule, context):
            if not any(hit.start < end and start < hit.end for start, end in own):
                yield hit


def _in_text(index: int, rule: TextRule, scan: TextScan, context: Context) -> Iterator[Hit]:
    match rule:
        case LexiconRule():
            return find_terms(index, rule, scan)
        case RegexRule():
            return find_pattern(rule, scan)
        case AccountNumberRule():
            return find_accounts(rule, scan, context)
        case WrongClientRule():
            return find_wrong_names(rule, scan, context)
        case GiftRule():
            return find_gifts(index, rule, scan, context)
        case PaymentCardRule() | IbanRule() | IdentifierRule():
            return find_numbers(rule, scan, context)
