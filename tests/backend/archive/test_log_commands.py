"""The commands about the log as an operator or auditor runs them, each in a process of its own.

It never opens the database meanwhile, except to tamper with it while no command runs.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from backend.archive.nodes import NodeCache
from backend.archive.proofs import build_receipt, newest_sealed
from backend.archive.selection import Selection, sealed_records
from backend.inbox.stream_history import history_id_of
from backend.storage.database import Database
from contract import api
from contract.receipts.keys import KeyType, VerifierKey
from contract.receipts.saved import format_saved
from contract.receipts.signers import Ed25519Signer, format_private_key
from contract.receipts.statements import Move, Restore, sign_statement
from contract.wire import ArchiveAlert
from tests.backend.backend_process import KEY_HEX, BackendProcess, run_command
from tests.backend.workspace import ELENA, START_UTC_MS, Workspace, client_of, open_workspace
from tests.support.log_guard import LogGuard

pytestmark = pytest.mark.slow

SEED = hashlib.sha256(b"recovery").digest()
RECOVERY = Ed25519Signer("recovery.example", SEED)
STRANGER = str(Ed25519Signer("stranger", b"s" * 32).verifier_key)


@dataclass(frozen=True)
class Operated:
    """A workspace at rest, and what its auditor noted of it before."""

    folder: Path
    log_key: str
    witness_key: str
    origin: str
    size: int
    root: bytes
    saved: bytes

    async def run(self, *words: str, status: int = 0) -> list[dict[str, Any]]:
        """Run a command to its end and return its lines."""
        code, out, errors = await asyncio.to_thread(run_command, self.folder, *words)
        assert code == status, (out, errors)
        assert "canary-words" not in out + errors
        return [json.loads(line) for line in out.splitlines()]

    def history(self) -> str:
        """Return the id by which clients know that the database was put back."""
        database = Database.open(self.folder / "backend.db", bytes.fromhex(KEY_HEX))
        try:
            return database.write_now(history_id_of)
        finally:
            database.close_now()

    async def verify(self, *words: str, status: int = 0) -> str:
        """Run `archive verify` and return the fault it names."""
        (found,) = await self.run("archive", "verify", *words, status=status)
        assert found["ok"] == (status == 0)
        return str(found["fault"])

    def tamper(self, *statements: str) -> None:
        """Change the database as an intruder with its key would."""

        def work(connection: Connection) -> None:
            for statement in statements:
                connection.exec_driver_sql(statement)

        database = Database.open(self.folder / "backend.db", bytes.fromhex(KEY_HEX))
        try:
            database.write_now(work)
        finally:
            database.close_now()


@pytest.fixture
async def operated(tmp_path: Path, expect_log: LogGuard) -> Operated:
    """Return a workspace with three sealed messages and an alarm of a client."""
    expect_log("a client raised an alarm", logger="parley.backend.archive")
    folder = tmp_path / "data"
    async with open_workspace(folder, bytes.fromhex(KEY_HEX)) as workspace:
        for number in range(3):
            await workspace.inbound(f"canary-words {number}")
        alert = ArchiveAlert(kind="fork", detail_code="root_wrong", seen_size=3, got_size=4)
        async with client_of(workspace) as client:
            told = await client.post(
                api.ARCHIVE_ALERTS,
                content=msgspec.json.encode(alert),
                headers={"Idempotency-Key": "alarm-1"},
            )
            assert told.status_code < 300, told.text
        await workspace.sealing.sealed()
        return await workspace.services.database.read(lambda c: noted(c, workspace, folder))


def noted(connection: Connection, workspace: Workspace, folder: Path) -> Operated:
    """Note the keys, the newest tree and one receipt."""
    sealing, checkpoint = workspace.sealing, newest_sealed(connection)
    assert checkpoint is not None
    log_key = sealing.signer.verifier_key
    (record,) = sealed_records(connection, Selection(first_index=1), 1)
    receipt = build_receipt(connection, NodeCache(), record.leaf_index, checkpoint)
    return Operated(
        folder=folder,
        log_key=str(log_key),
        witness_key=str(sealing.witness.key),
        origin=log_key.name,
        size=checkpoint.size,
        root=checkpoint.root,
        saved=format_saved(receipt, record.leaf, log_key, (sealing.witness.key,), 1),
    )


async def test_archive_is_verified_against_keys_from_outside(operated: Operated) -> None:
    keys = ("--log-key", operated.log_key, "--witness-key", operated.witness_key)
    assert await operated.verify(*keys) == ""
    assert "a key you did not name" in await operated.verify("--log-key", STRANGER, status=1)
    other = str(Ed25519Signer("w", b"w" * 32, KeyType.COSIGNATURE_V1).verifier_key)
    assert "a witness whose key" in await operated.verify("--witness-key", other, status=1)
    two = (*keys, "--witness-key", other)
    assert "asks for 1 witnesses, you for 2" in await operated.verify(*two, status=1)
    assert await operated.verify(*two, "--quorum", "1") == ""
    await operated.run("archive", "verify", "--log-key", "nonsense", status=2)
    await operated.run("archive", "verify", "--quorum", "1", status=2)


async def test_first_fault_anywhere_is_named(operated: Operated) -> None:
    operated.tamper("UPDATE messages SET text = 'x' WHERE place_index = 2")
    assert "its text is not the one archived" in await operated.verify(status=1)
    operated.tamper("UPDATE messages SET text = 'canary-words 1' WHERE place_index = 2")
    assert await operated.verify() == ""


async def test_rotation_is_followed_by_the_recovery_keys_signature_alone(
    operated: Operated, tmp_path: Path
) -> None:
    file = tmp_path / "recovery.key"
    file.write_text(format_private_key("recovery.example", KeyType.ED25519, SEED))
    rotate = ("admin", "rotate-log-key", "--recovery-key-file")
    (told,) = await operated.run(*rotate, str(file))
    assert (told["from_size"], told["new_key"] != operated.log_key) == (operated.size, True)
    old = ("--log-key", operated.log_key)
    assert "did not name" in await operated.verify(*old, status=1)
    assert await operated.verify(*old, "--recovery-key", str(RECOVERY.verifier_key)) == ""
    assert "did not name" in await operated.verify(*old, "--recovery-key", STRANGER, status=1)
    assert await operated.verify(*old, "--log-key", told["new_key"]) == ""
    file.write_text("no key")
    await operated.run(*rotate, str(file), status=2)
    await operated.run(*rotate, str(tmp_path / "nothing"), status=2)


async def test_statement_is_shown_only_when_the_recovery_key_signed_it(
    operated: Operated, tmp_path: Path
) -> None:
    now_utc_ms = time.time_ns() // 1_000_000
    restore = Restore(operated.origin, now_utc_ms, operated.size, operated.root, ())
    signed, altered = tmp_path / "signed", tmp_path / "altered"
    signed.write_bytes(sign_statement(restore, [RECOVERY]))
    altered.write_bytes(signed.read_bytes().replace(b"size ", b"size 1"))
    add = ("admin", "add-statement", "--recovery-key", str(RECOVERY.verifier_key))
    before = operated.history()
    assert await operated.run(*add, str(signed)) == [{"ok": True, "kind": "restore"}]
    assert operated.history() != before, "every client syncs anew"
    (refused,) = await operated.run(*add, str(altered), status=1)
    assert refused["ok"] is False and refused["fault"]
    wrong = ("admin", "add-statement", "--recovery-key", STRANGER, str(signed))
    await operated.run(*wrong, status=1)
    await operated.run(*add, str(tmp_path / "nothing"), status=2)
    assert await operated.verify() == "", "a statement is an entry, too"


async def test_clients_alarms_are_listed(operated: Operated) -> None:
    (alert,) = await operated.run("admin", "alerts")
    assert (alert["kind"], alert["employee_id"]) == ("fork", ELENA)
    assert (alert["seen_size"], alert["got_size"]) == (3, 4)
    assert alert["at_utc_ms"] > START_UTC_MS


async def test_receipt_is_checked_with_its_file_alone(operated: Operated, tmp_path: Path) -> None:
    file = tmp_path / "one.parley-receipt"
    file.write_bytes(operated.saved)
    check = ("archive", "verify-receipt", str(file))
    (proven,) = await run_alone(*check)
    assert (proven["ok"], proven["index"], proven["origin"]) == (True, 1, operated.origin)
    trusted = ("--log-key", operated.log_key, "--witness-key", operated.witness_key)
    assert (await run_alone(*check, *trusted))[0]["ok"]
    assert not (await run_alone(*check, "--log-key", STRANGER, status=1))[0]["ok"]
    leaf = tmp_path / "leaf"
    leaf.write_bytes(b"{}")
    assert not (await run_alone(*check, "--leaf", str(leaf), status=1))[0]["ok"]
    assert not (await run_alone(*check, "--quorum", "2", status=1))[0]["ok"]
    file.write_bytes(operated.saved.replace(b"index 1", b"index 2"))
    assert not (await run_alone(*check, status=1))[0]["ok"]
    file.unlink()
    await run_alone(*check, status=2)


async def run_alone(*words: str, status: int = 0) -> list[dict[str, Any]]:
    """Run a command that knows of no workspace, without a handshake."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "backend", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == status, errors.decode()
    return [json.loads(line) for line in out.splitlines()]


