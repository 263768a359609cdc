"""The log grows by one leader at a time, is sealed by its witness alone, and can be rebuilt from.

It never fakes a part: sequencers, witnesses, keys and the database are the real ones.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from backend.archive.entries import append_entry, entries_of_message, new_salt
from backend.archive.log import LeadLost, commit_batch, read_head, take_lead
from backend.archive.nodes import NodeCache
from backend.archive.statements import rotate_log_key, rotations
from backend.archive.verify import read_envelope, verify_archive
from backend.archive.witness import AnotherLog, NotCosigned, Witness
from backend.archive.witness_request import AddCheckpoint
from backend.archive.witness_state import Seen, WitnessDamaged, WitnessState
from backend.inbox.inbound import record_delete, record_edit
from backend.storage.database import Database
from contract.receipts.checkpoints import Checkpoint, format_checkpoint
from contract.receipts.keys import KeyType, VerifierKey
from contract.receipts.notes import sign_note
from contract.receipts.signers import Ed25519Signer
from contract.receipts.statements import Rotation, open_statement
from contract.receipts.trees import MemoryTree
from tests.backend.sealing import LocalWitness
from tests.backend.workspace import FIRM, START_UTC_MS, Workspace
from tests.support.log_guard import LogGuard

LOG = Ed25519Signer("test-log", b"l" * 32)
WITNESS = Ed25519Signer("test-witness", b"w" * 32, KeyType.COSIGNATURE_V1)


def add_some(connection: Connection, count: int = 3) -> None:
    """Record a few entries."""
    for _ in range(count):
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


async def test_second_sequencer_takes_the_lead_and_the_first_can_not_fork_the_log(
    workspace: Workspace, tmp_path: Path
) -> None:
    await workspace.sealing.pause()
    first = workspace.services.database
    second = Database.open(tmp_path / "backend.db", b"k" * 32)
    signer = workspace.sealing.signer

    def grow(database: Database, epoch: int) -> int:
        batch = database.write_now(
            lambda c: commit_batch(c, epoch, signer, NodeCache(), START_UTC_MS, limit=2)
        )
        return 0 if batch is None else batch.checkpoint.size

    try:
        old = first.write_now(take_lead)
        first.write_now(add_some)
        size = grow(first, old)
        new = second.write_now(take_lead)
        with pytest.raises(LeadLost):
            grow(first, old)
        assert grow(second, new) > size
        first.write_now(add_some)  # any process may record; only the leader sequences
        while grow(second, new):
            pass
        with pytest.raises(LeadLost):
            grow(first, old)
        assert second.read_now(verify_archive).in_log == 1 + 3 + 3
    finally:
        second.close_now()


async def test_sequencer_whose_lead_was_taken_ends(
    workspace: Workspace, expect_log: LogGuard
) -> None:
    await workspace.services.database.write(take_lead)
    running = workspace.sealing.running
    assert running is not None
    await workspace.services.database.write(add_some)
    with pytest.raises(BaseExceptionGroup) as raised:
        async with asyncio.timeout(60):
            await asyncio.shield(running)
    assert raised.value.subgroup(LeadLost) is not None
    workspace.sealing.go()
    await workspace.sealing.sealed()


async def test_entries_that_waited_are_sealed_in_batches_and_told_of(workspace: Workspace) -> None:
    await workspace.sealing.pause()
    await workspace.services.database.write(lambda c: add_some(c, 1_300))
    workspace.sealing.go()
    await workspace.sealing.sealed()
    head = await workspace.services.database.read(read_head)
    assert head.size == head.sealed_size == head.announced_size == 1_301
    sizes = await workspace.scalar("SELECT count(*) FROM archive_checkpoints WHERE size > 1")
    assert sizes == 3
    audit = await workspace.services.database.read(verify_archive)
    assert (audit.fault, audit.in_log, audit.sealed) == ("", 1_301, 1_301)


async def test_log_brought_back_to_an_older_copy_is_refused_by_its_witness(
    workspace: Workspace, expect_log: LogGuard
) -> None:
    expect_log("a witness did not cosign", logger="backend.archive.sequencer")
    await workspace.inbound("One")
    sealing = workspace.sealing
    state = sealing.witness.seen
    assert state is not None
    sealing.witness.remember(Seen(log_key=state.log_key, size=99, root="ab" * 32))
    await workspace.services.database.write(add_some)
    async with asyncio.timeout(60):
        while not (sealing.problems and sealing.problems[-1].startswith("second check refused")):
            await asyncio.sleep(0.01)
    head = await workspace.services.database.read(read_head)
    assert head.sealed_size < head.size


def checkpoint_of(tree: MemoryTree, size: int, origin: str = "test-log") -> bytes:
    """Return a signed checkpoint of a tree's first `size` leaves."""
    return sign_note(format_checkpoint(Checkpoint(origin, size, tree.root(size))), [LOG])


