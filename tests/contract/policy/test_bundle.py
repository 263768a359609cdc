"""Bundles: what is refused and where, what clients get of it, and what its hash covers.

It does not test what rules find.
"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.policy.bundle import Side, compile_bundle
from contract.policy.disclosure import findings_for_sender, sender_reference
from contract.policy.evaluate import evaluate
from contract.policy.manifest import (
    MANIFEST_FILE,
    build_manifest,
    pack_bundle,
    unpack_bundle,
    version_key,
)
from contract.policy.model import Action, Draft, Facts
from contract.policy.problems import BundleError
from contract.policy.publishing import client_files
from contract.policy.sources import read_yaml
from tests.contract.policy.conftest import NOW_UTC_MS

SECRET_RULE = b"""
  # Project Falcon signs in March.
  - id: deals.falcon
    kind: lexicon
    scope: server
    terms: [lexicons/deals.csv]
    action: block
    message: deal
    category: MNPI
    why: "Restricted list: Falcon AG"
  - id: deals.silent
    kind: regex
    scope: server
    pattern: "(?i)osprey"
    action: log
    message: deal
    category: MNPI
"""
SECRET_WORDS = b"deal,en,Falcon is restricted,\n"


@pytest.fixture
def secret_files(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the sample bundle with two rules that must never leave the server."""
    changed = dict(files)
    changed["rules.yaml"] += SECRET_RULE
    changed["messages.csv"] += SECRET_WORDS
    changed["lexicons/deals.csv"] = b"term,language,note\nfalcon,en,signing in March\n"
    return changed


def refused(files: dict[str, bytes]) -> list[str]:
    """Return the faults for which a bundle is refused."""
    with pytest.raises(BundleError) as caught:
        compile_bundle(files)
    return [str(problem) for problem in caught.value.problems]


def edited(files: dict[str, bytes], name: str, old: str, new: str) -> dict[str, bytes]:
    """Return the files with one text replaced, which has to be there."""
    text = files[name].decode()
    assert old in text
    return files | {name: text.replace(old, new, 1).encode()}


def line_of(files: dict[str, bytes], name: str, part: str) -> int:
    """Return the line on which a text stands first."""
    lines = files[name].decode().splitlines()
    return next(number for number, line in enumerate(lines, 1) if part in line)


def test_the_hash_is_that_of_the_manifest(files: dict[str, bytes]) -> None:
    bundle = compile_bundle(files)
    assert bundle.version in files["bundle.yaml"].decode()
    assert bundle.hash == hashlib.sha256(build_manifest(bundle.version, files)).hexdigest()


@pytest.mark.parametrize(
    ("old", "new", "part", "reason"),
    [
        ("kind: wall", "kind: moat", "kind: moat", "Invalid value 'moat'"),
        ("action: hint", "action: shout", "action: shout", "Invalid enum value 'shout'"),
        ("category: Recipients", "categroy: x", "categroy", "unknown field `categroy`"),
        ("category: Channel", "category: Channel\n    colour: red", "colour: red", "colour"),
        ("message: wall", "message: nothing", "message: nothing", "no words for 'nothing'"),
        ("action: hint", "action: log", "action: log", "needs scope server"),
        ("id: consent.opted-out", "id: walls.recipient", "kind: opt_out", "stands twice"),
        ("[lexicons/promissory.csv]", "[lexicons/none.csv]", "none.csv", "none.csv is missing"),
        ("kind: wall", "kind: wall\n    kind: wall", "kind: wall", "'kind' stands twice"),
        ("states: [refused]", "states: &a [refused]", "&a", "anchors"),
        ("states: [refused]", "states: !!set [refused]", "!!set", "tags"),
        ("states: [refused]", "states: [refused", "states: [refused", "expected"),
    ],
)
def test_a_faulty_rule_is_refused_with_its_line(
    files: dict[str, bytes], old: str, new: str, part: str, reason: str
) -> None:
    changed = edited(files, "rules.yaml", old, new)
    (fault,) = refused(changed)
    assert fault.startswith("rules.yaml:")
    assert reason in fault
    line = int(fault.split(":")[1])
    assert abs(line - line_of(changed, "rules.yaml", part)) <= 3


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?<!a)b", r"(a)\1", "(", "a{2,1}"])
def test_patterns_that_re2_refuses_are_named(files: dict[str, bytes], pattern: str) -> None:
    rule = (
        f"\n  - id: own.regex\n    kind: regex\n    pattern: '{pattern}'\n"
        "    action: warn\n    message: wall\n    category: Own\n"
    )
    changed = files | {"rules.yaml": files["rules.yaml"] + rule.encode()}
    (fault,) = refused(changed)
    line = line_of(changed, "rules.yaml", "pattern:")
    assert fault.startswith(f"rules.yaml:{line}: not an RE2 pattern")


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("messages.csv", b"key,language,title,colour\n", "messages.csv:1: unknown column 'colour'"),
        ("messages.csv", b"key,language\n", "messages.csv:1: column 'title' is missing"),
        ("lexicons/promissory.csv", b"term,language\nx,en\nX,en\n", "promissory.csv:3"),
        ("lexicons/promissory.csv", b"term,language\n\xe2\x80\x8b,en\n", "2: the term is empty"),
        ("lexicons/promissory.csv", b"term,language\na,b,c\n", "2: 3 cells under 2 columns"),
        ("lexicons/promissory.csv", b"term,language\n\xff,en\n", "2: the file is not UTF-8"),
        ("lexicons/promissory.csv", b"", "no header line"),
        ("evidence/iban.csv", b"term,language\niban,en\nIBAN,de\n", "line 2 already"),
        ("bundle.yaml", b"name: x\nversion: 3\n", "bundle.yaml:2"),
        ("bundle.yaml", b"[" * 40, "nested deeper"),
        ("bundle.yaml", b"name: \x00", "bundle.yaml"),
    ],
)
def test_faulty_files_are_named(
    files: dict[str, bytes], name: str, content: bytes, fault: str
) -> None:
    assert any(fault in one for one in refused(files | {name: content}))


