"""One text to several people as separate chats: how each is reached, decided one by one.

It does not test the composer that shows it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from contract.policy.bundle import Side
from contract.policy.matrix import Reach, RecipientVerdict, evaluate_each
from contract.policy.model import Action, ContactPointFacts, Draft, Recipient, WallFacts
from contract.wire import ConsentStatus
from tests.contract.policy.kinds import NOW_UTC_MS, POINT, compiled, with_facts


def point(name: str, **changes: Any) -> ContactPointFacts:
    """Return the facts of a person of that name."""
    changes |= {"contact_id": name, "contact_point_id": f"{name}:point"}
    return msgspec.structs.replace(POINT, **changes)


def verdicts(
    points: tuple[ContactPointFacts, ...], text: str = "Hello", **facts: Any
) -> tuple[RecipientVerdict, ...]:
    """Return the matrix for the people of those contact points, on WhatsApp."""
    draft = Draft(
        text=text,
        conversation_id="",
        channel="whatsapp",
        recipients=tuple(
            Recipient(contact_id=one.contact_id, contact_point_id=one.contact_point_id)
            for one in points
        ),
    )
    return evaluate_each(compiled(Side.CLIENT), with_facts(contact_points=points, **facts), draft)


def test_everybody_is_reached_in_their_own_way() -> None:
    people = (
        point("free", window_closes_at_utc_ms=NOW_UTC_MS + 1),
        point("late", window_closes_at_utc_ms=NOW_UTC_MS - 1),
        point("refused", recording_notice=ConsentStatus.REFUSED, window_closes_at_utc_ms=0),
        point("out", opted_out=True),
        point("walled", opted_out=True),
    )
    matrix = verdicts(people, walls=WallFacts(denied_contact_ids=frozenset({"walled"})))
    assert {one.contact_id: one.reach for one in matrix} == {
        "free": Reach.FREE_TEXT,
        "late": Reach.TEMPLATE,
        "refused": Reach.NO_CONSENT,
        "out": Reach.OPTED_OUT,
        "walled": Reach.NOT_ALLOWED,
    }
    assert [one.decision.action for one in matrix] == [Action.ALLOW, *[Action.BLOCK] * 4]


def test_words_that_block_do_not_change_how_people_are_reached() -> None:
    (one,) = verdicts((point("a"),), "4111 1111 1111 1111")
    assert (one.reach, one.decision.action) == (Reach.FREE_TEXT, Action.BLOCK)


def test_the_reach_of_a_text_counts_for_each_retail_client() -> None:
    people = [point(f"p{number}", retail=number < 26) for number in range(40)]
    actions = [one.decision.action for one in verdicts(tuple(people))]
    assert actions == [Action.APPROVE] * 26 + [Action.ALLOW] * 14
    fewer = [point(f"p{number}", retail=number < 25) for number in range(40)]
    assert {one.decision.action for one in verdicts(tuple(fewer))} == {Action.ALLOW}


def test_a_person_without_facts_counts_as_never_asked() -> None:
    (one,) = verdicts((point("a", recording_notice=ConsentStatus.NOT_ASKED),))
    assert one.contact_point_id == "a:point"
