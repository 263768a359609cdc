"""A real Synapse with one application service and one client person, on loopback.

It never federates.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.channels.peers import NONE_KEPT, answers, free_port, require_peer, running

SERVER_NAME = "bank.test"
AS_TOKEN, HS_TOKEN = "as-token-of-this-peer", "hs-token-of-this-peer"
FIRM_USER = f"@firm_desk:{SERVER_NAME}"


class Person:
    """A client with a Matrix program of their own."""

    def __init__(self, url: str, name: str) -> None:
        self._http = httpx.Client(
            base_url=f"{url}/_matrix/client/v3", timeout=60.0, limits=NONE_KEPT, trust_env=False
        )
        password = secrets.token_hex(8)
        document = {"username": name, "password": password, "auth": {"type": "m.login.dummy"}}
        told = self._http.post("/register", json=document).raise_for_status().json()
        self.user: str = told["user_id"]
        self._http.headers["Authorization"] = f"Bearer {told['access_token']}"
        self._sent = 0

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def meet(self, *others: str) -> str:
        """Open a room with others, a chat of two with one of them; returns the room."""
        document: dict[str, Any] = {"preset": "trusted_private_chat", "invite": list(others)}
        document["is_direct"] = len(others) == 1
        room: str = (
            self._http.post("/createRoom", json=document).raise_for_status().json()["room_id"]
        )
        return room

    def join_invited(self) -> list[str]:
        """Accept every invitation; returns the rooms."""
        told = self._http.get("/sync", params={"timeout": "0"}).raise_for_status().json()
        rooms = list(told.get("rooms", {}).get("invite", {}))
        for room in rooms:
            self._http.post(f"/join/{room}", json={}).raise_for_status()
        return rooms

    def members(self, room: str) -> set[str]:
        """Return who is in a room."""
        told = self._http.get(f"/rooms/{room}/joined_members").raise_for_status().json()
        return set(told["joined"])

    def say(self, room: str, content: dict[str, Any] | str, kind: str = "m.room.message") -> str:
        """Send an event; returns its id."""
        if isinstance(content, str):
            content = {"msgtype": "m.text", "body": content}
        self._sent += 1
        path = f"/rooms/{room}/send/{kind}/t{self._sent}"
        event: str = self._http.put(path, json=content).raise_for_status().json()["event_id"]
        return event

    def name_room(self, room: str, name: str) -> None:
        """Give a room a name."""
        self._http.put(f"/rooms/{room}/state/m.room.name", json={"name": name}).raise_for_status()

    def take_back(self, room: str, event: str) -> None:
        """Redact an event."""
        self._sent += 1
        self._http.put(f"/rooms/{room}/redact/{event}/t{self._sent}", json={}).raise_for_status()

    def read_up_to(self, room: str, event: str) -> None:
        """Mark everything up to an event as read."""
        self._http.post(f"/rooms/{room}/receipt/m.read/{event}", json={}).raise_for_status()

    def upload(self, name: str, content: bytes, media_type: str) -> str:
        """Keep a file at the homeserver; returns its address."""
        url = f"{str(self._http.base_url).split('/_matrix')[0]}/_matrix/media/v3/upload"
        headers = {"Content-Type": media_type}
        told = self._http.post(url, content=content, headers=headers, params={"filename": name})
        uri: str = told.raise_for_status().json()["content_uri"]
        return uri

    def download(self, uri: str) -> bytes:
        """Return the bytes of a file by its mxc address, as a member of the room may."""
        url = f"{str(self._http.base_url).split('/_matrix')[0]}/_matrix/client/v1/media/download"
        told = self._http.get(f"{url}/{uri.removeprefix('mxc://')}").raise_for_status()
        return told.content

    def seen(self, room: str, kind: str = "m.room.message") -> list[dict[str, Any]]:
        """Return the events of a kind by others, oldest first."""
        params = {"dir": "b", "limit": "100"}
        told = self._http.get(f"/rooms/{room}/messages", params=params).raise_for_status().json()
        found = [e for e in told["chunk"] if e["type"] == kind and e["sender"] != self.user]
        return found[::-1]


class Homeserver:
    """A Synapse whose application service is at `hook_url`; a restart keeps port and data."""

    def __init__(self, folder: Path, hook_url: str) -> None:
        self._peer, self.port, self.folder = require_peer("synapse"), free_port(), folder
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._running = contextlib.ExitStack()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "as.yaml").write_text(json.dumps(_registration(hook_url)))  # JSON is YAML, too
        (folder / "hs.yaml").write_text(json.dumps(_settings(folder, self.port)))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [str(self._peer / "bin" / "python"), "-m", "synapse.app.homeserver"]
        command += ["-c", str(self.folder / "hs.yaml")]
        ready = answers(f"{self.url}/_matrix/client/versions")
        self._process = self._running.enter_context(running(command, self.folder, ready))

    def kill(self) -> None:
        """Kill it with SIGKILL: nothing of what it was doing is ended in order."""
        assert self._process is not None, "it was not started"
        self._process.kill()
        self._process.wait(60)


@contextlib.contextmanager
def synapse(folder: Path, hook_url: str) -> Iterator[str]:
    """Run a homeserver whose application service is at `hook_url`; yields its address."""
    with Homeserver(folder, hook_url) as homeserver:
        yield homeserver.url


def _registration(hook_url: str) -> dict[str, Any]:
    return {
        "id": "parley",
        "url": hook_url,
        "as_token": AS_TOKEN,
        "hs_token": HS_TOKEN,
        "sender_localpart": "firm_service",
        "rate_limited": False,
        "receive_ephemeral": True,
        "push_ephemeral": True,
        "namespaces": {"users": [{"exclusive": True, "regex": "@firm_.*"}]},
    }


def _settings(folder: Path, port: int) -> dict[str, Any]:
    key = "ed25519 a_test " + _seed()
    (folder / "signing.key").write_text(key + "\n")
    (folder / "log.yaml").write_text(
        '{"version": 1, "handlers": {"out": {"class": "logging.StreamHandler"}},'
        ' "root": {"level": "WARNING", "handlers": ["out"]}}'
    )
    never = {"per_second": 1000, "burst_count": 1000}
    return {
        "server_name": SERVER_NAME,
        "pid_file": str(folder / "homeserver.pid"),
        "listeners": [
            {
                "port": port,
                "type": "http",
                "tls": False,
                "bind_addresses": ["127.0.0.1"],
                "resources": [{"names": ["client"]}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "log_config": str(folder / "log.yaml"),
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "macaroon_secret_key": secrets.token_hex(16),
        "form_secret": secrets.token_hex(16),
        "report_stats": False,
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "enable_registration": True,
        "enable_registration_without_verification": True,
        "app_service_config_files": [str(folder / "as.yaml")],
        "rc_message": never,
        "rc_registration": never,
        "rc_joins": {"local": never, "remote": never},
        "rc_invites": {"per_room": never, "per_user": never, "per_issuer": never},
    }


def _seed() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
