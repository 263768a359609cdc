"""What a sender reads never names another client, a wall, a list or a deal.

It does not test where the words are shown.
"""

from __future__ import annotations

import msgspec

from contract.policy.book import BookName, compile_book
from contract.policy.bundle import Side, compile_bundle
from contract.policy.disclosure import findings_for_sender
from contract.policy.evaluate import evaluate
from contract.policy.facts import account_hash
from contract.policy.model import (
    AccountFacts,
    Decision,
    Draft,
    Facts,
    Finding,
    GiftFacts,
    ReachFacts,
    Recipient,
    WallFacts,
)
from tests.contract.policy.kinds import NOW_UTC_MS, POINT, compiled, with_point
from tests.support.policy_bundle import bundle_files

CANARIES = ("Zanzibarquist", "walled-zq7", "retail-zq7", "gifted-zq7", "talk-zq7")
KEY = "k" * 32
FACTS = Facts(
    now_utc_ms=NOW_UTC_MS,
    contact_points=(msgspec.structs.replace(POINT, retail=True),),
    walls=WallFacts(
        denied_contact_ids=frozenset({"walled-zq7"}),
        denied_pairs=frozenset({("walled-zq7", "person-1")}),
        reference="7F3A",
    ),
    accounts=AccountFacts(
        key=KEY,
        book=((account_hash(KEY, "8820441703"), "talk-zq7"),),
        firm_hashes=frozenset({account_hash(KEY, "7734118820")}),
    ),
    book=compile_book(
        1,
        [BookName(name="Zanzibarquist", contact_id="gifted-zq7", conversation_id="talk-zq7")],
    ),
    reach=ReachFacts(contact_ids=frozenset(f"retail-zq7-{number}" for number in range(30))),
    gifts=GiftFacts(given=(("gifted-zq7", 99_000, "USD"), ("person-1", 99_000, "USD"))),
)
TEXT = "Zanzibarquist: 8820441703, 7734118820, a gift of $900; falcon and osprey"


def decided(side: Side, facts: Facts) -> Decision:
    """Return the decision on a draft that touches everything the facts know."""
    draft = Draft(
        text=TEXT,
        conversation_id="talk-1",
        channel="signal",
        recipients=(Recipient(contact_id="person-1", contact_point_id="person-1:point"),),
        mentions=("walled-zq7",),
        forwarded_from=("walled-zq7",),
    )
    return evaluate(compiled(side), facts, draft)


def words(finding: Finding) -> str:
    """Return all words of a finding that are shown."""
    labels = [fix.label for fix in finding.fixes]
    shown = [finding.message, finding.detail, finding.why, finding.category, *labels]
    return " ".join(shown).lower()


def test_a_clients_findings_name_nobody_the_facts_know() -> None:
    found = decided(Side.CLIENT, FACTS.for_client()).findings
    assert {"walls.any", "names.any", "accounts.any"} <= {one.rule_id for one in found}
    for finding in found:
        for canary in (*CANARIES, "wall", "list", "deal", "falcon"):
            assert canary.lower() not in words(finding)


def test_a_senders_findings_name_nothing_the_server_knows() -> None:
    decision = decided(Side.SERVER, FACTS)
    assert {"server.deal", "server.watch", "gifts.limit", "reach.retail"} <= {
        one.rule_id for one in decision.findings
    }
    shown = findings_for_sender(compiled(Side.SERVER), decision)
    for finding in shown:
        for canary in (*CANARIES, "wall", "list", "deal", "falcon", "osprey"):
            assert canary.lower() not in words(finding)
    firm_wide = [one for one in shown if one.rule_id == "compliance"]
    assert all((one.start, one.end, one.contact_ids) == (0, 0, ()) for one in firm_wide)
    assert "server." not in repr(shown)


def test_a_silent_rule_is_not_shown_and_decides_nothing() -> None:
    draft = Draft(text="osprey", conversation_id="c", channel="signal")
    bundle = compile_bundle(bundle_files())
    decision = evaluate(bundle, with_point(), draft)
    assert [one.action.value for one in decision.findings] == ["log"]
    assert findings_for_sender(bundle, decision) == ()
