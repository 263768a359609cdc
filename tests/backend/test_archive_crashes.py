"""kill -9 of the sequencer at any commit, or of the witness, leaves a log that verifies.

It never runs the killed parts inside the test's own process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec
import psutil
import pytest

from contract.ids import idempotency_key
from contract.receipts.bodies import submission_envelope
from contract.receipts.keys import VerifierKey
from contract.receipts.leaf import leaf_bytes
from contract.receipts.tlog_proof import verify_receipt
from contract.wire import CapabilitiesDocument, Me, SubmitMessage, Submitted
from tests.backend.workspace import draft
from tests.support.processes import children_with
from tests.support.served_backend import SECRET, ServedBackend, verify_archive

T = TypeVar("T")
PATIENCE_S = 60.0
MOST_STEPS = 40

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


def client_of(backend: ServedBackend) -> httpx.Client:
    """Return a client signed in by the secret."""
    return httpx.Client(
        base_url=f"http://127.0.0.1:{backend.port}",
        headers={"Authorization": f"Bearer {SECRET}"},
        timeout=60.0,
        # A kept connection may be ended by the backend while the next request is on its way.
        limits=httpx.Limits(max_keepalive_connections=0),
        trust_env=False,
    )


def until(look: Callable[[], T | None]) -> T:
    """Wait until something is true; returns it."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.02)
    return found


def chat_of(client: httpx.Client) -> str:
    """Return a conversation on a channel with a server-side key."""
    for chat in client.get("/v1/conversations?limit=100").json()["conversations"]:
        if chat["channel"] == "matrix" and chat["mode"] == "governed":
            return str(chat["conversation_id"])
    raise AssertionError("the sample has such a chat")


def post(client: httpx.Client, chat: str, command: SubmitMessage) -> httpx.Response | None:
    """Submit; None when the backend died meanwhile."""
    try:
        return client.post(
            f"/v1/conversations/{chat}/messages",
            content=msgspec.json.encode(command),
            headers={"Idempotency-Key": idempotency_key(command.message_id, 0)},
        )
    except httpx.TransportError:
        return None


def check(client: httpx.Client, chat: str, command: SubmitMessage, answer: Submitted) -> None:
    """Verify an answer's receipt over the leaf built from what was sent."""
    told = client.get("/v1/capabilities").content
    keys = msgspec.json.decode(told, type=CapabilitiesDocument).archive
    me = msgspec.json.decode(client.get("/v1/me").content, type=Me)
    assert keys is not None
    envelope = submission_envelope(
        command,
        answer.message.conversation_id,
        firm_id=me.firm_id,
        employee_id=me.employee_id,
        decision_hash=answer.decision_hash,
    )
    verify_receipt(
        answer.receipt.encode(),
        leaf_bytes(envelope),
        VerifierKey.parse(keys.log_key),
        [VerifierKey.parse(key) for key in keys.witness_keys],
        keys.quorum,
    )


def sealed_answer(client: httpx.Client, chat: str, command: SubmitMessage) -> Submitted:
    """Submit again and again until the answer holds the receipt."""

    def look() -> Submitted | None:
        answer = post(client, chat, command)
        if answer is None or answer.status_code != 201:
            return None
        return msgspec.json.decode(answer.content, type=Submitted)

    return until(look)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_any_commit_the_log_verifies_and_the_message_is_sealed_once(
    tmp_path: Path,
) -> None:
    steps: list[str] = []
    with ServedBackend(tmp_path / "data") as backend:
        for n in range(1, MOST_STEPS):
            command = draft(f"step {n}", composed_at_utc_ms=time.time_ns() // 1_000_000)
            with client_of(backend) as client:
                chat = chat_of(client)
                backend.arm(n, "before backend: submit_message")
                answer = post(client, chat, command)
            alive = backend.child.alive and answer is not None
            backend.kill()
            steps += [str(line["name"]) for line in backend.child.told("step")]
            audit = verify_archive(backend.data_dir)
            assert audit["ok"], (n, audit)
            backend.start()
            with client_of(backend) as client:
                check(client, chat, command, sealed_answer(client, chat, command))
            if alive and n > 8:
                break
        else:
            pytest.fail("there are more steps than were tried: raise MOST_STEPS")
        backend.stop()
        assert verify_archive(backend.data_dir)["ok"]
    assert {"after backend: submit_message", "after backend: Sequencer._keep"} <= set(steps)
    assert "before backend: Sequencer._keep" in steps


@pytest.mark.timeout(300)
def test_killed_witness_comes_back_with_its_memory_and_key(tmp_path: Path) -> None:
    with ServedBackend(tmp_path / "data") as backend, client_of(backend) as client:
        chat = chat_of(client)
        sealed_answer(client, chat, draft("before"))
        (witness,) = children_with("witness", of=backend.child.pid)
        witness.kill()
        psutil.wait_procs([witness], PATIENCE_S)
        command = draft("after")
        check(client, chat, command, sealed_answer(client, chat, command))
        (second,) = children_with("witness", of=backend.child.pid)
        assert second.pid != witness.pid
        assert "problems" not in until(
            lambda: (
                health if (health := client.get("/v1/health").json())["status"] == "ok" else None
            )
        )
        backend.stop()
        assert verify_archive(backend.data_dir)["ok"]


@pytest.mark.timeout(300)
def test_frozen_witness_makes_delivery_wait_visibly(tmp_path: Path) -> None:
    with ServedBackend(tmp_path / "data") as backend, client_of(backend) as client:
        chat = chat_of(client)
        sealed_answer(client, chat, draft("before"))
        (witness,) = children_with("witness", of=backend.child.pid)
        witness.suspend()
        try:
            command = draft("waits")
            answer = post(client, chat, command)
            assert answer is not None
            assert answer.status_code == 202
            assert client.get(f"/v1/messages/{command.message_id}").json()["state"] == "archived"
            problems = until(lambda: client.get("/v1/health").json().get("problems"))
            assert any("second check pending" in problem for problem in problems)
        finally:
            witness.resume()
        check(client, chat, command, sealed_answer(client, chat, command))


@pytest.mark.timeout(300)
def test_witness_ends_with_its_backend_and_a_tampered_memory_stops_the_seal(
    tmp_path: Path,
) -> None:
    with ServedBackend(tmp_path / "data") as backend:
        with client_of(backend) as client:
            sealed_answer(client, chat_of(client), draft("before"))
        (witness,) = children_with("witness", of=backend.child.pid)
        backend.kill()
        psutil.wait_procs([witness], PATIENCE_S)
        assert not witness.is_running()
        memory = backend.data_dir / "witness" / "witness.state"
        memory.write_bytes(memory.read_bytes().replace(b'"size"', b'"sized'))
        found = verify_archive(backend.data_dir)
        assert not found["ok"]
        assert "memory is damaged" in found["fault"]
