"""Both sides decide alike: 100 000 drafts by chance, each judged by the client and the server.

The client has the packed bundle as it is served, its kept scans, and the facts it may know; the
server has the author's files. It does not go over HTTP.
"""

from __future__ import annotations

import itertools

import pytest

from contract.policy.bundle import CompiledBundle, Side, compile_bundle
from contract.policy.context import ScanMemo
from contract.policy.evaluate import evaluate
from contract.policy.manifest import pack_bundle, unpack_bundle
from contract.policy.model import Scope
from contract.policy.parity import Parity, compare_hint
from contract.policy.publishing import client_files
from contract.wire import HintReport
from tests.support.drafts import drafts
from tests.support.policy_bundle import bundle_files

DRAFTS = 100_000
CHUNKS = 8
"""So that several workers share the drafts."""

MOST_PIECES = 3
WHOLE_BUNDLE_EVERY = 10


@pytest.fixture(scope="module")
def client() -> CompiledBundle:
    """Return the bundle as a client compiles what it fetched."""
    served = pack_bundle(client_files(bundle_files()))
    return compile_bundle(unpack_bundle(served), Side.CLIENT)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_hundred_thousand_drafts_get_one_decision(client: CompiledBundle, chunk: int) -> None:
    own = compile_bundle(bundle_files(), Side.CLIENT)
    whole = compile_bundle(bundle_files(), Side.SERVER)
    memo = ScanMemo()
    held = 0
    cases = itertools.islice(drafts(20261121 + chunk, MOST_PIECES), DRAFTS // CHUNKS)
    for number, (facts, draft) in enumerate(cases):
        known = facts.for_client()
        hint = evaluate(client, known, draft, memo)
        enforced = evaluate(own, known, draft)
        if hint.decision_hash() != enforced.decision_hash():
            assert hint == enforced
            pytest.fail("equal decisions have two hashes")
        held += bool(hint.findings)
        if number % WHOLE_BUNDLE_EVERY == 0:
            findings = evaluate(whole, known, draft).findings
            assert [one for one in findings if one.scope is Scope.BOTH] == list(hint.findings)
    # Neither all nor none, else this would prove little.
    assert 0.2 < held / (DRAFTS // CHUNKS) < 0.97


def test_the_server_judges_parity_on_what_the_client_may_know(client: CompiledBundle) -> None:
    own = compile_bundle(bundle_files(), Side.CLIENT)
    differs = 0
    for facts, draft in itertools.islice(drafts(7), 2_000):
        hint = evaluate(client, facts.for_client(), draft)
        report = HintReport(
            evaluator_version=hint.evaluator_version,
            bundle_version=hint.bundle_version,
            facts_hash=hint.facts_hash,
            decision_hash=hint.decision_hash(),
            action=hint.action.value,
        )
        assert compare_hint(report, evaluate(own, facts.for_client(), draft)) is Parity.AGREES
        differs += evaluate(own, facts, draft).action is not hint.action
    # What the server alone knows does change decisions, and is no incident.
    assert differs > 20


def test_the_shipped_bundle_gets_one_decision_too(
    bundle: CompiledBundle, server_bundle: CompiledBundle, files: dict[str, bytes]
) -> None:
    served = pack_bundle(client_files(files))
    fetched = compile_bundle(unpack_bundle(served), Side.CLIENT)
    memo = ScanMemo()
    for facts, draft in itertools.islice(drafts(20261121), 1_000):
        known = facts.for_client()
        hint = evaluate(fetched, known, draft, memo)
        assert hint.decision_hash() == evaluate(bundle, known, draft).decision_hash()
        findings = evaluate(server_bundle, known, draft).findings
        assert [one for one in findings if one.scope is Scope.BOTH] == list(hint.findings)
