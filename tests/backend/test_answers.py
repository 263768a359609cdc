"""What a sender's answers let pass, what is kept of them, and hints that differ.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from backend.archive.entries import entries_of_message
from backend.archive.verify import read_envelope
from backend.governance.settings import RANDOM_PER_MILLE, RULE_PER_MILLE, write_setting
from contract.policy.disclosure import NEUTRAL_RULE_ID
from contract.policy.model import Decision
from contract.receipts.leaf import body_commitment
from contract.wire import HintReport, SubmitMessage
from tests.backend.policies import audited, small_policy, under
from tests.backend.workspace import FIRM, Workspace, draft, open_workspace, submit

REASON = "Quoting the term sheet of a deposit."


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield an open workspace under a small policy, without samples."""
    async with open_workspace(tmp_path) as opened:
        for name in (RANDOM_PER_MILLE, RULE_PER_MILLE):
            await set_rate(opened, name, 0)
        yield under(opened, small_policy())


@pytest.fixture
async def chat(workspace: Workspace) -> str:
    """Return the conversation with a client who has just written."""
    return await workspace.conversation_of(await workspace.inbound("Good morning"))


async def set_rate(workspace: Workspace, name: str, per_mille: int) -> None:
    """Set how many per thousand Compliance looks at."""
    now = workspace.clock()
    await workspace.services.database.write(
        lambda connection: write_setting(connection, FIRM, name, per_mille, "compliance", now)
    )


async def reviews(workspace: Workspace) -> list[tuple[str, list[str]]]:
    """Return the queue's kinds with their rules."""
    rows = await workspace.services.database.read(
        lambda connection: connection.exec_driver_sql(
            "SELECT kind, rule_ids FROM review_items ORDER BY kind"
        ).all()
    )
    return [(kind, msgspec.json.decode(rules)) for kind, rules in rows]


@pytest.mark.parametrize(
    ("text", "answers", "status"),
    [
        ("Nothing special.", {}, 201),
        ("A rumour.", {}, 403),
        ("A rumour.", {"acknowledged": ["test.other"]}, 403),
        ("A rumour.", {"acknowledged": ["test.warn"]}, 201),
        ("A guarantee.", {"acknowledged": ["test.justify"]}, 403),
        ("A guarantee.", {"justification": REASON}, 201),
        ("A guarantee and a rumour.", {"justification": REASON}, 201),
        ("A guarantee.", {"false_positives": ["test.justify"]}, 403),
        ("A guarantee.", {"justification": " \u200b\u2060.\n"}, 403),
        ("A hunch.", {}, 403),
        ("A hunch.", {"acknowledged": ["test.warn-reason"]}, 403),
        ("A hunch.", {"justification": REASON}, 201),
        ("An aside.", {}, 201),
        ("The eagle flies.", {}, 403),
        ("The eagle flies.", {"acknowledged": ["test.warn-doubt"]}, 201),
        ("The eagle flies.", {"false_positives": ["test.warn-doubt"]}, 201),
        ("The falcon flies.", {}, 403),
        ("The falcon flies.", {"false_positives": ["test.doubt"]}, 201),
        ("It is forbidden.", {"false_positives": ["test.block"]}, 403),
        ("A watched word.", {}, 201),
        ("A listed word.", {}, 403),
        ("A listed word.", {"acknowledged": [NEUTRAL_RULE_ID]}, 201),
    ],
)
async def test_answers_let_pass_what_their_kind_allows(
    client: httpx.AsyncClient, chat: str, text: str, answers: dict[str, object], status: int
) -> None:
    answer = await submit(client, chat, draft(text, clock=None, **answers))
    assert answer.status_code == status, answer.text
    assert "test.hidden" not in answer.text
    assert "test.silent" not in answer.text
    assert "watch" not in answer.text.replace(text, "")


