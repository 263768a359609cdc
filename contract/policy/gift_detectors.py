"""Owns the rule about gifts: what a text offers, with what was given this year, above a limit.

It never reads what was given but from the facts, and it never converts a currency.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator

from contract.policy.amounts import Amount, find_amounts
from contract.policy.context import Context
from contract.policy.hits import Hit
from contract.policy.lexicon import TermMatch
from contract.policy.rules import GiftRule
from contract.policy.text_scan import TextScan

AMOUNT_REACH = 120
"""How many characters may lie between the word for a gift and its amount."""

_MAX_NEAR = 32


def find_gifts(index: int, rule: GiftRule, scan: TextScan, context: Context) -> Iterator[Hit]:
    """Yield at most one hit of a gift rule, which stands at `index` of its bundle.

    All amounts of the text that stand near a word for a gift count together, each once.
    """
    matches = scan.terms.get(index, ())
    if not matches:
        return
    limits = {**rule.other_limits, rule.currency: rule.limit_minor}
    amounts = find_amounts(scan.normalised.text)
    judged = False
    counted: set[int] = set()
    offered: Counter[str] = Counter()
    for match in matches:
        for amount in _near(match, amounts):
            if amount.start in counted:
                continue
            counted.add(amount.start)
            offered.update(dict(amount.minor_units))
            together = {currency: offered[currency] for currency, _ in amount.minor_units}
            known, above = _above_limit(together, limits, context)
            judged = judged or known
            if above is not None:
                yield _hit(rule, match, scan, above)
                return
    if not judged:
        _, above = _above_limit(dict.fromkeys(limits, 0), limits, context)
        if above is not None:
            yield _hit(rule, matches[0], scan, above)
        else:
            hit = _hit(rule, matches[0], scan, ())
            words = rule.unknown_message or rule.message
            yield hit._replace(action=rule.unknown_action, message_key=words)


def _near(match: TermMatch, amounts: list[Amount]) -> Iterator[Amount]:
    """Yield the amounts within reach of a term; `amounts` stand in order and never overlap."""
    first = bisect.bisect_left(amounts, match.start - AMOUNT_REACH, key=lambda one: one.end)
    for amount in amounts[first : first + _MAX_NEAR]:
        if amount.start > match.end + AMOUNT_REACH:
            return
        yield amount


def _above_limit(
    minor: dict[str, int], limits: dict[str, int], context: Context
) -> tuple[bool, tuple[str, ...] | None]:
    """Tell whether an amount's currency has a limit, and for whom it is above it.

    The second value is None when the limit holds; it is empty when what is offered alone is above.
    """
    known = False
    for currency, units in minor.items():
        limit = limits.get(currency)
        if limit is None:
            continue
        known = True
        if units > limit:
            return True, ()
        contacts = tuple(
            to.contact_id
            for to in context.draft.recipients
            if _given(context, to.contact_id, currency) + units > limit
        )
        if contacts:
            return True, contacts
    return known, None


def _given(context: Context, contact_id: str, currency: str) -> int:
    return sum(
        units
        for whom, units, unit_currency in context.facts.gifts.given
        if whom == contact_id and unit_currency == currency
    )


def _hit(rule: GiftRule, match: TermMatch, scan: TextScan, contacts: tuple[str, ...]) -> Hit:
    start, end = scan.normalised.span(match.start, match.end)
    return Hit(
        rule.action,
        rule.message,
        rule.confidence,
        start,
        end,
        contact_ids=contacts,
        shown=scan.typed[start:end],
    )
