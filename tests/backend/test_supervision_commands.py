"""The commands for supervisors and Compliance, each in a process of its own.

It never opens the database meanwhile: what a command did, another one tells.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.backend.backend_process import KEY_HEX, run_command
from tests.backend.policies import give_role, small_policy, under
from tests.backend.workspace import ELENA, KENTA, client_of, draft, open_workspace, submit

pytestmark = pytest.mark.slow


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """Return the folder of a workspace with a held message and one sent against a rule."""
    folder = tmp_path / "data"
    async with open_workspace(folder, bytes.fromhex(KEY_HEX)) as workspace:
        under(workspace, small_policy())
        await give_role(workspace, KENTA, "supervisor", "compliance")
        chat = await workspace.conversation_of(await workspace.inbound("Good morning"))
        async with client_of(workspace) as elena:
            await submit(elena, chat, draft("The allocation.", clock=workspace.clock))
            reason = draft("A guarantee.", justification="As agreed.", clock=workspace.clock)
            await submit(elena, chat, reason)
    return folder


async def run(folder: Path, *words: str, status: int = 0) -> list[dict[str, Any]]:
    """Run a command to its end and return its lines."""
    code, out, errors = await asyncio.to_thread(run_command, folder, *words)
    assert code == status, errors
    return [json.loads(line) for line in out.splitlines()]


async def test_approvals_reviews_and_walls(data_dir: Path, tmp_path: Path) -> None:
    assert await run(data_dir, "admin", "approvals", "list", "--as", ELENA) == []
    (held,) = await run(data_dir, "admin", "approvals", "list", "--as", KENTA)
    decide = ("admin", "approvals", "approve", held["approval_id"])
    await run(data_dir, *decide, "--as", ELENA, status=2)
    (decided,) = await run(data_dir, *decide, "--as", KENTA)
    assert decided["state"] == "expired"  # the test's clock stands in the past
    reviews = ("admin", "reviews")
    items = await run(data_dir, *reviews, "list", "--as", KENTA, "--kind", "override")
    (done,) = await run(data_dir, *reviews, "step", items[0]["review_id"], "cleared", "--as", KENTA)
    assert done["closed"] is True
    walls, by = ("admin", "walls"), ("--by", KENTA)
    for group_id in ("a", "b"):
        await run(data_dir, *walls, "group", group_id, "--name", group_id, *by)
    assert await run(data_dir, *walls, "up", "a", "b", *by) == [{"changed": True}]
    assert await run(data_dir, *walls, "join", "a", "--employee", ELENA, *by) == [{"changed": True}]
    await run(data_dir, *walls, "join", "c", "--employee", ELENA, *by, status=2)
    (set_to,) = await run(data_dir, "admin", "setting", "approval_hours", "8", *by)
    assert set_to == {"approval_hours": 8}
    file = tmp_path / "templates.json"
    file.write_text(
        '[{"template_id":"t1","channel":"whatsapp","language":"en","name":"n","body":"Hello"}]'
    )
    assert await run(data_dir, "admin", "templates", "load", str(file)) == [{"set": 1}]
    assert len(await run(data_dir, "admin", "templates", "list")) == 1