def test_a_missing_file_is_named(files: dict[str, bytes]) -> None:
    for name in ("bundle.yaml", "rules.yaml", "messages.csv"):
        rest = {other: content for other, content in files.items() if other != name}
        assert refused(rest) == [f"{name}: the file is missing"]


def test_yaml_words_stay_words() -> None:
    document = read_yaml("x.yaml", b"country: no\nat: 12:30\nlist: [on, 1e3]\n")
    assert document.value == {"country": "no", "at": "12:30", "list": ["on", "1e3"]}
    assert document.lines["$.list[1]"] == 3


def test_clients_never_get_server_rules(secret_files: dict[str, bytes]) -> None:
    published = client_files(secret_files)
    everything = b"".join(published.values()).lower() + "".join(published).lower().encode()
    for secret in (b"falcon", b"osprey", b"deals", b"in march", b'"server"'):
        assert secret not in everything
    assert client_files(published) == published


def test_both_sides_know_one_client_bundle(secret_files: dict[str, bytes]) -> None:
    at_server = compile_bundle(secret_files, Side.CLIENT)
    at_client = compile_bundle(unpack_bundle(pack_bundle(client_files(secret_files))), Side.CLIENT)
    assert at_server.hash == at_client.hash
    assert at_server.hash != compile_bundle(secret_files).hash
    assert [rule.id for rule in at_server.rules] == [rule.id for rule in at_client.rules]


def test_the_sender_reads_nothing_of_server_rules(secret_files: dict[str, bytes]) -> None:
    bundle = compile_bundle(secret_files)
    draft = Draft(text="Falcon and Osprey, guaranteed", conversation_id="c", channel="sms")
    decision = evaluate(bundle, Facts(now_utc_ms=NOW_UTC_MS), draft)
    assert [one.action for one in decision.findings] == [Action.BLOCK, Action.JUSTIFY, Action.LOG]
    shown = findings_for_sender(bundle, decision)
    assert [one.rule_id for one in shown] == ["compliance", "conduct.promissory"]
    assert (shown[0].start, shown[0].end, shown[0].why, shown[0].fixes) == (0, 0, "", ())
    assert shown[0].detail == f"Ask Compliance, ref. {sender_reference(decision)}."
    assert "alcon" not in repr(shown)


def test_a_server_rule_needs_neutral_words(secret_files: dict[str, bytes]) -> None:
    changed = edited(secret_files, "messages.csv", "neutral,en", "neutre,en")
    assert any("'neutral'" in fault for fault in refused(changed))


def test_a_manifest_is_compared_with_every_file(files: dict[str, bytes]) -> None:
    whole = client_files(files)
    compile_bundle(whole)
    tampered = whole | {"messages.csv": whole["messages.csv"] + b"x,en,y,\n"}
    assert refused(tampered) == ["messages.csv: the file is not what the manifest says"]
    missing = {name: content for name, content in whole.items() if name != "evidence/iban.csv"}
    assert refused(missing) == ["evidence/iban.csv: the file is missing"]
    added = whole | {"extra.csv": b"term,language\n"}
    assert refused(added) == ["extra.csv: the file is not in the manifest"]
    assert MANIFEST_FILE in refused(whole | {MANIFEST_FILE: b"{}"})[0]


def test_versions_compare_as_numbers() -> None:
    assert version_key("2026.11.3") < version_key("2026.11.12") < version_key("2027.1.0")


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_loader(files: dict[str, bytes], content: bytes) -> None:
    files = {
        name: b"".join(lines.splitlines(keepends=True)[:40]) if "/" in name else lines
        for name, lines in files.items()
    }
    for name in ("rules.yaml", "messages.csv", "lexicons/promissory.csv"):
        try:
            compile_bundle(files | {name: content})
        except BundleError as error:
            assert error.problems
    with pytest.raises(BundleError):
        unpack_bundle(content)
