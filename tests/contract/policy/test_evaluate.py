"""Decisions of the sample bundle: what is found, what it asks for, and that it is reproducible.

It does not test how the words look in the composer.
"""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.policy.bundle import CompiledBundle
from contract.policy.evaluate import evaluate
from contract.policy.facts import account_hash
from contract.policy.model import (
    AccountFacts,
    Action,
    Draft,
    Facts,
    OverrideKind,
    Recipient,
    Scope,
    WallFacts,
)
from contract.wire import ConsentStatus
from tests.contract.policy.conftest import NOW_UTC_MS, Decide, consenting_facts

CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"


def test_an_ordinary_draft_is_allowed(decide: Decide) -> None:
    decision = decide("Good morning Hana-san, settlement is T+2 as always.")
    assert decision.findings == ()
    assert decision.action is Action.ALLOW
    assert decision.override_kind is OverrideKind.WITHOUT_JUSTIFICATION


def test_a_card_blocks_with_its_own_span(decide: Decide) -> None:
    text = f"😀 the card is {CARD}"
    decision = decide(text)
    (finding,) = decision.findings
    assert text[finding.start : finding.end] == CARD
    assert (decision.action, finding.confidence) == (Action.BLOCK, 85)
    assert decision.override_kind is OverrideKind.NOT_ALLOWED
    assert [fix.kind.value for fix in finding.fixes] == ["mask", "remove"]
    assert "PCI" in finding.why


def test_most_severe_first_then_by_place(decide: Decide) -> None:
    decision = decide(f"guaranteed, and risk-free, card {CARD}, {IBAN}")
    ids = [finding.rule_id for finding in decision.findings]
    assert ids == [
        "identifiers.payment-card",
        "conduct.promissory",
        "conduct.promissory",
        "identifiers.iban",
    ]
    assert decision.action is Action.BLOCK


@pytest.mark.parametrize(
    ("text", "rule", "action"),
    [
        ("The coupon is guaranteed.", "conduct.promissory", Action.JUSTIFY),
        ("Die Rendite ist garantiert", "conduct.promissory", Action.JUSTIFY),
        ("この商品は元本保証です", "conduct.promissory", Action.JUSTIFY),
        ("这个产品保本保息", "conduct.promissory", Action.JUSTIFY),
        ("我们保证收益", "conduct.promissory", Action.JUSTIFY),
        ("Let’s take this offline", "conduct.off-channel", Action.BLOCK),
        ("send it to my Gmail", "conduct.off-channel", Action.BLOCK),
        ("请加我微信", "conduct.off-channel", Action.BLOCK),
        ("lieber auf WhatsApp privat", "conduct.off-channel", Action.BLOCK),
        ("gua\u200brant\u2060eed", "conduct.promissory", Action.JUSTIFY),
        ("ｇｕａｒａｎｔｅｅｄ", "conduct.promissory", Action.JUSTIFY),
        ("g u a r a n t e e d", "conduct.promissory", Action.JUSTIFY),
        ("g.u.a.r.a.n.t.e.e.d", "conduct.promissory", Action.JUSTIFY),
        ("guаrаnteed", "conduct.promissory", Action.JUSTIFY),
        ("risk\n free", "conduct.promissory", Action.JUSTIFY),
        ("保 本 保 息", "conduct.promissory", Action.JUSTIFY),
    ],
)
def test_lexicon_terms_are_found(decide: Decide, text: str, rule: str, action: Action) -> None:
    decision = decide(text)
    assert [finding.rule_id for finding in decision.findings] == [rule]
    assert decision.action is action


@pytest.mark.parametrize("text", ["unguaranteed", "guaranteedly", "the surest bets", "本保"])
def test_terms_never_cut_through_words(decide: Decide, text: str) -> None:
    assert decide(text).findings == ()


def test_an_iban_asks_for_a_reason_while_accounts_are_unknown(decide: Decide) -> None:
    assert decide(IBAN).action is Action.JUSTIFY


def test_the_clients_own_account_may_go_and_no_other(decide: Decide) -> None:
    key = "k" * 32
    accounts = AccountFacts(key=key, client_hashes=frozenset({account_hash(key, IBAN)}))
    facts = consenting_facts(accounts=accounts)
    assert decide(f"to {IBAN}", facts).action is Action.ALLOW
    decision = decide("to NL91 ABNA 0417 1643 00", facts)
    assert decision.action is Action.BLOCK
    assert decision.findings[0].message == "Not this client’s account"


def test_an_opted_out_client_is_not_written_to(decide: Decide) -> None:
    decision = decide("Hello", consenting_facts(opted_out=True))
    assert [finding.rule_id for finding in decision.findings] == ["consent.opted-out"]
    assert decision.action is Action.BLOCK


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (ConsentStatus.ACCEPTED, Action.ALLOW),
        (ConsentStatus.NOT_ASKED, Action.HINT),
        (ConsentStatus.PENDING, Action.HINT),
        (ConsentStatus.REFUSED, Action.BLOCK),
    ],
)
def test_recording_notice(decide: Decide, status: ConsentStatus, action: Action) -> None:
    assert decide("Hello", consenting_facts(recording_notice=status)).action is action