async def test_justification_is_kept_and_hashed_into_the_leaf(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    command = draft("A guarantee.", justification=REASON, clock=workspace.clock)
    await submit(client, chat, command)
    (entry,) = await workspace.services.database.read(
        lambda connection: entries_of_message(connection, command.message_id)
    )
    stored = msgspec.json.decode(
        str(await workspace.scalar("SELECT CAST(decision AS TEXT) FROM decisions")), type=Decision
    )
    assert stored.justification == body_commitment(bytes.fromhex(command.salt), REASON.encode())
    assert stored.decision_hash() == read_envelope(entry.leaf).decision_hash
    without = msgspec.structs.replace(stored, justification="")
    assert without.decision_hash() != stored.decision_hash()
    assert REASON in (entry.body or b"").decode()
    assert await workspace.scalar("SELECT justification FROM decisions") == REASON
    assert await reviews(workspace) == [("override", ["test.justify"])]


async def test_false_positives_and_acknowledgements_reach_compliance_and_the_archive(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    command = draft(
        "A rumour of a falcon.",
        acknowledged=["test.warn"],
        false_positives=["test.doubt"],
        clock=workspace.clock,
    )
    assert (await submit(client, chat, command)).status_code == 201
    assert await reviews(workspace) == [
        ("false_positive", ["test.doubt"]),
        ("override", ["test.doubt", "test.warn"]),
    ]
    (entry,) = await workspace.services.database.read(
        lambda connection: entries_of_message(connection, command.message_id)
    )
    body = msgspec.json.decode(entry.body or b"")
    assert (body["acknowledged"], body["false_positives"]) == (["test.warn"], ["test.doubt"])


async def test_samples_follow_the_rates(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    await submit(client, chat, draft("A watched word.", clock=workspace.clock))
    assert await reviews(workspace) == []
    for name in (RANDOM_PER_MILLE, f"{RULE_PER_MILLE}.test.silent"):
        await set_rate(workspace, name, 1000)
    await submit(client, chat, draft("A watched rumour.", clock=workspace.clock))
    assert await reviews(workspace) == [("random_sample", []), ("rule_sample", ["test.silent"])]


def with_hint(command: SubmitMessage, hint: HintReport) -> SubmitMessage:
    """Return a submission with a client's own decision."""
    return msgspec.structs.replace(command, hint=hint)


async def test_incident_keeps_both_decisions_and_drift_a_row_alone(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    stale = HintReport(
        evaluator_version="1",
        bundle_version="2090.1.1",
        facts_hash="0" * 64,
        decision_hash="0" * 64,
        action="allow",
        decision='["told by the client"]',
    )
    await submit(client, chat, with_hint(draft("One", clock=workspace.clock), stale))
    ours = msgspec.json.decode(
        str(await workspace.scalar("SELECT CAST(decision AS TEXT) FROM decisions")), type=Decision
    )
    assert await workspace.scalar("SELECT kind FROM hint_differences") == "stale"
    assert await workspace.scalar("SELECT entry_id FROM hint_differences") == ""
    equal = msgspec.structs.replace(
        stale,
        evaluator_version=ours.evaluator_version,
        bundle_version=ours.bundle_version,
        facts_hash=await facts_hash_now(workspace, client, chat),
    )
    command = with_hint(draft("Two", clock=workspace.clock), equal)
    await submit(client, chat, command)
    entries = await workspace.services.database.read(
        lambda connection: entries_of_message(connection, command.message_id)
    )
    assert sorted(entry.kind for entry in entries) == ["incident", "message_out"]
    (incident,) = [entry for entry in entries if entry.kind == "incident"]
    body = msgspec.json.decode(incident.body or b"")
    assert body["hint"]["decision"] == '["told by the client"]'
    assert body["ours"].startswith("parley.policy.decision")
    assert await reviews(workspace) == [("incident", [])]
    await audited(workspace)


async def facts_hash_now(workspace: Workspace, client: httpx.AsyncClient, chat: str) -> str:
    """Return the hash of the facts that a client would hold now."""
    # The drift's own row tells what the backend found on the client's ground.
    await submit(
        client,
        chat,
        with_hint(
            draft("Asking", clock=workspace.clock),
            HintReport(
                evaluator_version="?",
                bundle_version="?",
                facts_hash="",
                decision_hash="",
                action="allow",
            ),
        ),
    )
    ours = str(
        await workspace.scalar(
            "SELECT CAST(ours AS TEXT) FROM hint_differences ORDER BY at_utc_ms DESC LIMIT 1"
        )
    )
    return str(msgspec.json.decode(ours.partition("\n")[2])[3])
