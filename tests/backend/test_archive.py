"""The archive only grows, and an audit finds whatever was changed behind its back.

It never fakes a part: it tampers with the real encrypted database as an intruder with its key
would.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from backend.archive.entries import append_entry, new_salt
from backend.archive.log import commit_batch, read_head, take_lead
from backend.archive.nodes import NodeCache
from backend.archive.proofs import covering_checkpoint
from backend.archive.sealing import Cosigned, record_cosignatures
from backend.archive.verify import Audit, describe_message, verify_archive
from backend.archive.witness_state import Seen
from backend.storage.database import Database, DatabaseTooNew, DatabaseUnreadable
from contract.receipts.cosignatures import cosign
from contract.receipts.keys import KeyType
from contract.receipts.signers import Ed25519Signer
from tests.backend.workspace import FIRM, START_UTC_MS, Workspace, open_workspace


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace with six entries."""
    async with open_workspace(tmp_path) as opened:
        for number in range(5):
            await opened.inbound(f"Message {number}")
        await opened.sealing.pause()
        yield opened


async def audit(workspace: Workspace) -> Audit:
    """Verify the whole archive, with what its witness saw."""
    seen = workspace.sealing.witness.seen
    return await workspace.services.database.read(lambda c: verify_archive(c, seen))


async def run(workspace: Workspace, *statements: str) -> None:
    """Run statements in one transaction."""

    def work(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    await workspace.services.database.write(work)


UNGUARDED = (
    "PRAGMA defer_foreign_keys = ON",
    "DROP TRIGGER archive_entries_refuse_UPDATE",
    "DROP TRIGGER archive_entries_refuse_DELETE",
    "DROP TRIGGER archive_bodies_refuse_UPDATE",
    "DROP TRIGGER archive_bodies_refuse_DELETE",
    *(
        f"DROP TRIGGER archive_{table}_refuse_{verb}"
        for table in ("leaves", "nodes", "checkpoints", "cosignatures")
        for verb in ("UPDATE", "DELETE")
    ),
)


def append_unseen(connection: Connection) -> None:
    """Record an entry that its real witness will not see."""
    append_entry(
        connection,
        kind="diagnostics",
        actor_id="test",
        conversation_id="",
        message_id="",
        revision=0,
        occurred_at_utc_ms=START_UTC_MS,
        salt=new_salt(),
        body=b"{}",
        firm_id=FIRM,
        now_utc_ms=START_UTC_MS,
    )


async def test_sound_archive_passes(workspace: Workspace) -> None:
    assert await audit(workspace) == Audit(6, "", None, in_log=6, sealed=6)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE archive_entries SET kind = 'x' WHERE sequence = 1",
        "DELETE FROM archive_entries WHERE sequence = 5",
        "UPDATE archive_bodies SET body = x'00'",
        "DELETE FROM archive_bodies",
        "INSERT OR REPLACE INTO archive_bodies SELECT entry_id, firm_id, salt, x'00'"
        " FROM archive_bodies",
        "UPDATE decisions SET action = 'allow'",
    ],
)
async def test_entries_can_not_be_changed(workspace: Workspace, statement: str) -> None:
    if "decisions" in statement:
        await run(
            workspace,
            "INSERT INTO decisions (decision_id, firm_id, message_id, revision, employee_id,"
            " action, decision_hash, decision, decided_at_utc_ms)"
            " VALUES ('d', 'firm-test', 'm', 0, 'e', 'block', '', x'00', 1)",
        )
    with pytest.raises(IntegrityError, match="only grow"):
        await run(workspace, statement)
    assert (await audit(workspace)).ok