async def test_log_is_published_and_audited_without_the_archive(
    operated: Operated, tmp_path: Path
) -> None:
    folder = tmp_path / "mirror"
    (told,) = await operated.run("archive", "tiles", "--to", str(folder))
    assert told == {"size": operated.size, "written": 3}
    check = ("archive", "verify-tiles", str(folder), "--log-key", operated.log_key)
    (found,) = await run_alone(*check, "--witness-key", operated.witness_key)
    assert (found["ok"], found["size"], len(found["witnesses"])) == (True, operated.size, 1)
    assert found["root"] == operated.root.hex()
    assert not (await run_alone(*check[:-1], STRANGER, status=1))[0]["ok"]
    two = ("--witness-key", operated.witness_key, "--quorum", "2")
    assert not (await run_alone(*check, *two, status=1))[0]["ok"]
    await run_alone(*check[:-1], "nonsense", status=2)
    (folder / "checkpoint").write_bytes(b"of another log")
    await operated.run("archive", "tiles", "--to", str(folder), status=2)


async def test_running_backend_publishes_what_it_seals(tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    with BackendProcess(tmp_path / "data", "--tiles", str(folder), "--sandbox-silent") as backend:
        with backend.client() as client:
            keys = client.get(api.CAPABILITIES).json()["archive"]
        async with asyncio.timeout(60):
            while not (folder / "checkpoint").exists():
                await asyncio.sleep(0.05)
        backend.close_stdin()
        assert await asyncio.to_thread(backend.wait) == 0
    witnesses = [word for key in keys["witness_keys"] for word in ("--witness-key", key)]
    check = ("archive", "verify-tiles", str(folder), "--log-key", keys["log_key"], *witnesses)
    (found,) = await run_alone(*check)
    assert found["ok"] and found["size"] > 0


async def test_operator_states_a_restore_or_a_move_or_takes_a_signed_one(
    operated: Operated, tmp_path: Path
) -> None:
    key = tmp_path / "recovery.key"
    key.write_text(format_private_key("recovery.example", KeyType.ED25519, SEED))
    signed_with = ("--recovery-key-file", str(key))
    restore = ("admin", "state-restore", "--seen-size")
    before = operated.history()
    (told,) = await operated.run(*restore, str(operated.size + 5), *signed_with)
    assert told["lost"] == [[operated.size, operated.size + 5]]
    restored = operated.history()
    assert restored != before, "every client syncs anew"
    await operated.run(*restore, str(operated.size), *signed_with, status=2)
    assert operated.history() == restored
    (told,) = await operated.run("admin", "new-history")
    assert restored != told["history_id"] == operated.history()
    move = ("admin", "state-move", "--from-origin")
    (told,) = await operated.run(*move, "archive.example/old", *signed_with)
    assert told["new_key"] == operated.log_key
    await operated.run(*move, operated.origin, *signed_with, status=2)

    log_key = VerifierKey.parse(operated.log_key)
    witnesses = (VerifierKey.parse(operated.witness_key),)
    here = Move("archive.example/old", 1, log_key, witnesses, 1, operated.size, operated.root)
    add = ("admin", "add-statement", "--recovery-key", str(RECOVERY.verifier_key))
    file = tmp_path / "move"
    for statement, signer, status in (
        (here, RECOVERY, 0),
        (here, Ed25519Signer("stranger", b"s" * 32), 1),
        (here._replace(root=b"r" * 32), RECOVERY, 1),
        (here._replace(size=operated.size + 99), RECOVERY, 1),
        (here._replace(new_key=VerifierKey.parse(STRANGER)), RECOVERY, 1),
        (here._replace(origin=operated.origin), RECOVERY, 0),
    ):
        file.write_bytes(sign_statement(statement, [signer]))
        await operated.run(*add, str(file), status=status)
    assert await operated.verify() == ""
