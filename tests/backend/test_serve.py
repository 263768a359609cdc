"""Proofs of the real process: handshake, health, crash and restart, end with the app.

It never looks inside the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from backend.storage.database import Database
from backend.storage.tables import channel_accounts
from contract.ids import uuid7
from tests.backend.backend_process import KEY_HEX, BackendProcess, run_command
from tests.channels.peers import free_port
from tests.support.processes import children_with

T = TypeVar("T")
PATIENCE_S = 60.0


def _until(look: Callable[[], T]) -> T:
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.02)
    return found


def _conversation(client: httpx.Client, contact_id: str, channel: str) -> str:
    for item in client.get("/v1/conversations").json()["conversations"]:
        if item["channel"] == channel and contact_id in item["contact_ids"]:
            return str(item["conversation_id"])
    raise AssertionError("no such conversation")


def _submit(client: httpx.Client, conversation_id: str, text: str) -> str:
    now_utc_ms = time.time_ns() // 1_000_000
    message_id = uuid7(now_utc_ms, os.urandom(10))
    answer = client.post(
        f"/v1/conversations/{conversation_id}/messages",
        headers={"Idempotency-Key": f"{message_id}.0"},
        json={
            "message_id": message_id,
            "revision": 0,
            "text": text,
            "salt": os.urandom(32).hex(),
            "composed_at_utc_ms": now_utc_ms,
        },
    )
    assert answer.status_code in (201, 202), answer.text
    return message_id


def _received(client: httpx.Client) -> list[str]:
    lines: list[dict[str, Any]] = client.get("/v1/sandbox/inbox").json()["lines"]
    return [line["text"] for line in lines if line["direction"] == "received"]


def test_handshake_names_port_pid_and_installation(tmp_path: Path) -> None:
    with BackendProcess(tmp_path, "--sandbox-pace", "0") as backend, backend.client() as client:
        assert backend.ready["pid"] == backend.process.pid
        _until(lambda: client.get("/v1/health").json()["status"] == "ok")
        capabilities = client.get("/v1/capabilities").json()
        assert capabilities["instance_id"] == backend.ready["instance_id"]
        assert capabilities["workspace"] == "sample"
        assert client.get("/v1/me").json()["display_name"] == "Elena Marchetti"
        shown = client.get("/v1/conversations").json()["conversations"]
        assert len(shown) == 14
        assert {item["channel"] for item in shown} == {
            "whatsapp", "wechat", "signal", "telegram", "line", "sms", "imessage", "matrix",
        }  # fmt: skip


def test_sandbox_is_closed_without_the_secret(tmp_path: Path) -> None:
    with BackendProcess(tmp_path) as backend, backend.client() as client:
        answer = client.get("/v1/sandbox/inbox", headers={"Authorization": "Bearer wrong"})
        assert answer.status_code == 401
        document = client.get("/openapi.json").json()
        assert not any("sandbox" in path for path in document["paths"])


def test_pages_of_other_hosts_reach_nothing(tmp_path: Path) -> None:
    with BackendProcess(tmp_path) as backend, backend.client() as client:
        for host in ("evil.example", f"127.0.0.1.evil.example:{backend.ready['port']}", "", "::"):
            for path in ("/v1/health", "/v1/capabilities", "/openapi.json", "/v1/me"):
                answer = client.get(path, headers={"Host": host})
                assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
        for host in (f"localhost:{backend.ready['port']}", "[::1]:5", "127.0.0.1"):
            assert client.get("/v1/health", headers={"Host": host}).status_code == 200


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes")
def test_files_are_the_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with BackendProcess(folder) as backend, backend.client() as client:
        assert client.get("/v1/health").status_code == 200
        assert folder.stat().st_mode & 0o077 == 0
        for path in folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # one that was there for a moment only
                assert path.stat().st_mode & 0o077 == 0, path.name


def test_nesting_without_end_is_a_bad_request(tmp_path: Path) -> None:
    with BackendProcess(tmp_path) as backend, backend.client() as client:
        deep = b'{"text":"x","new":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        said = client.post("/v1/sandbox/clients/con-marcus/messages", content=deep)
        assert (said.status_code, said.json()["code"]) == (400, "bad_request")


def test_client_message_arrives_live_and_is_answered(tmp_path: Path) -> None:
    with BackendProcess(tmp_path, "--sandbox-pace", "0") as backend, backend.client() as client:
        marcus = _conversation(client, "con-marcus", "whatsapp")
        said = client.post("/v1/sandbox/clients/con-marcus/messages", json={"text": "Hello now"})
        assert said.status_code == 201
        _until(lambda: "Hello now" in client.get(f"/v1/conversations/{marcus}/messages").text)
        _submit(client, marcus, "echo: Tomorrow at ten")
        newest = f"/v1/conversations/{marcus}/messages?limit=1"
        _until(lambda: client.get(newest).json()["messages"][0]["text"] == "Tomorrow at ten")
        assert _received(client) == ["echo: Tomorrow at ten"]


def test_stranger_with_consent_becomes_a_client_one_can_answer(tmp_path: Path) -> None:
    with (
        BackendProcess(tmp_path, "--sandbox-pace", "0", "--sandbox-silent") as backend,
        backend.client() as client,
    ):
        said = client.post(
            "/v1/sandbox/messages",
            json={
                "account_id": "acc-matrix",
                "id_type": "mxid",
                "address": "@ada:new.example",
                "name": "Ada New",
                "text": "Hello, I am new",
                "consents": True,
            },
        )
        assert said.status_code == 201

        def known() -> str:
            for contact in client.get("/v1/contacts?limit=100").json()["contacts"]:
                consented = any(c["status"] == "accepted" for c in contact.get("consents", ()))
                if contact["display_name"] == "Ada New" and consented:
                    return str(contact["contact_id"])
            return ""

        conversation_id = _conversation(client, _until(known), "matrix")
        _submit(client, conversation_id, "Welcome")
        _until(lambda: _received(client) == ["Welcome"])


def test_backend_ends_when_stdin_closes(tmp_path: Path) -> None:
    with BackendProcess(tmp_path) as backend:
        backend.close_stdin()
        assert backend.wait() == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
def test_backend_ends_on_sigterm_with_an_open_stream(tmp_path: Path) -> None:
    with BackendProcess(tmp_path) as backend, backend.client() as client:
        with client.stream("GET", "/v1/events") as stream:
            assert stream.status_code == 200
            backend.process.send_signal(signal.SIGTERM)
            assert backend.wait() == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
@pytest.mark.slow
def test_worker_alone_delivers_what_a_killed_backend_left(tmp_path: Path) -> None:
    fast = ("--sandbox-pace", "0", "--sandbox-silent")
    with BackendProcess(tmp_path, *fast) as backend, backend.client() as client:
        slow = {"kind": "slow", "seconds": 60, "account_id": "acc-matrix"}
        client.post("/v1/sandbox/faults", json=slow)
        _submit(client, _conversation(client, "con-greta", "matrix"), "left behind")
        backend.kill()
    command = [sys.executable, "-m", "backend", "worker", "--data-dir", str(tmp_path), *fast]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert worker.stdin is not None
    worker.stdin.write(json.dumps({"database_key": KEY_HEX}) + "\n")
    worker.stdin.flush()
    try:
        # A command before would have the workspace when the worker wants it.
        _until(lambda: children_with("witness", of=worker.pid))
        assert "Another Parley" in run_command(tmp_path, "admin", "jobs")[2]
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0
    finally:
        worker.kill()
        worker.stdin.close()
    with BackendProcess(tmp_path, *fast) as backend, backend.client() as client:
        _until(lambda: _received(client) == ["left behind"])


def test_killed_backend_comes_back_on_the_same_port_and_loses_nothing(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"  # of those that the system gives to nobody meanwhile
    with (
        BackendProcess(tmp_path, "--sandbox-pace", "0", listen=address) as backend,
        backend.client() as client,
    ):
        greta = _conversation(client, "con-greta", "matrix")
        texts = [f"line {n}" for n in range(10)]
        for text in texts:
            _submit(client, greta, text)
        backend.kill()
        instance_id = backend.ready["instance_id"]
    with (
        BackendProcess(tmp_path, "--sandbox-pace", "0", listen=address) as backend,
        backend.client() as client,
    ):
        assert backend.ready["instance_id"] == instance_id
        assert backend.address == address
        _until(lambda: _received(client) == texts)
        backend.close_stdin()
        assert backend.wait() == 0
    status, out, _ = run_command(tmp_path, "archive", "verify")
    assert status == 0, out
    assert json.loads(out)["ok"]


@pytest.mark.slow
def test_second_backend_on_one_folder_says_so(tmp_path: Path) -> None:
    with BackendProcess(tmp_path):
        status, _, error = run_command(tmp_path, "admin", "jobs")
    assert status == 2
    assert "Another Parley backend" in error


def test_wrong_key_and_wrong_line_are_plain_sentences(tmp_path: Path) -> None:
    with BackendProcess(tmp_path) as backend:
        backend.close_stdin()
        assert backend.wait() == 0
    status, _, error = run_command(tmp_path, "archive", "verify", key="ff" * 32)
    assert (status, "key" in error) == (2, True)
    status, _, error = run_command(tmp_path, "archive", "verify", key="short")
    assert (status, "JSON" in error) == (2, True)
    status, _, error = run_command(tmp_path, "serve", "--listen", "0.0.0.0:0")
    assert (status, "loopback" in error) == (2, True)


def test_real_channel_account_is_refused(tmp_path: Path) -> None:
    with BackendProcess(tmp_path) as backend:
        backend.close_stdin()
        assert backend.wait() == 0
    database = Database.open(tmp_path / "backend.db", bytes.fromhex(KEY_HEX))
    database.write_now(
        lambda c: (
            c.execute(
                channel_accounts.update()
                .where(channel_accounts.c.account_id == "acc-wa")
                .values(connector="whatsapp")
            ).rowcount
        )
    )
    database.close_now()
    status, out, error = run_command(tmp_path, "serve")
    assert (status, out) == (2, "")
    assert "refuses real channel accounts" in error


def test_message_can_be_found_in_the_archive_and_no_file_holds_clear_text(
    tmp_path: Path,
) -> None:
    with BackendProcess(tmp_path, "--sandbox-pace", "0") as backend, backend.client() as client:
        greta = _conversation(client, "con-greta", "matrix")
        message_id = _submit(client, greta, "canary of the archive")
        _until(lambda: _received(client))
        backend.close_stdin()
        assert backend.wait() == 0
        assert backend.process.stderr is not None
        assert "canary" not in backend.process.stderr.read()
    status, out, _ = run_command(tmp_path, "archive", "find", "--message-id", message_id)
    entries = json.loads(out)
    assert status == 0
    assert entries[0]["kind"] == "message_out"
    assert "canary of the archive" in json.dumps(entries[0]["body"])
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path.name
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "backend.db")) as plain,
        pytest.raises(sqlite3.DatabaseError),
    ):
        plain.execute("SELECT * FROM messages")


@pytest.mark.slow
def test_dead_letters_and_paused_accounts_are_listed_and_resumed(tmp_path: Path) -> None:
    with BackendProcess(tmp_path, "--sandbox-pace", "0") as backend, backend.client() as client:
        for fault in ("recipient_invalid", "account_fault"):
            client.post("/v1/sandbox/faults", json={"kind": fault, "account_id": "acc-matrix"})
        greta = _conversation(client, "con-greta", "matrix")
        failed = _submit(client, greta, "one")
        _submit(client, greta, "two")
        paused = "account acc-matrix is paused"
        _until(lambda: paused in client.get("/v1/health").json().get("problems", ()))
        backend.close_stdin()
        assert backend.wait() == 0
    _, out, _ = run_command(tmp_path, "admin", "dead-letters", "list")
    (letter,) = [json.loads(line) for line in out.splitlines()]
    assert (letter["message_id"], letter["may_be_retried"]) == (failed, True)
    _, out, _ = run_command(tmp_path, "admin", "jobs")
    assert len(out.splitlines()) == 1
    _, out, _ = run_command(tmp_path, "admin", "paused")
    assert json.loads(out)["account_id"] == "acc-matrix"
    status, _, _ = run_command(tmp_path, "admin", "resume", "--account", "acc-matrix")
    assert status == 0
    with BackendProcess(tmp_path, "--sandbox-pace", "0") as backend, backend.client() as client:
        _until(lambda: _received(client) == ["two"])