@pytest.mark.parametrize(
    ("channel", "closes_at_utc_ms", "template_id", "action"),
    [
        ("whatsapp", NOW_UTC_MS - 1, "", Action.BLOCK),
        ("whatsapp", NOW_UTC_MS, "", Action.BLOCK),
        ("whatsapp", NOW_UTC_MS + 1, "", Action.ALLOW),
        ("whatsapp", NOW_UTC_MS - 1, "greeting", Action.ALLOW),
        ("whatsapp", None, "", Action.ALLOW),
        ("signal", NOW_UTC_MS - 1, "", Action.ALLOW),
    ],
)
def test_channel_windows(
    decide: Decide, channel: str, closes_at_utc_ms: int | None, template_id: str, action: Action
) -> None:
    facts = consenting_facts(window_closes_at_utc_ms=closes_at_utc_ms)
    assert decide("Hi", facts, channel=channel, template_id=template_id).action is action


def test_spent_window_messages_close_the_window(decide: Decide) -> None:
    facts = consenting_facts(window_messages_left=0)
    assert decide("Hi", facts, channel="wechat").action is Action.BLOCK


def test_a_wall_is_never_named(decide: Decide) -> None:
    walls = WallFacts(denied_contact_ids=frozenset({"contact-1"}), reference="7F3A")
    (finding,) = decide("Hello", consenting_facts(walls=walls)).findings
    assert finding.action is Action.BLOCK
    assert finding.message == "Not allowed with this client"
    assert finding.detail == "Ask Compliance, ref. 7F3A."
    assert "wall" not in (finding.message + finding.detail).lower()


def test_words_follow_the_language_and_the_hash_does_not(decide: Decide) -> None:
    english, german = decide("guaranteed"), decide("guaranteed", language="de-CH")
    assert german.findings[0].message == "„guaranteed“ klingt wie ein Versprechen"
    assert decide("guaranteed", language="pt").findings == english.findings
    assert english.decision_hash() == german.decision_hash()


def test_the_hash_covers_text_and_facts_but_not_the_time(decide: Decide) -> None:
    one = decide("guaranteed")
    later = msgspec.structs.replace(consenting_facts(), now_utc_ms=NOW_UTC_MS + 5)
    assert decide("guaranteed", later).decision_hash() == one.decision_hash()
    assert decide("guaranteed ").decision_hash() != one.decision_hash()
    assert decide("guaranteed", Facts(now_utc_ms=1)).decision_hash() != one.decision_hash()


def test_a_decision_survives_the_wire(decide: Decide) -> None:
    decision = decide(f"guaranteed {CARD}")
    again = msgspec.json.decode(msgspec.json.encode(decision), type=type(decision))
    assert again == decision
    assert again.decision_hash() == decision.decision_hash()


pieces = st.lists(
    st.one_of(
        st.sampled_from(
            [
                CARD,
                IBAN,
                "guaranteed",
                "加我微信",
                "元本保証",
                " ",
                "\u200b",
                "😀",
                "\ud83d",
                "take",
            ]
        ),
        st.text(max_size=8),
    ),
    max_size=12,
)


@given(pieces)
def test_both_sides_decide_alike(
    bundle: CompiledBundle, server_bundle: CompiledBundle, parts: list[str]
) -> None:
    draft = Draft(text="".join(parts), conversation_id="c", channel="whatsapp")
    facts = Facts(now_utc_ms=NOW_UTC_MS)
    client = evaluate(bundle, facts, draft)
    assert client.canonical_bytes() == evaluate(bundle, facts, draft).canonical_bytes()
    server = evaluate(server_bundle, facts, draft).findings
    assert client.findings == tuple(one for one in server if one.scope is Scope.BOTH)
    for finding in client.findings:
        assert 0 <= finding.start <= finding.end <= len(draft.text)


def test_several_recipients_count_together(bundle: CompiledBundle) -> None:
    facts = consenting_facts()
    draft = Draft(
        text="Hello",
        conversation_id="c",
        channel="signal",
        recipients=(
            Recipient(contact_id="contact-1", contact_point_id="point-1"),
            Recipient(contact_id="contact-2", contact_point_id="point-2"),
        ),
    )
    # Nothing is known of the second person: the notice counts as not accepted.
    assert evaluate(bundle, facts, draft).action is Action.HINT


def test_hostile_length_takes_no_hostile_time(bundle: CompiledBundle) -> None:
    started_s = time.thread_time()
    for text in ("4 " * 8_000, "a " * 8_000, "g.u.a." * 2_700, "\u0301" * 16_000, "de8" * 5_300):
        evaluate(bundle, consenting_facts(), Draft(text=text, conversation_id="c", channel="sms"))
    # Far above what it takes, far below what anything quadratic would take.
    assert time.thread_time() - started_s < 5