@pytest.mark.parametrize(
    ("statement", "fault", "index"),
    [
        ("UPDATE archive_entries SET leaf = x'7B7D' WHERE sequence = 2", "stored hash", 2),
        ("UPDATE archive_entries SET leaf_hash = zeroblob(32) WHERE sequence = 3", "hash", 3),
        ("UPDATE archive_entries SET kind = 'x' WHERE sequence = 4", "differ", 4),
        ("UPDATE archive_entries SET message_id = 'x' WHERE sequence = 4", "differ", 4),
        ("UPDATE archive_entries SET decision_hash = 'x' WHERE sequence = 4", "differ", 4),
        (
            "UPDATE archive_leaves SET sequence = 9 WHERE sequence = 5;"
            "UPDATE archive_entries SET sequence = 9 WHERE sequence = 5",
            "missing",
            5,
        ),
        (
            "UPDATE archive_bodies SET body = x'7B7D' WHERE entry_id ="
            " (SELECT entry_id FROM archive_entries WHERE sequence = 1)",
            "body",
            1,
        ),
        ("UPDATE archive_bodies SET salt = x'00'", "salt", 0),
    ],
)
async def test_audit_names_the_first_fault(
    workspace: Workspace, statement: str, fault: str, index: int
) -> None:
    await run(workspace, *UNGUARDED, *statement.split(";"))
    found = await audit(workspace)
    assert fault in found.fault
    assert found.fault_index == index


CUT_TAIL = (
    "DELETE FROM archive_cosignatures WHERE size > 4",
    "DELETE FROM archive_checkpoints WHERE size > 4",
    "DELETE FROM archive_nodes WHERE (position + 1) << level > 4",
    "DELETE FROM archive_leaves WHERE leaf_index >= 4",
    "DELETE FROM message_versions",
    "DELETE FROM archive_bodies WHERE entry_id IN"
    " (SELECT entry_id FROM archive_entries WHERE sequence >= 4)",
    "DELETE FROM archive_entries WHERE sequence >= 4",
)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE archive_leaves SET leaf_hash = zeroblob(32) WHERE leaf_index = 2", "node 2 of"),
        ("DELETE FROM archive_leaves WHERE leaf_index = 2", "left out of the log"),
        ("UPDATE archive_nodes SET hash = zeroblob(32) WHERE level = 2", "node 0 of level 2"),
        ("DELETE FROM archive_nodes WHERE level = 1 AND position = 1", "is missing"),
        ("INSERT INTO archive_nodes VALUES (7, 0, zeroblob(32))", "no entry explains"),
        ("UPDATE archive_checkpoints SET root = zeroblob(32)", "of another tree"),
        (
            "UPDATE archive_checkpoints SET note = CAST(replace(note, '6', '7') AS BLOB)",
            "point",
        ),
        ("DELETE FROM archive_checkpoints WHERE size = 6", "newest checkpoint"),
        ("UPDATE archive_cosignatures SET line = replace(line, 'A', 'B')", "cosignature"),
        ("DELETE FROM archive_cosignatures", "without its witnesses"),
        ("UPDATE archive_head SET root = zeroblob(32)", "another root"),
        ("UPDATE archive_head SET size = 5", "newest checkpoint"),
        (
            "INSERT INTO archive_cosignatures SELECT 99, key_id, line, at_utc_ms"
            " FROM archive_cosignatures WHERE size = 6",
            "cosignatures of no checkpoint",
        ),
        (
            "INSERT INTO archive_checkpoints VALUES (0, zeroblob(32), x'00', 1, 1)",
            "checkpoints of no size",
        ),
    ],
)
async def test_audit_finds_what_was_changed_in_the_log(
    workspace: Workspace, statement: str, fault: str
) -> None:
    await run(workspace, *UNGUARDED, statement)
    found = await audit(workspace)
    assert not found.ok
    assert fault in found.fault


async def test_lost_end_of_the_archive_is_found_by_what_the_witness_saw(
    workspace: Workspace,
) -> None:
    kept = await workspace.scalar("SELECT hex(root) FROM archive_checkpoints WHERE size = 4")
    cut = [*UNGUARDED, "DROP TRIGGER message_versions_refuse_DELETE", *CUT_TAIL]
    cut.append(f"UPDATE archive_head SET size = 4, sealed_size = 4, root = x'{kept}'")
    await run(workspace, *cut)
    without = await workspace.services.database.read(verify_archive)
    assert without.ok, "the archive alone can't know"
    assert "the witness saw 6 entries" in (await audit(workspace)).fault


async def test_witness_whose_memory_was_changed_is_found(workspace: Workspace) -> None:
    honest = workspace.sealing.witness.seen
    assert honest is not None
    stranger = str(Ed25519Signer("another-log", b"o" * 32).verifier_key)
    for changed, fault in (
        (Seen(log_key=honest.log_key, size=4, root="ab" * 32), "saw another archive at size 4"),
        (Seen(log_key=honest.log_key, size=6, root="ab" * 32), "saw another archive at size 6"),
        (Seen(log_key=honest.log_key, size=7, root=honest.root), "saw 7 entries"),
        (Seen(log_key=stranger, size=6, root=honest.root), "by another key"),
    ):
        found = await workspace.services.database.read(partial(verify_archive, seen=changed))
        assert fault in found.fault


