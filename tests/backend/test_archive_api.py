"""The archive proves itself over the API: receipts, checkpoints, consistency, tiles and alarms.

It never trusts the backend's word: each answer is verified with the published arithmetic.
"""

from __future__ import annotations

import asyncio
from functools import partial

import httpx
import msgspec

from backend.directory.walls import set_wall
from contract.receipts.bodies import submission_envelope
from contract.receipts.cosignatures import open_checkpoint, require_quorum
from contract.receipts.encoding import decode_base64
from contract.receipts.keys import VerifierKey
from contract.receipts.leaf import body_commitment, leaf_bytes, leaf_hash
from contract.receipts.merkle import root_of, verify_consistency
from contract.receipts.tiles import parse_bundle, parse_tile
from contract.receipts.tlog_proof import check_receipt
from contract.wire import (
    ArchiveAlert,
    ArchiveKeys,
    CapabilitiesDocument,
    ConsistencyProof,
    ReceiptDocument,
    Submitted,
)
from tests.backend.sealing import PATIENCE_S
from tests.backend.workspace import (
    AUDITOR,
    ELENA,
    FIRM,
    KENTA,
    Workspace,
    client_of,
    draft,
    submit,
)


async def keys_of(client: httpx.AsyncClient) -> ArchiveKeys:
    """Return the archive's keys as the capabilities tell them."""
    answer = await client.get("/v1/capabilities")
    keys = msgspec.json.decode(answer.content, type=CapabilitiesDocument).archive
    assert keys is not None
    return keys


def parsed(keys: ArchiveKeys) -> tuple[VerifierKey, tuple[VerifierKey, ...], int]:
    """Return log key, witness keys and quorum."""
    witnesses = tuple(VerifierKey.parse(key) for key in keys.witness_keys)
    return VerifierKey.parse(keys.log_key), witnesses, keys.quorum


