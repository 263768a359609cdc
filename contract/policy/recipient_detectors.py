"""Owns the rules about whom a draft reaches: consent, windows, walls, reach, quiet hours.

It never names anybody, a wall or a list: its hits hold ids and a reference alone.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

from contract.policy.context import Context
from contract.policy.hits import Hit
from contract.policy.model import ContactPointFacts, Facts
from contract.policy.rules import (
    ChannelWindowRule,
    OptInRule,
    OptOutRule,
    QuietHoursRule,
    RecordingNoticeRule,
    RetailReachRule,
    Rule,
    WallRule,
)

RecipientRule = (
    OptOutRule
    | OptInRule
    | RecordingNoticeRule
    | ChannelWindowRule
    | WallRule
    | RetailReachRule
    | QuietHoursRule
)
_DAY_MIN = 24 * 60
_TIMED = (ChannelWindowRule, QuietHoursRule)


def find_recipients(rule: RecipientRule, context: Context) -> tuple[Hit, ...]:
    """Return one hit when a rule is about somebody the draft reaches, with who that is."""
    concerned: tuple[str, ...] | None
    match rule:
        case WallRule():
            concerned = _walled(context)
        case RetailReachRule():
            concerned = _beyond_reach(rule, context)
        case ChannelWindowRule() if context.draft.template_id:
            concerned = None
        case _:
            points, facts = context.points, context.facts
            concerned = tuple(one.contact_id for one in points if _concerns(rule, one, facts))
            concerned = concerned or None
    if concerned is None:
        return ()
    reference = context.facts.walls.reference if isinstance(rule, WallRule) else ""
    contact_ids = tuple(dict.fromkeys(one for one in concerned if one))
    return (Hit(rule.action, rule.message, reference=reference, contact_ids=contact_ids),)


def time_marks(rules: Sequence[Rule], facts: Facts) -> tuple[bool, ...]:
    """Return all that a decision takes from the time: which windows are closed, which hours quiet.

    Equal marks give equal decisions on else equal facts. `rules` are those of the bundle, or at
    least all of its quiet hours.
    """
    now_utc_ms = facts.now_utc_ms
    marks = [window_closed(point, now_utc_ms) for point in facts.contact_points]
    for rule in rules:
        if isinstance(rule, QuietHoursRule):
            marks += [in_quiet_hours(rule, point, now_utc_ms) for point in facts.contact_points]
    return tuple(marks)


def timed_rules(rules: tuple[Rule, ...]) -> frozenset[str]:
    """Return the ids of the rules whose findings come and go with the clock alone."""
    return frozenset(rule.id for rule in rules if isinstance(rule, _TIMED))


def window_closed(point: ContactPointFacts, now_utc_ms: int) -> bool:
    """Tell whether a channel's reply window is over, or its messages are used up."""
    closes_at_utc_ms, left = point.window_closes_at_utc_ms, point.window_messages_left
    if left is not None and left <= 0:
        return True
    return closes_at_utc_ms is not None and closes_at_utc_ms <= now_utc_ms


def in_quiet_hours(rule: QuietHoursRule, point: ContactPointFacts, now_utc_ms: int) -> bool:
    """Tell whether it is quiet at the recipient's place; not when the place is not known."""
    if point.utc_offset_min is None:
        return False
    now_min = (now_utc_ms // 60_000 + point.utc_offset_min) % _DAY_MIN
    from_min, to_min = _minutes(rule.from_), _minutes(rule.to)
    if from_min <= to_min:
        return from_min <= now_min < to_min
    return now_min >= from_min or now_min < to_min


def _concerns(rule: RecipientRule, point: ContactPointFacts, facts: Facts) -> bool:
    match rule:
        case OptOutRule():
            return point.opted_out
        case OptInRule():
            return point.opt_in in rule.states
        case RecordingNoticeRule():
            return point.recording_notice in rule.states
        case ChannelWindowRule():
            return window_closed(point, facts.now_utc_ms)
        case QuietHoursRule():
            return in_quiet_hours(rule, point, facts.now_utc_ms)
        case _:
            return False


def _walled(context: Context) -> tuple[str, ...] | None:
    """Return the recipients whom a wall keeps from this draft; None when there is no wall.

    Words go one way: from whom they come or are about, to whom they reach. In a group they
    also go from each member to the others.
    """
    walls, draft = context.facts.walls, context.draft
    recipients = tuple(dict.fromkeys(to.contact_id for to in draft.recipients))
    denied = walls.denied_contact_ids
    if any(one in denied for one in (*draft.mentions, *draft.forwarded_from)):
        return recipients
    concerned = {one for one in recipients if one in denied}
    if draft.on_behalf_of:
        if any(one in walls.denied_on_behalf for one in (*draft.mentions, *draft.forwarded_from)):
            return recipients
        concerned.update(one for one in recipients if one in walls.denied_on_behalf)
    if walls.denied_pairs:
        about = (*draft.mentions, *draft.forwarded_from)
        ways = itertools.chain(
            itertools.product(about, recipients), itertools.permutations(recipients, 2)
        )
        concerned.update(to for way in ways if way in walls.denied_pairs for to in (way[1],))
    return tuple(one for one in recipients if one in concerned) or None


def _beyond_reach(rule: RetailReachRule, context: Context) -> tuple[str, ...] | None:
    """Return the retail recipients when the text reaches more of them than allowed, else None."""
    retail = tuple(dict.fromkeys(point.contact_id for point in context.points if point.retail))
    if not retail:
        return None
    together = len(context.facts.reach.contact_ids.union(retail))
    return retail if max(together, context.draft.several) > rule.limit else None


@functools.lru_cache(maxsize=64)
def _minutes(local_time: str) -> int:
    hours, _, minutes = local_time.partition(":")
    return int(hours) * 60 + int(minutes)
