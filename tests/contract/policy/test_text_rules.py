"""Rules about words and numbers: identifiers, quotes, accounts, names, gifts, disclaimers, files.

It does not test how well identifiers are told from ordinary figures.
"""

from __future__ import annotations

import msgspec
import pytest

from contract.policy.book import BookName, compile_book
from contract.policy.facts import account_hash
from contract.policy.fixes import apply_fix
from contract.policy.model import (
    AccountFacts,
    Action,
    Attachment,
    FixKind,
    GiftFacts,
    Inspection,
    OverrideKind,
    Scope,
)
from tests.contract.policy.kinds import FACTS, decide, findings, with_facts, with_point

KEY = "k" * 32
ACCOUNTS = AccountFacts(
    key=KEY,
    client_hashes=frozenset({account_hash(KEY, "CH-204-118.220-7")}),
    book=((account_hash(KEY, "8820 4417 03"), "talk-9"),),
    firm_hashes=frozenset({account_hash(KEY, "7734-118820-05")}),
)
BOOK = compile_book(
    1,
    [
        BookName(name="Hana Watanabe", contact_id="person-1", conversation_id="talk-1"),
        BookName(name="Quillon Zephyrine", contact_id="person-8", conversation_id="talk-8"),
        BookName(name="王小明", contact_id="person-7", conversation_id="talk-7"),
        BookName(name="Doubled Holdings", contact_id="person-5", conversation_id="talk-5"),
        BookName(name="Doubled Holdings", contact_id="person-6", conversation_id="talk-6"),
    ],
)
FILE = Attachment(
    name="a.pdf",
    media_type="application/pdf",
    size_bytes=10,
    sha256="ab" * 32,
    inspection=Inspection.CLEAN,
)


@pytest.mark.parametrize(
    ("rule_id", "text", "shown"),
    [
        ("numbers.ssn", "SSN 536-22-8714.", "536-22-8714"),
        ("numbers.isin", "buy US0378331005 now", "US0378331005"),
        ("numbers.phone", "call +41 44 668 18 00", "+41 44 668 18 00"),
    ],
)
def test_identifiers_of_the_registry(rule_id: str, text: str, shown: str) -> None:
    (finding,) = findings(rule_id, text)
    assert text[finding.start : finding.end] == shown


@pytest.mark.parametrize("between", ["\n", " ", ", ", " / "])
def test_each_card_of_a_list_is_found(between: str) -> None:
    cards = ["4111 1111 1111 1111", "5555 5555 5555 4444", "4012 8888 8888 1881"]
    for some in (cards[:2], cards):
        text = between.join(some)
        found = findings("numbers.card", text)
        assert [text[one.start : one.end] for one in found] == some
    assert findings("numbers.card", "4111 1111 1111 1111 2024 2025") == []


@pytest.mark.parametrize(
    ("quoted", "text", "own"),
    [
        ("My number starts 4111 1111", "1111 1111 it is, thanks", "1111 1111"),
        ("the card: 4111-1111-", "so 1111-1111?", "1111-1111"),
        ("4111 1111 11", "11 1111", "11 1111"),
        ("the rest of the card is 1111 1111", "it starts with 4111 1111", "4111 1111"),
        ("card 4111\u200b 1111", "１１１１ 1111", "１１１１ 1111"),
    ],
)
def test_a_number_split_over_a_quote_is_found_in_the_draft(
    quoted: str, text: str, own: str
) -> None:
    (finding,) = findings("numbers.card", text, quoted_text=quoted)
    assert text[finding.start : finding.end] == own
    assert findings("numbers.card", text) == []


def test_the_own_part_of_a_split_number_is_masked() -> None:
    text, quoted = "so 1111 1111 it is", "the card: 4111 1111"
    (finding,) = findings("numbers.card", text, quoted_text=quoted)
    mended = apply_fix(text, finding, finding.fixes[0])
    assert mended == "so •••• 1111 it is"
    assert findings("numbers.card", mended, quoted_text=quoted) == []


def test_an_iban_split_over_a_quote_is_found() -> None:
    (finding,) = findings("numbers.iban", "1331 9268 19", quoted_text="It is GB29 NWBK 6016")
    assert (finding.start, finding.end) == (0, 12)


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        ("4111 1111 were the invoice", "and we booked 1111 1111 of them"),
        ("4111 1111 1111 1111", "Thank you, got it"),
        ("Call 8820 4417", "ok"),
    ],
)
def test_numbers_that_fit_by_chance_or_stand_in_the_quote_alone_are_no_find(
    quoted: str, text: str
) -> None:
    assert findings("numbers.card", text, quoted_text=quoted) == []


