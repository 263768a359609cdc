"""Owns the rules about words and numbers: lexicons, patterns, identifiers, disclaimers.

It never looks at who receives the words, and it never offers a fix.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from contract.policy.account_detectors import iban_outcome
from contract.policy.context import Context
from contract.policy.hits import CHECKSUM_ONLY, CUSTOMARY, WITH_EVIDENCE, Hit
from contract.policy.normalise import fold_term
from contract.policy.quote_detectors import find_split
from contract.policy.rules import (
    DisclaimerRule,
    IbanRule,
    LexiconRule,
    NumberRule,
    RegexRule,
    kind_of,
)
from contract.policy.scanned_text import Identifier
from contract.policy.text_scan import TextScan


def find_terms(index: int, rule: LexiconRule, scan: TextScan) -> Iterator[Hit]:
    """Yield the terms of a lexicon rule, which stands at `index` of its bundle, in one text."""
    for match in scan.terms.get(index, ()):
        start, end = scan.normalised.span(match.start, match.end)
        yield Hit(
            rule.action,
            rule.message,
            confidence=rule.confidence,
            start=start,
            end=end,
            suggestion=match.term.replacement,
            shown=scan.typed[start:end],
        )


def find_pattern(rule: RegexRule, scan: TextScan) -> Iterator[Hit]:
    """Yield the matches of an administrator's pattern in one text."""
    for start, end in scan.pattern_spans(rule.id, as_typed=rule.case_sensitive):
        shown = scan.typed[start:end]
        yield Hit(rule.action, rule.message, rule.confidence, start, end, shown=shown)


def find_numbers(rule: NumberRule, scan: TextScan, context: Context) -> Iterator[Hit]:
    """Yield the identifiers a rule looks for in one text, sure enough to count."""
    kind = kind_of(rule)
    for found in scan.identifiers(kind):
        confidence = _confidence(rule, found, scan)
        if confidence >= rule.min_confidence:
            start, end = scan.normalised.span(found.start, found.end)
            yield _hit(rule, confidence, start, end, found.value, scan, context)


def find_quoted_numbers(rule: NumberRule, context: Context) -> Iterator[Hit]:
    """Yield identifiers of which one part stands in the message answered, one in the draft."""
    if context.quoted is None:
        return
    for found in find_split(rule.id, kind_of(rule), context.quoted, context.text):
        if found.confidence >= rule.min_confidence:
            start, end = context.text.normalised.span(found.start, found.end)
            hit = _hit(rule, found.confidence, start, end, found.value, context.text, context)
            own = context.text.normalised.text[found.start : found.end].upper()
            yield hit._replace(value="".join(char for char in own if char.isalnum()))


def find_missing_disclaimer(index: int, rule: DisclaimerRule, context: Context) -> Iterator[Hit]:
    """Yield one hit when the disclaimer's words are missing, at the term that asks for them."""
    scan = context.text
    folded = scan.normalised.text
    if context.draft.template_id or not folded.strip():
        return
    titles = context.bundle.catalogue.titles(rule.text)
    if any(_folded_words(words) in folded for words in titles):
        return
    if not rule.terms:
        yield Hit(rule.action, rule.message)
        return
    for match in scan.terms.get(index, ())[:1]:
        start, end = scan.normalised.span(match.start, match.end)
        yield Hit(rule.action, rule.message, start=start, end=end, shown=scan.typed[start:end])


@functools.lru_cache(maxsize=256)
def _folded_words(words: str) -> str:
    return fold_term(words)


def _confidence(rule: NumberRule, found: Identifier, scan: TextScan) -> int:
    if scan.has_evidence(rule.id, found.start, found.end):
        return WITH_EVIDENCE
    if not found.certain:
        return 0
    return CUSTOMARY if found.customary else CHECKSUM_ONLY


def _hit(
    rule: NumberRule,
    confidence: int,
    start: int,
    end: int,
    value: str,
    scan: TextScan,
    context: Context,
) -> Hit:
    hit = Hit(
        rule.action,
        rule.message,
        confidence,
        start,
        end,
        value,
        shown=scan.typed[start:end],
    )
    return iban_outcome(rule, hit, context.facts) if isinstance(rule, IbanRule) else hit
