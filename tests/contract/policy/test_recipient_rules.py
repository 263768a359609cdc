"""Rules about whom a draft reaches: consent, windows, walls, retail reach and quiet hours.

It does not test what the words say.
"""

from __future__ import annotations

import itertools

import msgspec
import pytest

from contract.policy.bundle import Side
from contract.policy.model import (
    Action,
    ContactPointFacts,
    Facts,
    OverrideKind,
    ReachFacts,
    Recipient,
    WallFacts,
)
from contract.policy.recipient_detectors import time_marks
from contract.wire import ConsentStatus
from tests.contract.policy.kinds import (
    FACTS,
    NOW_UTC_MS,
    POINT,
    compiled,
    decide,
    findings,
    with_facts,
    with_point,
)

OTHERS = tuple(
    Recipient(contact_id=f"person-{number}", contact_point_id=f"person-{number}:point")
    for number in (1, 2, 3)
)


def test_opt_in_is_asked_on_its_channels_alone() -> None:
    facts = with_point(opt_in=ConsentStatus.NOT_ASKED)
    (finding,) = findings("consent.opt-in", facts=facts, channel="sms")
    assert finding.contact_ids == ("person-1",)
    assert finding.override_kind is OverrideKind.WITHOUT_JUSTIFICATION
    assert findings("consent.opt-in", facts=facts) == []
    assert findings("consent.opt-in", channel="sms") == []


def test_only_those_concerned_are_listed() -> None:
    points = (POINT, *(point_of(number, number == 2) for number in (2, 3)))
    facts = with_facts(contact_points=points)
    (finding,) = findings("consent.out", facts=facts, recipients=OTHERS)
    assert finding.contact_ids == ("person-2",)


def point_of(number: int, opted_out: bool) -> ContactPointFacts:
    """Return the facts of one more person's contact point."""
    return msgspec.structs.replace(
        POINT,
        contact_point_id=f"person-{number}:point",
        contact_id=f"person-{number}",
        opted_out=opted_out,
    )


@pytest.mark.parametrize(
    ("left", "closes_at_utc_ms", "template_id", "count"),
    [
        (None, None, "", 0),
        (3, NOW_UTC_MS + 1, "", 0),
        (0, NOW_UTC_MS + 1, "", 1),
        (3, NOW_UTC_MS, "", 1),
        (None, 0, "", 1),
        (0, 0, "greeting", 0),
    ],
)
def test_a_window_closes_by_time_or_by_its_messages(
    left: int | None, closes_at_utc_ms: int | None, template_id: str, count: int
) -> None:
    facts = with_point(window_messages_left=left, window_closes_at_utc_ms=closes_at_utc_ms)
    found = findings("windows.closed", facts=facts, channel="wechat", template_id=template_id)
    assert len(found) == count


@pytest.mark.parametrize(
    ("offset_min", "quiet"),
    [(None, False), (0, False), (-240, False), (-241, True), (479, False), (480, True)],
)
def test_quiet_hours_follow_the_recipients_place(offset_min: int | None, quiet: bool) -> None:
    # It is noon in UTC; quiet from 20:00 to 08:00.
    facts = with_point(utc_offset_min=offset_min)
    assert bool(findings("windows.quiet", facts=facts)) is quiet


def test_the_marks_of_time_change_when_a_decision_can() -> None:
    rules = compiled(Side.SERVER).rules
    facts = with_point(utc_offset_min=0, window_closes_at_utc_ms=NOW_UTC_MS + 60_000)
    later = [
        msgspec.structs.replace(facts, now_utc_ms=NOW_UTC_MS + minutes * 60_000)
        for minutes in range(0, 24 * 60, 7)
    ]
    for one, two in itertools.pairwise(later):
        same = time_marks(rules, one) == time_marks(rules, two)
        one_ids = {finding.rule_id for finding in decide(facts=one, channel="wechat").findings}
        two_ids = {finding.rule_id for finding in decide(facts=two, channel="wechat").findings}
        assert same == (one_ids == two_ids)


def test_a_wall_stops_recipients_and_mentions() -> None:
    facts = with_facts(walls=WallFacts(denied_contact_ids=frozenset({"person-2"})))
    (finding,) = findings("walls.any", facts=facts, recipients=OTHERS)
    assert finding.contact_ids == ("person-2",)
    (finding,) = findings("walls.any", facts=facts, mentions=("person-2",))
    assert finding.contact_ids == ("person-1",)
    assert findings("walls.any", facts=facts, forwarded_from=("person-2",))
    assert findings("walls.any", facts=facts, mentions=("person-3",)) == []


def test_a_pair_goes_one_way() -> None:
    facts = with_facts(walls=WallFacts(denied_pairs=frozenset({("person-2", "person-1")})))
    assert findings("walls.any", facts=facts, forwarded_from=("person-2",))
    assert findings("walls.any", facts=facts, mentions=("person-2",))
    (finding,) = findings("walls.any", facts=facts, recipients=OTHERS[:2])
    assert finding.contact_ids == ("person-1",)
    back = with_facts(walls=WallFacts(denied_pairs=frozenset({("person-1", "person-2")})))
    assert findings("walls.any", facts=back, forwarded_from=("person-2",)) == []
    assert findings("walls.any", facts=facts) == []


def test_a_delegate_is_bound_by_the_delegators_walls() -> None:
    facts = with_facts(walls=WallFacts(denied_on_behalf=frozenset({"person-1"})))
    assert findings("walls.any", facts=facts) == []
    assert findings("walls.any", facts=facts, on_behalf_of="employee-2")


def retail_facts(reached: int, retail: bool = True) -> Facts:
    """Return facts with so many people reached before."""
    ids = frozenset(f"reached-{number}" for number in range(reached))
    return with_point(with_facts(reach=ReachFacts(contact_ids=ids)), retail=retail)


@pytest.mark.parametrize(
    ("reached", "retail", "several", "held"),
    [(24, True, 0, False), (25, True, 0, True), (25, False, 0, False), (0, True, 26, True)],
)
def test_the_twenty_sixth_retail_client_makes_a_retail_communication(
    reached: int, retail: bool, several: int, held: bool
) -> None:
    decision = decide(facts=retail_facts(reached, retail), several=several)
    assert (decision.action is Action.APPROVE) is held


def test_who_was_reached_before_counts_once() -> None:
    ids = frozenset({"person-1", *(f"reached-{number}" for number in range(24))})
    facts = with_point(with_facts(reach=ReachFacts(contact_ids=ids)), retail=True)
    assert findings("reach.retail", facts=facts) == []


def test_nothing_is_held_against_the_usual_recipient() -> None:
    assert decide(facts=FACTS).findings == ()
