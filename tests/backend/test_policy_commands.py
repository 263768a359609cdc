"""The policy commands as authors and administrators run them, each in a process of its own.

It never calls into the commands: what one did, its output or another one tells.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, insert, select

from backend.directory.walls import set_wall
from backend.governance.policy import read_policy_folder
from backend.storage.tables import employees
from tests.backend.backend_process import KEY_HEX, START_WITHIN_S, run_command
from tests.backend.workspace import ELENA, FIRM, client_of, draft, open_workspace, submit
from tests.support.surroundings import ROOT

pytestmark = pytest.mark.slow
SOURCE = ROOT / "resources" / "policy"
AUTHOR, APPROVER, CLERK = "emp-author", "emp-approver", "emp-clerk"


def policy(*words: str, given: str = "", status: int = 0) -> list[dict[str, Any]]:
    """Run a policy command that needs no workspace; return its lines."""
    done = subprocess.run(
        [sys.executable, "-m", "backend", "policy", *words],
        input=given.encode(),
        capture_output=True,
        timeout=START_WITHIN_S,
        check=False,
    )
    assert done.returncode == status, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def source(folder: Path, version: str, *, rules: str = "") -> Path:
    """Write the project's bundle as a source folder under another version, with more rules."""
    for name, content in read_policy_folder(SOURCE).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    header = msgspec.yaml.decode((folder / "bundle.yaml").read_bytes())
    header["version"] = version
    (folder / "bundle.yaml").write_bytes(msgspec.yaml.encode(header))
    with (folder / "rules.yaml").open("a", encoding="utf-8") as file:
        file.write(rules)
    return folder


def key(folder: Path, name: str) -> tuple[Path, str]:
    """Make a key; return its file and its public side."""
    path = folder / f"{name}.key"
    (line,) = policy("keygen", "--name", f"policy/{name}", "-o", str(path))
    return path, line["verifier_key"]


NO_WEATHER = """
  - id: house.weather
    kind: regex
    pattern: "rain tomorrow"
    action: block
    message: promissory
    category: House
"""


def test_check_names_file_line_and_reason(tmp_path: Path) -> None:
    folder = source(tmp_path / "src", "2099.1.1", rules=NO_WEATHER.replace("rain", "(?=rain)"))
    (fault,) = policy("check", str(folder), status=1)
    lines = (folder / "rules.yaml").read_text("utf-8").splitlines()
    assert "pattern" in lines[fault["line"] - 1]
    assert (fault["file"], "look-around" in fault["reason"]) == ("rules.yaml", True)


def test_evaluate_answers_each_line_in_order_and_names_bad_ones(tmp_path: Path) -> None:
    lines = ['{"id":"a","text":"We guarantee 8 %"}', "{}", '{"id":2,"text":"Good morning"}']
    first, bad, last = policy("evaluate", "--bundle", str(SOURCE), given="\n".join(lines), status=1)
    assert (first["id"], first["action"]) == ("a", "justify")
    assert (bad["line"], "id" in bad["error"]) == (2, True)
    assert (last["id"], last["action"], last["findings"]) == (2, "allow", [])