@pytest.mark.parametrize(
    ("text", "action", "move_to", "scope"),
    [
        ("to CH 204 118 220 7", Action.ALLOW, "", Scope.BOTH),
        ("to account 8820441703 please", Action.BLOCK, "talk-9", Scope.BOTH),
        ("ref 8820-4417-03", Action.BLOCK, "talk-9", Scope.BOTH),
        ("７７３４-118820-05", Action.BLOCK, "", Scope.SERVER),
        ("1234567890", Action.ALLOW, "", Scope.BOTH),
    ],
)
def test_whose_account_it_is_decides(text: str, action: Action, move_to: str, scope: Scope) -> None:
    found = findings("accounts.any", text, with_facts(accounts=ACCOUNTS))
    assert [one.action for one in found] == ([] if action is Action.ALLOW else [action])
    for finding in found:
        moves = [fix.replacement for fix in finding.fixes if fix.kind is FixKind.MOVE]
        assert moves == ([move_to] if move_to else [])
        assert finding.scope is scope


def test_an_account_written_twice_is_found_twice() -> None:
    found = findings("accounts.any", "8820441703 8820 4417 03", with_facts(accounts=ACCOUNTS))
    assert [(one.start, one.end) for one in found] == [(0, 10), (11, 23)]


def test_an_iban_of_the_book_can_be_moved() -> None:
    iban = "GB29 NWBK 6016 1331 9268 19"
    accounts = AccountFacts(key=KEY, book=((account_hash(KEY, iban), "talk-9"),))
    (finding,) = findings("numbers.iban", iban, with_facts(accounts=accounts))
    assert finding.action is Action.BLOCK
    move = next(fix for fix in finding.fixes if fix.kind is FixKind.MOVE)
    assert (move.replacement, apply_fix(iban, finding, move)) == ("talk-9", iban)


@pytest.mark.parametrize(
    ("text", "shown", "move_to"),
    [
        ("Dear QUILLON  zephyrine,", "QUILLON  zephyrine", "talk-8"),
        ("王小明先生", "王小明", "talk-7"),
        ("for Doubled Holdings", "Doubled Holdings", ""),
    ],
)
def test_another_clients_name_is_found_and_the_draft_can_be_moved(
    text: str, shown: str, move_to: str
) -> None:
    (finding,) = findings("names.any", text, with_facts(book=BOOK))
    assert text[finding.start : finding.end] == shown
    moves = [fix.replacement for fix in finding.fixes if fix.kind is FixKind.MOVE]
    assert moves == ([move_to] if move_to else [])


def test_the_open_clients_name_is_no_find() -> None:
    assert findings("names.any", "Dear Hana Watanabe", with_facts(book=BOOK)) == []


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("a gift worth $301", Action.APPROVE),
        ("a gift worth $300", None),
        ("Geschenk, 200–400 EUR", Action.APPROVE),
        ("贈り物は5万円です", Action.APPROVE),
        ("礼物 300 美元", None),
        ("a gift of CHF 20", Action.HINT),
        ("a gift for you", Action.HINT),
        ("a gift of $200 and a gift of $101", Action.APPROVE),
        ("as a gift: a pen for $150, a bag for $151", Action.APPROVE),
        ("a gift of $200 and a gift of $100", None),
        ("a gift, $200, another gift", None),
        ("$900 for the fund", None),
    ],
)
def test_gifts_are_judged_by_their_amount(text: str, action: Action | None) -> None:
    assert [one.action for one in findings("gifts.limit", text)] == ([action] if action else [])


def test_what_was_given_this_year_counts() -> None:
    facts = with_facts(gifts=GiftFacts(given=(("person-1", 20_000, "USD"), ("x", 9, "USD"))))
    assert findings("gifts.limit", "a gift of $100", facts) == []
    (finding,) = findings("gifts.limit", "a gift of $101", facts)
    assert finding.contact_ids == ("person-1",)


def test_a_missing_disclaimer_is_added_in_the_clients_language() -> None:
    (finding,) = findings("words.capital", "The fund grew", with_point(language="de"))
    (fix,) = finding.fixes
    assert fix.replacement == "Ihr Kapital ist im Risiko."
    mended = apply_fix("The fund grew", finding, fix)
    assert findings("words.capital", mended) == []
    assert findings("words.capital", "Hello") == []


