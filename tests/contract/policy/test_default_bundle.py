"""The shipped bundle: what it finds and leaves alone in five languages, and that its words hold.

It does not test how the evaluator works, only what the shipped rules and word lists make of it.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from contract.policy.bundle import CompiledBundle
from contract.policy.evaluate import evaluate
from contract.policy.identifier_kinds import IdentifierKind
from contract.policy.model import Action, Decision, Draft, Recipient, Scope
from contract.policy.opt_out import opt_out_match
from contract.policy.publishing import client_files
from contract.policy.rules import AttachmentRule, GiftRule, IdentifierRule, RetailReachRule
from tests.contract.policy.conftest import consenting_facts

SENTENCES = Path(__file__).parent / "sentences"
LANGUAGES = ("en", "de", "fr", "zh", "ja")
WORDS_OF = (*LANGUAGES, "zh-Hant")
MAX_TITLE_CHARS = 60
CATEGORIES = (
    "off-channel",
    "promissory",
    "mnpi",
    "complaint",
    "gift",
    "confidentiality",
)


def lines(name: str) -> list[str]:
    """Return the lines of one of the sentence files."""
    return (SENTENCES / name).read_text(encoding="utf-8").splitlines()


def decide(bundle: CompiledBundle, text: str, language: str = "en") -> Decision:
    """Decide on a text to one client who has accepted the recording notice."""
    draft = Draft(
        text=text,
        conversation_id="conversation-1",
        channel="signal",
        recipients=(Recipient(contact_id="contact-1", contact_point_id="point-1"),),
        language=language,
    )
    return evaluate(bundle, consenting_facts(), draft)


def rows(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    """Return the rows of one CSV file of the bundle."""
    return list(csv.DictReader(io.StringIO(files[name].decode("utf-8"))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_ordinary_sentences_ask_nothing_of_their_sender(
    server_bundle: CompiledBundle, language: str
) -> None:
    sentences = lines(f"ordinary.{language}.txt")
    assert len(set(sentences)) >= 150
    stopped = [
        (sentence, finding.rule_id, sentence[finding.start : finding.end])
        for sentence in sentences
        for finding in decide(server_bundle, sentence).findings
        if finding.action.rank >= Action.WARN.rank
    ]
    assert stopped == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_that_matter_are_found_by_their_rule(
    server_bundle: CompiledBundle, language: str
) -> None:
    cases = [line.split("\t") for line in lines(f"must_hit.{language}.tsv")]
    assert len({sentence for _, sentence in cases}) >= 60
    missed = [
        (rule_id, sentence)
        for rule_id, sentence in cases
        if rule_id not in {one.rule_id for one in decide(server_bundle, sentence).findings}
    ]
    assert missed == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("category", CATEGORIES)
def test_each_category_has_its_terms_in_each_language(
    files: dict[str, bytes], category: str, language: str
) -> None:
    terms = [row for row in rows(files, f"lexicons/{category}.csv") if row["language"] == language]
    assert len(terms) >= 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_evidence_list_has_words_in_each_language(
    files: dict[str, bytes], language: str
) -> None:
    for name in (name for name in files if name.startswith("evidence/")):
        assert any(row["language"] == language for row in rows(files, name)), name


def test_every_kind_of_identifier_has_a_rule(server_bundle: CompiledBundle) -> None:
    named = {rule.detect for rule in server_bundle.rules if isinstance(rule, IdentifierRule)}
    assert named | {IdentifierKind.PAYMENT_CARD, IdentifierKind.IBAN} == set(IdentifierKind)


def test_every_rule_names_its_source_and_category(server_bundle: CompiledBundle) -> None:
    for rule in server_bundle.rules:
        assert rule.why, rule.id
        assert rule.category, rule.id


def test_thresholds_are_those_of_the_rules_of_law(server_bundle: CompiledBundle) -> None:
    (gift,) = (rule for rule in server_bundle.rules if isinstance(rule, GiftRule))
    (reach,) = (rule for rule in server_bundle.rules if isinstance(rule, RetailReachRule))
    assert (gift.limit_minor, gift.currency, gift.period) == (30_000, "USD", "year")
    assert reach.limit == 25
    assert any(isinstance(rule, AttachmentRule) for rule in server_bundle.rules)


def test_words_stand_in_every_language_and_fit_a_line(files: dict[str, bytes]) -> None:
    by_key: dict[str, set[str]] = {}
    for row in rows(files, "messages.csv"):
        by_key.setdefault(row["key"], set()).add(row["language"])
        if not row["key"].startswith("disclaimer."):
            assert len(row["title"]) <= MAX_TITLE_CHARS, row["title"]
    assert {key for key, known in by_key.items() if known != set(WORDS_OF)} == set()


def test_words_name_no_rule_and_no_regulation(files: dict[str, bytes]) -> None:
    law = re.compile(r"\b(FINRA|MiFID|SEC|GDPR|TCPA|MAR)\b")
    for row in rows(files, "messages.csv"):
        assert law.search(row["title"] + row["detail"]) is None, row


def test_silent_rules_stay_on_the_server(
    files: dict[str, bytes], server_bundle: CompiledBundle
) -> None:
    published = client_files(files)
    for rule in server_bundle.rules:
        if rule.scope is Scope.SERVER:
            assert rule.id.encode() not in published["rules.yaml"]
    assert not any(name.startswith("optout/") for name in published)
    assert "lexicons/complaint.csv" not in published


@pytest.mark.parametrize(
    ("text", "channel", "out"),
    [
        ("STOP", "whatsapp", True),
        ("Stop.", "sms", True),
        ("unsubscribe", "signal", True),
        ("OPT OUT", "sms", True),
        ("Please stop texting me", "whatsapp", True),
        ("Please take me off your list, thanks", "sms", True),
        ("Abmelden", "sms", True),
        ("Bitte keine Nachrichten mehr", "whatsapp", True),
        ("Ne m'écrivez plus s'il vous plaît", "whatsapp", True),
        ("ARRÊT", "sms", True),
        ("退订", "wechat", True),
        ("請不要再給我發了", "wechat", True),
        ("配信停止", "line", True),
        ("もう連絡しないでください", "line", True),
        ("TD", "sms", True),
        ("TD", "whatsapp", False),
        ("Stop by on Monday if you like", "whatsapp", False),
        ("Set the stop at 42, please", "whatsapp", False),
        ("Please cancel my order", "whatsapp", False),
        ("At the end of the year", "sms", False),
        ("Das Ende der Laufzeit ist 2031", "sms", False),
        ("C'est la fin du mois", "sms", False),
        ("请停止亏损的仓位", "wechat", False),
        ("ストップロスを入れてください", "line", False),
    ],
)
def test_clients_opt_out_in_their_own_words(
    server_bundle: CompiledBundle, text: str, channel: str, out: bool
) -> None:
    assert (opt_out_match(server_bundle, text, channel) is not None) is out
