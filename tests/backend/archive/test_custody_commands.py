"""The custody commands as an administrator runs them, each in a process of its own.

It never opens the database meanwhile: what a command did, another one tells.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.backend.archive.mail_server import Mailbox, mail_server
from tests.backend.archive.object_store import BUCKET, object_store
from tests.backend.backend_process import KEY_HEX, run_command, start_command
from tests.backend.workspace import open_workspace

pytestmark = pytest.mark.slow


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """Return the folder of a workspace with three sealed messages."""
    folder = tmp_path / "data"
    async with open_workspace(folder, bytes.fromhex(KEY_HEX)) as workspace:
        for number in range(3):
            await workspace.inbound(f"canary-words {number}")
        await workspace.sealing.sealed()
    return folder


async def run(folder: Path, *words: str, status: int = 0) -> list[dict[str, Any]]:
    """Run a command to its end and return its lines."""
    code, out, errors = await asyncio.to_thread(run_command, folder, *words)
    assert code == status, errors
    assert "canary-words" not in out + errors
    return [json.loads(line) for line in out.splitlines()]


def sink(mailbox: Mailbox) -> tuple[str, ...]:
    """Return the words that add a sink."""
    where = ("--host", "127.0.0.1", "--port", str(mailbox.port), "--security", "none")
    who = ("--sender", "journal@firm.example", "--rcpt", "in@archive.example")
    return ("admin", "journal", "add", "--name", "partner", *where, *who, "--domain", "im.firm.eu")


async def test_killed_before_noting_sends_the_same_mail_again(data_dir: Path) -> None:
    async with mail_server(Mailbox(answers=["", "take_and_wait"])) as mailbox:
        await run(data_dir, *sink(mailbox))
        process = start_command(data_dir, "archive", "journal")
        try:
            async with asyncio.timeout(60):
                await mailbox.waiting.wait()
        finally:
            process.kill()
            await asyncio.to_thread(process.communicate)
        assert len(mailbox.mails) == 2
        (done,) = await run(data_dir, "archive", "journal")
        assert done == {"taken": 2, "problems": []}
        assert mailbox.mails[2] == mailbox.mails[1]
        assert len(set(mailbox.mails)) == 3
        (told,) = await run(data_dir, "archive", "reconcile", "--sink", "partner")
        assert (told["confirmed"], told["missing"]) == (3, 0)


async def test_reconcile_compares_with_the_sinks_list(data_dir: Path, tmp_path: Path) -> None:
    async with mail_server(Mailbox()) as mailbox:
        await run(data_dir, *sink(mailbox))
        await run(data_dir, "archive", "journal")
        listed = tmp_path / "list.csv"
        listed.write_text("message-id\n<someone@else.example>\n")
        words = ("archive", "reconcile", "--sink", "partner", "--list", str(listed))
        *missing, told = await run(data_dir, *words, "--send-again", status=1)
        assert len(missing) == told["missing"] == told["queued_again"] == 3
        assert told["foreign"] == 1
        await run(data_dir, "archive", "journal")
        assert len(mailbox.mails) == 6


async def test_retention_hold_expiry_and_erasure(data_dir: Path) -> None:
    by = ("--by", "officer-1")
    assert await run(data_dir, "admin", "retention", "load", *by) == [{"changed": 6}]
    place = ("--scope", "firm", "--class", "hk-sfc")
    await run(data_dir, "admin", "retention", "assign", *place, *by)
    assert {"class_id": "hk-sfc", "scope": "firm", "scope_id": ""} in await run(
        data_dir, "admin", "retention", "list"
    )
    await run(data_dir, "admin", "hold", "add", "--matter", "M-1", "--everything", *by)
    (found,) = await run(data_dir, "archive", "expire", "--dry-run", *by)
    assert (found["message_ids"], found["held"]) == ([], 0)
    (export,) = await run(
        data_dir, "archive", "export", "--format", "jsonl", "--output", str(data_dir / "x"), *by
    )
    assert export["entries"] > 3
    lines = (data_dir / "x" / "entries.jsonl").read_text().splitlines()
    message_id = json.loads(lines[-1])["envelope"]["message_id"]
    erase = ("archive", "erase", "--message-id", message_id, "--basis", "order 7", *by)
    await run(data_dir, *erase, "--within-retention", status=2)
    await run(data_dir, "admin", "hold", "release", "--matter", "M-1", *by)
    await run(data_dir, *erase, status=2)
    (done,) = await run(data_dir, *erase, "--within-retention")
    assert (done["entries"], done["messages"]) == (1, 1)


async def test_export_takes_days_and_refuses_nonsense(data_dir: Path, tmp_path: Path) -> None:
    words = ("archive", "export", "--format", "eml", "--by", "officer-1")
    out = ("--output", str(tmp_path / "out"))
    await run(data_dir, *words, *out, "--from", "yesterday", status=2)
    day = ("--from", "2026-09-21", "--to", "2026-09-21")
    assert (await run(data_dir, *words, *out, *day))[0]["entries"] == 3


async def test_worm_copies_to_a_store(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with object_store() as client:
        where = ("--endpoint-url", client.meta.endpoint_url, "--region", "eu-central-1")  # type: ignore[attr-defined]  # boto3's own
        words = ("archive", "worm", *where)
        (first,) = await run(data_dir, *words, "--bucket", BUCKET)
        assert first["written"] > 3
        (second,) = await run(data_dir, *words, "--bucket", BUCKET)
        assert not any(second.values())
        by = ("--by", "officer-1")
        await run(data_dir, "admin", "hold", "add", "--matter", "M-1", "--everything", *by)
        (third,) = await run(data_dir, *words, "--bucket", BUCKET)
        assert third["held"] == first["written"]
        await run(data_dir, *words, "--bucket", "no-such-bucket", status=2)
