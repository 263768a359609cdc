"""The authoring guide: every example in it compiles, and its first policy decides as it says.

It does not test the guide's prose.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from contract.policy.bundle import compile_bundle
from contract.policy.rules import Rule, RuleBase
from tests.support.surroundings import ROOT

GUIDE = (ROOT / "docs" / "policy-authoring.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^```(?P<kind>\w+)(?: title=(?P<title>\S+))?\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE
)
BLOCKS = [match.groupdict() for match in BLOCK.finditer(GUIDE)]
EXAMPLES = [one["body"] for one in BLOCKS if one["kind"] == "yaml" and one["title"] is None]
DEADLINE_S = 60


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Return the folder that a reader of the guide has after its first part."""
    folder = tmp_path / "mine"
    for block in BLOCKS:
        if block["title"] is not None and block["kind"] in {"yaml", "csv"}:
            path = folder / block["title"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["body"], encoding="utf-8")
    return folder


def titled(title: str) -> str:
    """Return the body of the block with a title."""
    (body,) = (block["body"] for block in BLOCKS if block["title"] == title)
    return str(body)


def run(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of the backend as the guide tells, with the text on stdin."""
    return subprocess.run(
        [sys.executable, "-m", "backend", "policy", *words],
        input=text,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.splitlines()[0][6:])
def test_every_example_compiles_beside_the_shipped_words(
    files: dict[str, bytes], example: str
) -> None:
    compile_bundle(files | {"rules.yaml": f"rules:\n{example}".encode()})


def test_every_kind_of_rule_has_an_example() -> None:
    kinds = {rule.__struct_config__.tag for rule in typing.get_args(Rule)}
    shown = set(re.findall(r"^ *kind: (\w+)$", "".join(EXAMPLES), re.MULTILINE))
    assert shown == kinds


def test_every_field_of_a_rule_is_explained() -> None:
    fields = {re.sub(r"_$", "", name) for name in RuleBase.__struct_fields__} | {"kind"}
    assert {name for name in fields if f"| `{name}` |" not in GUIDE} == set()


def test_the_first_policy_decides_as_the_guide_says(mine: Path) -> None:
    checked = run("check", str(mine))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    decided = run("evaluate", "--bundle", str(mine), text=titled("drafts.jsonl"))
    decisions = [json.loads(line) for line in decided.stdout.splitlines()]
    assert [one["id"] for one in decisions] == ["1", "2", "3"]
    assert [one["action"] for one in decisions] == ["justify", "allow", "justify"]
    (finding,) = decisions[2]["findings"]
    assert (finding["start"], finding["end"]) == (0, 10)


def test_the_facts_of_the_guide_are_read(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(titled("facts.json"), encoding="utf-8")
    draft = {
        "id": 1,
        "text": "Hello",
        "recipients": [{"contact_id": "c1", "contact_point_id": "p1"}],
    }
    shipped = str(ROOT / "resources" / "policy")
    decided = run(
        "evaluate", "--bundle", shipped, "--facts", str(facts), text=json.dumps(draft) + "\n"
    )
    found = json.loads(decided.stdout)["findings"]
    assert "consent.recording-refused" in {one["rule_id"] for one in found}


def test_a_fault_is_told_with_its_line(mine: Path) -> None:
    rules = mine / "rules.yaml"
    rules.write_text(rules.read_text("utf-8").replace("action: justify", "action: forbid"), "utf-8")
    checked = run("check", str(mine))
    assert checked.returncode == 1
    told = checked.stdout + checked.stderr
    assert "rules.yaml" in told
    assert "forbid" in told


def test_signing_makes_a_bundle_that_differs_in_nothing(mine: Path, tmp_path: Path) -> None:
    key, bundle = tmp_path / "author.key", tmp_path / "mine.bundle"
    assert run("keygen", "--name", "policy/author", "-o", str(key)).returncode == 0
    signed = run("sign", str(mine), "--key", str(key), "-o", str(bundle))
    assert signed.returncode == 0, signed.stdout + signed.stderr
    assert run("diff", str(mine), str(bundle)).returncode == 0