async def test_submission_is_answered_with_a_receipt_its_sender_can_check(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Good morning"))
    command = draft("Good morning to you, too.", clock=workspace.clock)
    answer = await submit(client, chat, command)
    assert answer.status_code == 201
    submitted = msgspec.json.decode(answer.content, type=Submitted)
    leaf = leaf_bytes(
        submission_envelope(
            command,
            chat,
            firm_id=FIRM,
            employee_id=ELENA,
            decision_hash=submitted.decision_hash,
        )
    )
    proven = check_receipt(submitted.receipt.encode(), leaf, *parsed(await keys_of(client)))
    assert submitted.message.archive is not None
    assert submitted.message.archive.index == proven.leaf_index
    assert submitted.message.archive.entry_hash == leaf_hash(leaf).hex()
    stored = (await client.get(f"/v1/messages/{command.message_id}")).json()
    assert stored["archive"]["index"] == proven.leaf_index
    assert stored["version"] >= submitted.message.version


async def test_submission_waits_visibly_while_the_witness_is_away(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Hello"))
    workspace.sealing.witness.away = True
    workspace.services.archive.sealed_within_s = 0.1
    command = draft("Not sealed yet.")
    answer = await submit(client, chat, command)
    assert answer.status_code == 202
    submitted = msgspec.json.decode(answer.content, type=Submitted)
    assert (submitted.message.archive, submitted.receipt) == (None, "")
    async with asyncio.timeout(60):
        while not workspace.sealing.problems:
            await asyncio.sleep(0.005)
    assert workspace.sealing.problems[-1].startswith("second check pending")
    pending = await client.get(f"/v1/messages/{command.message_id}/receipt")
    assert pending.status_code == 409
    after = submitted.message.version
    workspace.sealing.witness.away = False
    workspace.services.archive.sealed_within_s = PATIENCE_S
    await workspace.sealing.sealed()
    async with asyncio.timeout(60):
        while workspace.sealing.problems[-1]:
            await asyncio.sleep(0.005)
    events = (await client.get("/v1/events/poll?after=0&wait_s=0")).json()["events"]
    sealed = [one["body"] for one in events if one["body"]["type"] == "sealed"]
    assert [one["message_id"] for one in sealed] == [command.message_id]
    again = await submit(client, chat, command)
    assert again.status_code == 201
    replayed = msgspec.json.decode(again.content, type=Submitted)
    assert replayed.receipt == sealed[0]["receipt"]
    assert replayed.message.version == after + 1


async def test_every_message_has_a_receipt_for_those_who_may_see_it(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    message_id = await workspace.inbound("Prove me")
    answer = await client.get(f"/v1/messages/{message_id}/receipt", params={"revision": 0})
    document = msgspec.json.decode(answer.content, type=ReceiptDocument)
    leaf = decode_base64(document.leaf)
    check_receipt(document.receipt.encode(), leaf, *parsed(await keys_of(client)))
    assert msgspec.json.decode(leaf)["message_id"] == message_id
    assert (document.witnesses_confirmed, document.witnesses_total) == (1, 1)
    committed = body_commitment(bytes.fromhex(document.salt), decode_base64(document.body))
    assert msgspec.json.decode(leaf)["body_commitment"] == committed
    async with client_of(workspace, KENTA) as stranger:
        assert (await stranger.get(f"/v1/messages/{message_id}/receipt")).status_code == 404


async def test_checkpoints_grow_consistently(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    log_key, witnesses, quorum = parsed(await keys_of(client))
    seen = []
    for number in range(4):
        await workspace.inbound(f"Message {number}")
        opened = open_checkpoint(
            (await client.get("/v1/archive/checkpoint")).content, log_key, witnesses
        )
        require_quorum(opened.cosignatures, quorum)
        seen.append(opened.checkpoint)
    for old, new in [(seen[0], seen[1]), (seen[0], seen[3]), (seen[2], seen[3])]:
        sizes = {"from_size": old.size, "to_size": new.size}
        answer = await client.get("/v1/archive/consistency", params=sizes)
        proof = msgspec.json.decode(answer.content, type=ConsistencyProof)
        hashes = [decode_base64(one) for one in proof.hashes]
        verify_consistency(old.size, new.size, hashes, old.root, new.root)
    beyond = {"from_size": 1, "to_size": 10_000}
    assert (await client.get("/v1/archive/consistency", params=beyond)).status_code == 400


async def test_auditor_rebuilds_the_tree_from_tiles_and_others_get_none(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    for number in range(3):
        await workspace.inbound(f"Message {number}")
    async with client_of(workspace, AUDITOR) as auditor:
        await auditor.get("/v1/me")
    await client.get("/v1/me")  # each first call is an entry: have the log at rest afterwards
    await workspace.sealing.sealed()
    log_key, witnesses, _ = parsed(await keys_of(client))
    note = (await client.get("/v1/archive/checkpoint")).content
    tree = open_checkpoint(note, log_key, witnesses).checkpoint
    assert (await client.get(f"/v1/archive/tile/0/000.p/{tree.size}")).status_code == 403
    async with client_of(workspace, AUDITOR) as auditor:
        tile = await auditor.get(f"/v1/archive/tile/0/000.p/{tree.size}")
        assert root_of(parse_tile(tile.content)) == tree.root
        bundle = await auditor.get(f"/v1/archive/tile/entries/000.p/{tree.size}")
        leaves = parse_bundle(bundle.content, tree.size)
        assert root_of([leaf_hash(leaf) for leaf in leaves]) == tree.root
        for path in (f"0/000.p/{tree.size + 1}", "1/000", "0/0", "x"):
            assert (await auditor.get(f"/v1/archive/tile/{path}")).status_code == 404, path


async def test_sign_in_and_wall_change_are_entries_once(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    for _ in range(2):
        await client.get("/v1/me")
    kinds = "SELECT count(*) FROM archive_entries WHERE kind = '{}'"
    assert await workspace.scalar(kinds.format("sign_in")) == 1
    chat = await workspace.conversation_of(await workspace.inbound("Hello"))
    contact = str(await workspace.scalar("SELECT contact_id FROM contacts"))
    for up, walled in ((True, True), (True, True), (False, False)):
        now = workspace.clock()
        await workspace.services.database.write(
            partial(
                set_wall,
                employee_id=ELENA,
                contact_id=contact,
                up=up,
                actor_id="compliance",
                now_utc_ms=now,
            )
        )
        told = (await client.get(f"/v1/conversations/{chat}")).json()
        assert told.get("walled", False) is walled
    assert await workspace.scalar(kinds.format("wall")) == 2


async def test_alarm_of_a_client_is_archived_once(
    workspace: Workspace, client: httpx.AsyncClient, expect_log: object
) -> None:
    assert callable(expect_log)
    expect_log(".*raised an alarm.*", logger="parley.backend.archive")
    told = ArchiveAlert(kind="rollback", detail_code="log_rolled_back", seen_size=9, got_size=3)
    headers = {"Idempotency-Key": "alarm-1"}
    for _ in range(2):
        answer = await client.post(
            "/v1/archive/alerts", content=msgspec.json.encode(told), headers=headers
        )
        assert answer.status_code == 200
    assert await workspace.scalar("SELECT count(*) FROM archive_entries WHERE kind='alert'") == 1
    wrong = msgspec.structs.replace(told, kind="weather")
    refused = await client.post(
        "/v1/archive/alerts",
        content=msgspec.json.encode(wrong),
        headers={"Idempotency-Key": "alarm-2"},
    )
    assert refused.status_code == 400