def test_the_disclaimers_language_is_no_part_of_the_hash() -> None:
    english, german = decide("The fund"), decide("The fund", language="de")
    assert english.findings[0].fixes[0].replacement != german.findings[0].fixes[0].replacement
    assert english.decision_hash() == german.decision_hash()


@pytest.mark.parametrize(
    ("changes", "rule_ids"),
    [
        ({}, []),
        ({"size_bytes": 1_000_001}, ["files.large"]),
        ({"media_type": "video/mp4"}, ["files.large"]),
        ({"encrypted": True}, ["files.locked"]),
        ({"inspection": Inspection.NOT_EVALUATED}, ["files.locked"]),
        ({"truncated": True}, ["files.locked"]),
        ({"executable": True}, ["files.odd"]),
        ({"type_mismatch": True}, ["files.odd"]),
    ],
)
def test_files_are_judged_one_by_one(changes: dict[str, object], rule_ids: list[str]) -> None:
    odd = msgspec.structs.replace(FILE, sha256="cd" * 32, **changes)
    found = decide(attachments=(FILE, odd)).findings
    assert [one.rule_id for one in found] == rule_ids
    assert all((one.attachment, one.start, one.end) == ("cd" * 32, 0, 0) for one in found)


def test_words_in_a_file_are_judged_as_any_text() -> None:
    text = "page 1\nthe card is 4111 1111 1111 1111, guaranteed"
    file = msgspec.structs.replace(FILE, text=text)
    card, promise = decide(attachments=(file,)).findings
    assert text[card.start : card.end] == "4111 1111 1111 1111"
    assert (card.attachment, card.fixes) == (FILE.sha256, ())
    assert text[promise.start : promise.end] == "guaranteed"


@pytest.mark.parametrize(
    ("name", "rule_id"),
    [
        ("4111-1111-1111-1111.txt", "numbers.card"),
        ("our_guaranteed.returns.pdf", "words.promise"),
    ],
)
def test_words_in_a_files_name_are_judged_and_mark_nothing_in_its_text(
    name: str, rule_id: str
) -> None:
    file = msgspec.structs.replace(FILE, name=name, text="Nothing special.")
    (found,) = decide(attachments=(file,)).findings
    assert (found.rule_id, found.attachment) == (rule_id, FILE.sha256)
    assert (found.start, found.end, found.fixes) == (0, 0, ())


def test_all_five_kinds_of_override() -> None:
    kinds = {
        "guaranteed": OverrideKind.FALSE_POSITIVE,
        "a guess": OverrideKind.WITH_ACKNOWLEDGEMENT,
        "PROJECT-7": OverrideKind.NOT_ALLOWED,
        "US0378331005": OverrideKind.WITHOUT_JUSTIFICATION,
    }
    assert {text: decide(text).override_kind for text in kinds} == kinds
    iban = decide("NL91 ABNA 0417 1643 00")
    assert iban.override_kind is OverrideKind.WITH_JUSTIFICATION


def test_the_draft_and_its_files_are_in_the_hash() -> None:
    base = decide(attachments=(FILE,))
    for changes in (
        {"quoted_text": "x"},
        {"mentions": ("x",)},
        {"forwarded_from": ("x",)},
        {"on_behalf_of": "x"},
        {"several": 2},
        {"template_id": "x"},
    ):
        assert decide(attachments=(FILE,), **changes).draft_hash != base.draft_hash
    for name, value in (
        ("text", "x"),
        ("encrypted", True),
        ("executable", True),
        ("type_mismatch", True),
        ("truncated", True),
        ("reason", "x"),
        ("inspection", Inspection.FLAGGED),
    ):
        file = msgspec.structs.replace(FILE, **{name: value})
        assert decide(attachments=(file,)).draft_hash != base.draft_hash
    justified = msgspec.structs.replace(base, justification="The client asked for it")
    assert justified.decision_hash() != base.decision_hash()


def test_facts_known_to_the_server_alone_never_reach_a_client() -> None:
    facts = with_facts(accounts=ACCOUNTS, gifts=GiftFacts(given=(("person-1", 1, "USD"),)))
    client = facts.for_client()
    assert (client.gifts, client.accounts.firm_hashes) == (GiftFacts(), frozenset())
    assert client.accounts.client_hashes == ACCOUNTS.client_hashes
    assert client.for_client() == client
    assert FACTS.for_client() == FACTS