def test_evaluate_ends_quietly_when_nobody_reads_on() -> None:
    command = [sys.executable, "-m", "backend", "policy", "evaluate", "--bundle", str(SOURCE)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        lines = b'{"id": 1, "text": "Good morning"}\n' * 500
        _, complaint = process.communicate(lines, timeout=START_WITHIN_S)
    assert (process.returncode, complaint) == (0, b"")


def test_evaluate_reads_facts_and_refuses_what_is_not_signed(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text('{"walls":{"denied_contact_ids":["c-1"],"reference":"7F3A"}}')
    line_in = {
        "id": 1,
        "text": "Hello",
        "recipients": [{"contact_id": "c-1", "contact_point_id": "p-1"}],
    }
    words = ("evaluate", "--bundle", str(SOURCE))
    (line,) = policy(*words, "--facts", str(facts), given=json.dumps(line_in))
    assert line["action"] == "block"
    _, public = key(tmp_path, "author")
    (fault,) = policy(*words, "--verifier-key", public, status=1)
    assert "not signed" in fault["reason"]


def test_diff_tells_rules_terms_and_words(tmp_path: Path) -> None:
    folder = source(tmp_path / "src", "2099.1.1", rules=NO_WEATHER)
    lexicon = folder / "lexicons" / "promissory.csv"
    with lexicon.open("a", encoding="utf-8") as file:
        file.write("moonshot certainty,en,\n")
    changes = policy("diff", str(SOURCE), str(folder), status=1)
    assert [line["change"] for line in changes] == ["version", "rule_added", "term_added"]
    assert changes[2]["field"] == "moonshot certainty"
    assert policy("diff", str(folder), str(folder)) == []


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """Return the folder of a workspace with three people to sign, and a message about rain."""
    folder = tmp_path / "data"
    async with open_workspace(folder, bytes.fromhex(KEY_HEX)) as workspace:
        await workspace.services.database.write(_hire)
        chat = await workspace.conversation_of(await workspace.inbound("Hello"))
        async with client_of(workspace) as client:
            for text in ("No rain tomorrow, they say", "Good morning"):
                answer = await submit(client, chat, draft(text, clock=workspace.clock))
                assert answer.status_code in (201, 202), answer.text
    return folder


def _hire(connection: Connection) -> None:
    known = connection.execute(select(employees).limit(1)).mappings().one()
    for employee_id, role in (
        (AUTHOR, "compliance"),
        (APPROVER, "compliance"),
        (CLERK, "employee"),
    ):
        row = {**known, "employee_id": employee_id, "firm_id": FIRM, "roles": f'["{role}"]'}
        connection.execute(insert(employees).values(**row))


async def run(folder: Path, *words: str, status: int = 0) -> list[dict[str, Any]]:
    """Run a policy command on a workspace; return its lines."""
    code, out, errors = await asyncio.to_thread(run_command, folder, "policy", *words)
    assert code == status, errors
    return [json.loads(line) for line in out.splitlines()]


async def test_a_bundle_comes_into_force_with_two_peoples_signatures_only(
    tmp_path: Path, data_dir: Path
) -> None:
    author, author_key = key(tmp_path, "author")
    approver, approver_key = key(tmp_path, "approver")
    bundle = tmp_path / "bundle"
    folder = source(tmp_path / "src", "2099.1.1", rules=NO_WEATHER)
    policy("sign", str(folder), "--key", str(author), "-o", str(bundle))
    (refused,) = await run(data_dir, "publish", "--bundle", str(bundle), status=1)
    assert "known key" in refused["reason"]

    add = ("keys", "--add", author_key, "--employee", AUTHOR)
    (own,) = await run(data_dir, *add, "--by", AUTHOR, status=1)
    assert "Nobody registers" in own["fault"]
    (clerk,) = await run(data_dir, *add, "--by", CLERK, status=1)
    assert "role" in clerk["fault"]
    await run(data_dir, *add, "--by", APPROVER)
    (alone,) = await run(data_dir, "publish", "--bundle", str(bundle), status=1)
    assert "two people" in alone["fault"]

    await run(data_dir, "keys", "--add", approver_key, "--employee", APPROVER, "--by", AUTHOR)
    policy("sign", str(bundle), "--key", str(approver), "-o", str(bundle))
    (done,) = await run(data_dir, "publish", "--bundle", str(bundle))
    assert (done["ok"], done["version"]) == (True, "2099.1.1")

    (again,) = await run(data_dir, "keys", "--retire", approver_key, "--by", AUTHOR)
    assert again["employee_id"] == AUTHOR


async def test_replay_tells_what_would_newly_be_blocked_without_words(
    tmp_path: Path, data_dir: Path
) -> None:
    folder = source(tmp_path / "src", "2099.1.1", rules=NO_WEATHER)
    *found, outcome = await run(
        data_dir, "replay", "--bundle", str(folder), "--since", "2020-01-01"
    )
    (message,) = found
    assert (message["outcome"], message["rules_new"]) == ("newly_blocked", ["house.weather"])
    assert (outcome["messages"], outcome["newly_blocked"], outcome["unchanged"]) == (2, 1, 1)
    assert "rain" not in json.dumps(found)


async def test_replay_sees_quotes_and_new_blocks_in_a_chat_that_was_walled_since(
    tmp_path: Path, data_dir: Path
) -> None:
    async with open_workspace(data_dir, bytes.fromhex(KEY_HEX)) as workspace:
        told = await workspace.scalar("SELECT message_id FROM messages WHERE text LIKE '%rain%'")
        chat = str(await workspace.scalar("SELECT conversation_id FROM conversations"))
        contact_id = str(await workspace.scalar("SELECT contact_id FROM conversation_contacts"))
        async with client_of(workspace) as client:
            answer = draft("As I said", clock=workspace.clock, quote_message_id=told)
            assert (await submit(client, chat, answer)).status_code in (201, 202)
        await workspace.services.database.write(
            lambda connection: set_wall(
                connection,
                employee_id=ELENA,
                contact_id=contact_id,
                up=True,
                actor_id=APPROVER,
                now_utc_ms=workspace.clock(),
            )
        )
    folder = source(tmp_path / "src", "2099.1.1", rules=NO_WEATHER)
    since = ("--since", "2020-01-01")
    *found, outcome = await run(data_dir, "replay", "--bundle", str(folder), *since)
    assert [one["was"] for one in found] == ["allow"] * len(found)
    assert (outcome["messages"], outcome["newly_blocked"], outcome["unreadable"]) == (3, 1, 0)