def test_witness_signs_growth_only_and_remembers_it(tmp_path: Path) -> None:
    tree = MemoryTree([bytes([n]) * 32 for n in range(20)])
    forked = MemoryTree([b"x" * 32, *(bytes([n]) * 32 for n in range(1, 20))])
    state = WitnessState(tmp_path / "w.state")
    witness = Witness(WITNESS, LOG.verifier_key, state, now_s=lambda: 1)

    def ask(old: int, size: int, of: MemoryTree = tree, proof: list[bytes] | None = None) -> int:
        if proof is None:
            proof = of.consistency(old, size) if 0 < old < size else []
        try:
            witness.cosign(AddCheckpoint(old, tuple(proof), checkpoint_of(of, size)))
        except NotCosigned as refusal:
            return refusal.status
        return 200

    assert ask(0, 5) == 200
    assert ask(0, 9) == 409
    assert ask(5, 9, forked) == 422
    assert ask(5, 5, forked) == 409
    assert ask(5, 4) == 400
    assert ask(5, 9, proof=[b"z" * 32]) == 422
    assert ask(5, 9) == 200
    assert ask(9, 9) == 200
    strange = sign_note(format_checkpoint(Checkpoint("test-log", 12, tree.root(12))), [WITNESS_LOG])
    with pytest.raises(NotCosigned, match="has not signed"):
        witness.cosign(AddCheckpoint(9, tuple(tree.consistency(9, 12)), strange))
    state.close()
    reopened = WitnessState(tmp_path / "w.state")
    assert Witness(WITNESS, LOG.verifier_key, reopened, now_s=lambda: 2).size == 9
    reopened.close()


WITNESS_LOG = Ed25519Signer("test-log", b"o" * 32)


def test_torn_write_leaves_the_memory_before_and_two_damaged_ones_stop(tmp_path: Path) -> None:
    path = tmp_path / "w.state"
    state = WitnessState(path)
    for size in (1, 2, 3):
        state.keep(Seen(log_key="k", size=size))
    state.close()
    whole = path.read_bytes()
    newest = whole.index(b'"size":3')
    path.write_bytes(whole[:newest] + b"#" * 8 + whole[newest + 8 :])
    torn = WitnessState(path)
    assert torn.seen is not None
    assert torn.seen.size == 2
    torn.close()
    path.write_bytes(b"#" * len(whole))
    with pytest.raises(WitnessDamaged):
        WitnessState(path)


async def test_rotated_key_is_believed_by_the_witness_through_the_old_keys_word(
    workspace: Workspace, tmp_path: Path
) -> None:
    await workspace.inbound("Before the rotation")
    sealing = workspace.sealing
    await sealing.pause()
    recovery = Ed25519Signer("firm-recovery", b"r" * 32)
    old = sealing.signer.verifier_key
    database = workspace.services.database
    stated = await database.write(lambda c: rotate_log_key(c, recovery, workspace.clock()))
    notes = [note.encode() for note in await database.read(rotations)]
    opened = open_statement(notes[0], [recovery.verifier_key], old)
    assert isinstance(opened, Rotation)
    assert opened == stated
    sealing.witness.close()
    with pytest.raises(AnotherLog):
        LocalWitness(tmp_path / "witness", stated.new_key, workspace.clock)
    stranger = VerifierKey(old.name, KeyType.ED25519, b"s" * 32)
    with pytest.raises(AnotherLog):
        LocalWitness(tmp_path / "witness", stranger, workspace.clock, notes)
    await sealing.start(notes)
    await workspace.inbound("After the rotation")
    audit = await database.read(lambda c: verify_archive(c, sealing.witness.seen))
    assert (audit.fault, audit.sealed) == ("", audit.entries)
    newest = await workspace.scalar(
        "SELECT CAST(note AS TEXT) FROM archive_checkpoints ORDER BY size DESC LIMIT 1"
    )
    assert str(newest).startswith(stated.new_key.name)


async def test_first_version_of_an_edited_and_deleted_message_can_be_rebuilt(
    workspace: Workspace,
) -> None:
    """SEC Rule 17a-4(f)(2)(i)(A): each change with time and individual, the original rebuilt."""
    database = workspace.services.database
    message_id = await workspace.inbound("Sell at 90", external="ext-1")
    now = workspace.clock()
    await database.write(
        lambda c: record_edit(
            c,
            account_id="acc-wa",
            external_message_id="ext-1",
            text="Sell at 95",
            occurred_at_utc_ms=now,
            received_at_utc_ms=now,
        )
    )
    await database.write(
        lambda c: record_delete(
            c,
            account_id="acc-wa",
            external_message_id="ext-1",
            occurred_at_utc_ms=now,
            received_at_utc_ms=now,
        )
    )
    await workspace.sealing.sealed()
    entries = await database.read(lambda c: entries_of_message(c, message_id))
    assert [entry.kind for entry in entries] == ["message_in", "edited", "deleted"]
    assert all(entry.sealed for entry in entries)
    envelopes = [read_envelope(entry.leaf) for entry in entries]
    for before, after in zip(entries, envelopes[1:], strict=False):
        assert after.previous == before.leaf_hash.hex(), "each names the version it replaces"
    author = await workspace.scalar("SELECT contact_id FROM contacts")
    assert {envelope.actor_id for envelope in envelopes} == {author}
    assert all(envelope.occurred_at_utc_ms > 0 for envelope in envelopes)
    assert entries[0].body is not None
    assert msgspec.json.decode(entries[0].body)["text"] == "Sell at 90"
    assert entries[1].body is not None
    assert msgspec.json.decode(entries[1].body)["text"] == "Sell at 95"
    assert (await database.read(verify_archive)).ok
