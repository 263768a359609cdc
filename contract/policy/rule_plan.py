"""Owns the order of a bundle's rules: which hold on a channel, and what each needs to find.

It never looks at a draft, and it never judges.
"""

from __future__ import annotations

from typing import NamedTuple

from contract.policy.first_look import Clue
from contract.policy.identifier_kinds import clues_of
from contract.policy.rules import (
    AccountNumberRule,
    DisclaimerRule,
    GiftRule,
    LexiconRule,
    NumberRule,
    OptOutWordsRule,
    QuietHoursRule,
    RegexRule,
    Rule,
    TermRule,
    WrongClientRule,
    kind_of,
)

MAX_CHANNELS = 32

_ABOUT_TEXT = TermRule | NumberRule | RegexRule | AccountNumberRule | WrongClientRule


class PlacedRule(NamedTuple):
    """A rule with its place among the bundle's rules."""

    place: int
    rule: Rule


class RulePlan(NamedTuple):
    """The rules that hold on one channel.

    Those about texts stand in `about_text`, and once more by what they need: `by_terms` (by
    place) one of their terms, `by_clues` one of these clues, `accounts` known accounts, `names`
    the own book, `any_text` nothing. `beyond_text` are those that no word of a text touches.
    """

    about_text: tuple[PlacedRule, ...]
    by_terms: dict[int, PlacedRule]
    by_clues: tuple[tuple[frozenset[Clue], PlacedRule], ...]
    accounts: tuple[PlacedRule, ...]
    names: tuple[PlacedRule, ...]
    any_text: tuple[PlacedRule, ...]
    beyond_text: tuple[PlacedRule, ...]


class RulePlans:
    """The plans of one bundle's rules, each made when its channel is first asked for."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.quiet_hours = tuple(rule for rule in rules if isinstance(rule, QuietHoursRule))
        self._rules = rules
        self._by_channel: dict[str, RulePlan] = {}

    def on(self, channel: str) -> RulePlan:
        """Return the plan of one channel, by its wire name."""
        plan = self._by_channel.get(channel)
        if plan is None:
            plan = _plan(self._rules, channel)
            if len(self._by_channel) < MAX_CHANNELS:
                self._by_channel[channel] = plan
        return plan


def _plan(rules: tuple[Rule, ...], channel: str) -> RulePlan:
    placed = [
        PlacedRule(place, rule)
        for place, rule in enumerate(rules)
        if not rule.channels or channel in rule.channels
    ]
    about_text = tuple(one for one in placed if isinstance(one.rule, _ABOUT_TEXT))
    by_terms = {one.place: one for one in about_text if _needs_terms(one.rule)}
    return RulePlan(
        about_text=about_text,
        by_terms=by_terms,
        by_clues=tuple((needed, one) for one in about_text if (needed := _needs_clues(one.rule))),
        accounts=tuple(one for one in placed if isinstance(one.rule, AccountNumberRule)),
        names=tuple(one for one in placed if isinstance(one.rule, WrongClientRule)),
        any_text=tuple(
            one
            for one in about_text
            if one.place not in by_terms
            and isinstance(one.rule, RegexRule | DisclaimerRule | NumberRule)
            and not _needs_clues(one.rule)
        ),
        beyond_text=tuple(
            one for one in placed if not isinstance(one.rule, _ABOUT_TEXT | OptOutWordsRule)
        ),
    )


def _needs_clues(rule: Rule) -> frozenset[Clue]:
    return clues_of(kind_of(rule)) if isinstance(rule, NumberRule) else frozenset()


def _needs_terms(rule: Rule) -> bool:
    if isinstance(rule, DisclaimerRule):
        return bool(rule.terms)
    return isinstance(rule, LexiconRule | GiftRule)
