"""Owns how each kind of rule finds what it looks for in one draft and its facts.

It does not rank, word or hash findings, and it never changes a draft.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from contract.policy.bundle import CompiledBundle
from contract.policy.facts import account_hash
from contract.policy.identifiers import (
    MIN_DIGITS,
    Identifier,
    count_digits,
    find_cards,
    find_ibans,
)
from contract.policy.lexicon import TermMatch
from contract.policy.model import Action, ContactPointFacts, Draft, Facts
from contract.policy.normalise import Normalised, at_word_bounds, normalise
from contract.policy.rules import (
    ChannelWindowRule,
    IbanRule,
    LexiconRule,
    OptOutRule,
    PaymentCardRule,
    RecordingNoticeRule,
    RegexRule,
    Rule,
    WallRule,
)

EVIDENCE_REACH = 300
CHECKSUM_ONLY, CUSTOMARY, WITH_EVIDENCE = 65, 75, 85
_CERTAIN = 85
_SURROGATE = re.compile("[\ud800-\udfff]")


class Hit(NamedTuple):
    """What a rule found; the span counts code points of the draft, 0 and 0 without words."""

    action: Action
    message_key: str
    confidence: int = _CERTAIN
    start: int = 0
    end: int = 0
    value: str = ""
    suggestion: str = ""
    reference: str = ""


class Context:
    """One draft with its facts, and what several rules share, worked out at most once."""

    def __init__(self, bundle: CompiledBundle, facts: Facts, draft: Draft) -> None:
        self.bundle = bundle
        self.facts = facts
        self.draft = draft
        self.normalised: Normalised = normalise(draft.text)

    @functools.cached_property
    def points(self) -> tuple[ContactPointFacts, ...]:
        """Facts of the recipients' contact points; one without facts counts as never asked."""
        known = {point.contact_point_id: point for point in self.facts.contact_points}
        ids = dict.fromkeys(to.contact_point_id for to in self.draft.recipients)
        return tuple(known.get(one) or ContactPointFacts(contact_point_id=one) for one in ids)

    @functools.cached_property
    def terms(self) -> dict[int, list[TermMatch]]:
        """Lexicon matches by the index of their rule."""
        by_rule: dict[int, list[TermMatch]] = {}
        for match in self.bundle.lexicon.find(self.normalised.text):
            by_rule.setdefault(match.term.rule_index, []).append(match)
        return by_rule

    @functools.cached_property
    def ibans(self) -> list[Identifier]:
        """IBANs in the text, behind the digit gate."""
        return find_ibans(self.normalised.text) if self._has_digits else []

    @functools.cached_property
    def cards(self) -> list[Identifier]:
        """Payment cards in the text that are no part of an IBAN."""
        if not self._has_digits:
            return []
        return [card for card in find_cards(self.normalised.text) if not self._in_iban(card)]

    @functools.cached_property
    def _has_digits(self) -> bool:
        return count_digits(self.normalised.text) >= MIN_DIGITS

    def _in_iban(self, card: Identifier) -> bool:
        return any(card.start < iban.end and iban.start < card.end for iban in self.ibans)

    def has_evidence(self, rule_id: str, start: int, end: int) -> bool:
        """Tell whether one of a rule's evidence words stands near a span of the folded text."""
        text = self.normalised.text
        low, high = max(start - EVIDENCE_REACH, 0), min(end + EVIDENCE_REACH, len(text))
        for word in self.bundle.evidence.get(rule_id, ()):
            place = text.find(word, low, high)
            while place >= 0:
                if at_word_bounds(text, place, place + len(word)):
                    return True
                place = text.find(word, place + 1, high)
        return False