async def test_seal_by_a_witness_of_the_intruders_own_is_found(workspace: Workspace) -> None:
    """The database names the witnesses; its owner can name another, whose word is not enough."""
    honest = workspace.sealing.witness.seen
    forged = Ed25519Signer("forged-witness", b"f" * 32, KeyType.COSIGNATURE_V1)

    def work(connection: Connection) -> None:
        for statement in (*UNGUARDED, "DELETE FROM archive_cosignatures"):
            connection.exec_driver_sql(statement)
        log_key = workspace.sealing.signer.verifier_key
        append_unseen(connection)
        batch = commit_batch(
            connection, take_lead(connection), workspace.sealing.signer, NodeCache(), START_UTC_MS
        )
        assert batch is not None
        line = cosign(batch.checkpoint.note, log_key, forged, START_UTC_MS // 1000)
        key = forged.verifier_key
        connection.exec_driver_sql(
            "UPDATE properties SET value = ? WHERE name = 'archive_witnesses'",
            (msgspec.json.encode((1, (str(key),))).decode(),),
        )
        seal = [Cosigned(batch.checkpoint.size, key.key_id.hex(), line)]
        record_cosignatures(connection, seal, 1, START_UTC_MS)

    await workspace.services.database.write(work)
    found = await workspace.services.database.read(lambda c: verify_archive(c, honest))
    assert "the witness signed no more than 6" in found.fault


async def test_two_keys_of_one_witness_are_one_witness_of_the_quorum(workspace: Workspace) -> None:
    def signed(name: str, seed: bytes, note: bytes, size: int) -> Cosigned:
        signer = Ed25519Signer(name, seed * 32, KeyType.COSIGNATURE_V1)
        line = cosign(note, workspace.sealing.signer.verifier_key, signer, START_UTC_MS // 1000)
        return Cosigned(size, signer.verifier_key.key_id.hex(), line)

    def work(connection: Connection) -> tuple[list[int], int]:
        append_unseen(connection)
        signer, head = workspace.sealing.signer, read_head(connection)
        batch = commit_batch(connection, take_lead(connection), signer, NodeCache(), START_UTC_MS)
        assert batch is not None
        size, sealed = batch.checkpoint.size, []
        assert size == head.size + 1
        for name, seed in (("one", b"a"), ("one", b"b"), ("other", b"c")):
            line = signed(name, seed, batch.checkpoint.note, size)
            sealed.append(record_cosignatures(connection, [line], 2, START_UTC_MS).sealed_size)
        checkpoint = covering_checkpoint(connection, size - 1, 2)
        assert checkpoint is not None
        assert covering_checkpoint(connection, size - 1, 3) is None
        return [one - head.sealed_size for one in sealed], checkpoint.witnesses

    assert await workspace.services.database.write(work) == ([0, 0, 1], 2)


async def test_entries_of_a_message_are_described(workspace: Workspace) -> None:
    workspace.sealing.go()
    message_id = await workspace.inbound("Find me")
    told = await workspace.services.database.read(
        lambda connection: describe_message(connection, message_id)
    )
    (entry,) = msgspec.json.decode(told)
    assert (entry["kind"], entry["fault"], entry["index"]) == ("message_in", "", 6)
    assert entry["body"]["text"] == "Find me"


async def test_file_holds_no_text_and_opens_with_its_key_alone(
    workspace: Workspace, tmp_path: Path
) -> None:
    await workspace.inbound("canary in clear")
    await workspace.services.database.close()
    for path in tmp_path.glob("backend.db*"):
        assert b"canary" not in path.read_bytes()
    with pytest.raises(DatabaseUnreadable):
        Database.open(tmp_path / "backend.db", b"x" * 32)
    reopened = Database.open(tmp_path / "backend.db", b"k" * 32)
    reopened.write_now(lambda connection: connection.exec_driver_sql("PRAGMA user_version = 99"))
    reopened.close_now()
    with pytest.raises(DatabaseTooNew):
        Database.open(tmp_path / "backend.db", b"k" * 32)
