"""The hint engine: decisions, their report, the cache, and newer bundles.

It does not test the rules.
"""

from __future__ import annotations

import pytest

from app.hints.engine import HintEngine
from contract.ids import AccountId, ContactId, ConversationId
from contract.policy.bundle import Side, compile_bundle
from contract.policy.evaluate import evaluate
from contract.policy.facts import conversation_draft, conversation_facts
from contract.policy.manifest import pack_bundle
from contract.policy.model import Action
from contract.policy.publishing import client_files
from contract.policy.signing import sign_bundle
from contract.receipts.keys import KeyType
from contract.receipts.signers import signer_of
from contract.wire import (
    Channel,
    Consent,
    ConsentKind,
    ConsentStatus,
    Contact,
    Conversation,
    Mode,
)
from tests.support.surroundings import ROOT

SIGNER = signer_of("policy/author", KeyType.ED25519, bytes(range(32)))
KEYS = (SIGNER.verifier_key,)
NOW_UTC_MS = 1_795_000_000_000
PERSON = Contact(
    contact_id=ContactId("c-1"),
    version=1,
    display_name="A",
    initials="A",
    consents=(Consent(kind=ConsentKind.RECORDING, status=ConsentStatus.ACCEPTED),),
)
CHAT = Conversation(
    conversation_id=ConversationId("v-1"),
    version=1,
    channel=Channel.WHATSAPP,
    account_id=AccountId("a-1"),
    title="A",
    mode=Mode.GOVERNED,
    contact_ids=(ContactId("c-1"),),
    window_closes_at_utc_ms=NOW_UTC_MS + 10,
)


def sample_files(version: str = "2026.11.4") -> dict[str, bytes]:
    """Return the sample bundle's source files, under another version if wanted."""
    folder = ROOT / "resources" / "policy"
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in {".yaml", ".csv"}
    }
    header = files["bundle.yaml"].replace(b"2026.11.4", version.encode())
    return files | {"bundle.yaml": header}


@pytest.fixture
def engine() -> HintEngine:
    """Return an engine with the sample bundle as a backend serves it."""
    return HintEngine.from_packed(packed(), KEYS)


def packed(version: str = "2026.11.4") -> bytes:
    """Return the sample bundle, signed, as a backend serves it under a version."""
    return pack_bundle(client_files(sign_bundle(sample_files(version), SIGNER)))


def test_the_hint_is_what_the_backend_will_decide(engine: HintEngine) -> None:
    text = "guaranteed, card 4111 1111 1111 1111"
    result = engine.check(CHAT, [PERSON], text, NOW_UTC_MS)
    enforced = evaluate(
        compile_bundle(sample_files(), Side.CLIENT),
        conversation_facts(CHAT, [PERSON], NOW_UTC_MS + 3),
        conversation_draft(CHAT, [PERSON], text),
    )
    assert result.decision == enforced
    assert result.report.decision_hash == enforced.decision_hash()
    assert result.report.action == "block"
    assert result.report.bundle_version == engine.bundle_version == "2026.11.4"
    assert enforced.canonical_bytes().endswith(result.report.decision.encode())
    assert "identifiers.payment-card" in result.report.decision


def test_a_decision_too_long_to_travel_is_left_out_of_its_report(engine: HintEngine) -> None:
    result = engine.check(CHAT, [PERSON], "guaranteed " * 400, NOW_UTC_MS)
    assert result.report.decision == "" and result.report.decision_hash


def test_an_unchanged_draft_is_not_decided_again(engine: HintEngine) -> None:
    first = engine.check(CHAT, [PERSON], "Hello", NOW_UTC_MS)
    assert engine.check(CHAT, [PERSON], "Hello", NOW_UTC_MS + 5) is first
    assert engine.check(CHAT, [PERSON], "Hello!", NOW_UTC_MS) is not first


def test_a_window_that_closes_meanwhile_is_seen(engine: HintEngine) -> None:
    assert engine.check(CHAT, [PERSON], "Hi", NOW_UTC_MS).decision.action is Action.ALLOW
    closed = engine.check(CHAT, [PERSON], "Hi", NOW_UTC_MS + 10)
    assert closed.decision.action is Action.BLOCK


def test_a_newer_bundle_takes_over(engine: HintEngine) -> None:
    assert engine.offer(packed("2026.12.1"), KEYS) == ()
    assert engine.bundle_version == "2026.12.1"
    report = engine.check(CHAT, [PERSON], "Hello", NOW_UTC_MS).report
    assert report.bundle_version == "2026.12.1"


def test_the_same_bundle_again_is_no_fault(engine: HintEngine) -> None:
    assert engine.offer(packed(), KEYS) == ()


@pytest.mark.parametrize("version", ["2026.11.3", "2026.11.4"])
def test_an_older_or_altered_bundle_leaves_the_old_one_in_force(
    engine: HintEngine, version: str
) -> None:
    altered = sample_files(version)
    altered["lexicons/promissory.csv"] += b"sure as sunrise,en,\n"
    before = engine.bundle_hash
    (fault,) = engine.offer(pack_bundle(client_files(sign_bundle(altered, SIGNER))), KEYS)
    assert "not newer" in fault.reason
    assert engine.bundle_hash == before


def test_a_damaged_bundle_leaves_the_old_one_in_force(engine: HintEngine) -> None:
    before = engine.bundle_hash
    assert engine.offer(b"{}", KEYS)
    assert engine.offer(pack_bundle({"bundle.yaml": b"name: x"}), KEYS)
    assert engine.bundle_hash == before


def test_a_bundle_that_nobody_known_signed_leaves_the_old_one_in_force(engine: HintEngine) -> None:
    before = engine.bundle_hash
    unsigned = pack_bundle(client_files(sample_files("2026.12.1")))
    stranger = signer_of("policy/author", KeyType.ED25519, bytes(range(1, 33)))
    for content, keys in ((unsigned, KEYS), (packed("2026.12.1"), (stranger.verifier_key,))):
        (fault,) = engine.offer(content, keys)
        assert "sign" in fault.reason
    assert engine.bundle_hash == before