def detect(index: int, rule: Rule, context: Context) -> Iterator[Hit]:
    """Yield what one rule of the bundle, at its index, finds; nothing on other channels."""
    if rule.channels and context.draft.channel not in rule.channels:
        return
    match rule:
        case LexiconRule():
            yield from _terms(index, rule, context)
        case PaymentCardRule():
            yield from _cards(rule, context)
        case IbanRule():
            yield from _ibans(rule, context)
        case RegexRule():
            yield from _pattern(rule, context)
        case OptOutRule() | RecordingNoticeRule() | ChannelWindowRule() | WallRule():
            yield from _recipients(rule, context)


def _terms(index: int, rule: LexiconRule, context: Context) -> Iterator[Hit]:
    for match in context.terms.get(index, ()):
        start, end = context.normalised.span(match.start, match.end)
        yield Hit(
            rule.action,
            rule.message,
            confidence=rule.confidence,
            start=start,
            end=end,
            suggestion=match.term.replacement,
        )


def _confidence(rule: PaymentCardRule | IbanRule, found: Identifier, context: Context) -> int:
    if context.has_evidence(rule.id, found.start, found.end):
        return WITH_EVIDENCE
    if not found.certain:
        return 0
    return CUSTOMARY if found.customary else CHECKSUM_ONLY


def _cards(rule: PaymentCardRule, context: Context) -> Iterator[Hit]:
    for card in context.cards:
        confidence = _confidence(rule, card, context)
        if confidence >= rule.min_confidence:
            start, end = context.normalised.span(card.start, card.end)
            yield Hit(rule.action, rule.message, confidence, start, end, card.value)


def _ibans(rule: IbanRule, context: Context) -> Iterator[Hit]:
    for iban in context.ibans:
        confidence = _confidence(rule, iban, context)
        if confidence < rule.min_confidence:
            continue
        action, message = _iban_outcome(rule, iban.value, context.facts)
        start, end = context.normalised.span(iban.start, iban.end)
        yield Hit(action, message, confidence, start, end, iban.value)


def _iban_outcome(rule: IbanRule, value: str, facts: Facts) -> tuple[Action, str]:
    """Judge whose account it is, as far as the facts hold the clients' own ones."""
    accounts = facts.accounts
    if not accounts.key or not accounts.client_hashes:
        return rule.action, rule.message
    if account_hash(accounts.key, value) in accounts.client_hashes:
        return rule.own_action, rule.own_message or rule.message
    return rule.other_action, rule.other_message or rule.message


def _pattern(rule: RegexRule, context: Context) -> Iterator[Hit]:
    pattern = context.bundle.patterns[rule.id]
    normalised = context.normalised
    if rule.case_sensitive:
        normalised = Normalised(_SURROGATE.sub("\ufffd", context.draft.text), None, None)
    for match in pattern.finditer(normalised.text):
        if match.end() > match.start():
            start, end = normalised.span(match.start(), match.end())
            yield Hit(rule.action, rule.message, rule.confidence, start, end)


def _recipients(
    rule: OptOutRule | RecordingNoticeRule | ChannelWindowRule | WallRule, context: Context
) -> Iterator[Hit]:
    match rule:
        case OptOutRule():
            hit = any(point.opted_out for point in context.points)
        case RecordingNoticeRule():
            hit = any(point.recording_notice in rule.states for point in context.points)
        case ChannelWindowRule():
            hit = not context.draft.template_id and any(
                _window_closed(point, context.facts.now_utc_ms) for point in context.points
            )
        case WallRule():
            denied = context.facts.walls.denied_contact_ids
            hit = any(to.contact_id in denied for to in context.draft.recipients)
    if hit:
        reference = context.facts.walls.reference if isinstance(rule, WallRule) else ""
        yield Hit(rule.action, rule.message, reference=reference)


def _window_closed(point: ContactPointFacts, now_utc_ms: int) -> bool:
    closes_at_utc_ms, left = point.window_closes_at_utc_ms, point.window_messages_left
    if left is not None and left <= 0:
        return True
    return closes_at_utc_ms is not None and closes_at_utc_ms <= now_utc_ms
