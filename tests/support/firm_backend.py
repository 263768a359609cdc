"""A firm's backend as a real process: made by the admin commands, started, killed, asked.

It never writes to the workspace but through the commands an administrator has.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from backend.archive.verify import verify_archive as audit_archive
from backend.cli.arguments import parser
from backend.cli.firm_admin import run_firm_admin
from backend.storage.database import Database
from backend.workspace import DATABASE_FILE
from backend_client.endpoint import BackendEndpoint
from tests.support.child import Child
from tests.support.served_backend import verify_archive
from tests.support.surroundings import ROOT, python_path
from tests.support.waiting import until

KEY_HEX = bytes(range(32)).hex()
WITHIN_S = 120.0
_PARSER = parser("admin")


class AdminSaidNo(Exception):
    """A command ended with another status than 0; `lines` is what it printed."""

    def __init__(self, status: int, lines: list[dict[str, Any]]) -> None:
        super().__init__(f"status {status}: {lines}")
        self.status = status
        self.lines = lines


class FirmBackend:
    """One firm in a data folder of its own, and its process while it runs."""

    def __init__(
        self, folder: Path, *, port: int, public_url: str = "", packages: Path = ROOT
    ) -> None:
        """Make the firm; `public_url` is how vendors reach it (default: this port on loopback).

        `packages` is where other packages are installed that its process may load.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data_dir = folder / "firm"
        self.key_file = folder / "database.key"
        self.key_file.write_text(KEY_HEX + "\n")
        self.key_file.chmod(0o600)
        self.port = port
        self.public_url = public_url or f"http://127.0.0.1:{port}"
        self._packages = packages
        self._child: Child | None = None
        self.admin(
            "firm", "create", "--id", "firm-test", "--name", "Bank of Tests",
            "--public-url", self.public_url,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    # -- what an administrator does ----------------------------------------------------------

    def admin(self, *command: str) -> list[dict[str, Any]]:
        """Run an admin command in this process, also beside a running backend.

        Returns the lines it printed. Raises AdminSaidNo, and WorkspaceError with the command's
        words. Outside of a loop only, where it asks a vendor (`channel add`, `set`, `check`).
        """
        words = ["admin", *command, *self._where()]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            status = run_firm_admin(_PARSER.parse_args(words))
        lines = [json.loads(line) for line in said.getvalue().splitlines()]
        if status:
            raise AdminSaidNo(status, lines)
        return lines

    def admin_process(
        self, *command: str, stdin: Mapping[str, Any]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as `python -m backend`, with the key and `stdin` on its one line."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "backend", *command, "--data-dir", str(self.data_dir)],
            input=json.dumps({"database_key": KEY_HEX, **stdin}) + "\n",
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=WITHIN_S,
            check=False,
        )

    def add_employee(self, employee_id: str, name: str, *options: str) -> str:
        """Add an employee and return an access token of theirs."""
        self.admin("employee", "add", "--id", employee_id, "--name", name, *options)
        return self.token(employee_id)

    def token(self, employee_id: str) -> str:
        """Issue one more access token."""
        issued = self.admin("employee", "token", "--id", employee_id)
        return str(issued[0]["token"])

    def add_channel(
        self, module: str, account_id: str, settings: Mapping[str, str], *options: str
    ) -> str:
        """Add a channel account, its secrets by files; returns its webhook address.

        `options` such as ("--member", "emp-anna") or ("--no-check",).
        """
        command = [*self._channel("add", account_id, settings), "--module", module]
        lines = self.admin(*command, "--label", account_id, *options)
        return str(lines[-1]["webhook_url"])

    def set_channel(self, account_id: str, settings: Mapping[str, str], *options: str) -> None:
        """Change some of an account's settings; a running backend takes them by itself."""
        self.admin(*self._channel("set", account_id, settings), *options)

    def client_settings(self) -> dict[str, Any]:
        """Return what IT would manage on clients: the keys; after the first start only."""
        settings: dict[str, Any] = self.admin("firm", "show")[0]["client_settings"]
        return settings

    def endpoint(self, token: str) -> BackendEndpoint:
        """Return where a client finds the backend, signed in by a token."""
        return BackendEndpoint(url=f"http://127.0.0.1:{self.port}", token=token)

    # -- its process -------------------------------------------------------------------------

    @property
    def child(self) -> Child:
        """Return the running process, or the one that ended last."""
        assert self._child is not None, "the backend was not started"
        return self._child

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._child = Child(
            "backend",
            {"database_key": KEY_HEX, "parent_pid": os.getpid()},
            "serve",
            "--firm",
            "--data-dir",
            str(self.data_dir),
            "--listen",
            f"127.0.0.1:{self.port}",
            env={"PYTHONPATH": python_path(self._packages)},
        )
        self._child.expect("ready", timeout_s=WITHIN_S)

    def kill(self) -> None:
        """Kill it with SIGKILL, if it runs."""
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        """End it in order: SIGTERM, then wait."""
        self.child.signal(signal.SIGTERM)
        self.child.wait()

    def client(self, token: str = "") -> httpx.Client:
        """Return an HTTP client of the running backend."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers=headers,
            timeout=60.0,
            # A kept connection may be ended by the backend while the next request is on its way.
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
        )

    def _channel(self, act: str, account_id: str, settings: Mapping[str, str]) -> list[str]:
        command = ["channel", act, "--account", account_id]
        for name, value in settings.items():
            file = self.folder / f"{account_id}.{name}"
            file.write_text(value)
            command += ["--secret-file", f"{name}={file}"]
        return command

    def _where(self) -> list[str]:
        return ["--data-dir", str(self.data_dir), "--key-file", str(self.key_file)]


def ends_sound(firm: FirmBackend, messages: int) -> None:
    """Stop a firm's backend and audit its archive from outside: so many messages, all sealed.

    What was committed in its last moment would be sealed by the next start: it is waited for.
    """
    until(lambda: _is_sealed(firm), "the seal of all that is archived")
    firm.stop()
    audit = verify_archive(firm.data_dir)
    assert audit["ok"], audit
    assert (audit["messages"], audit["sealed"]) == (messages, audit["entries"])


def _is_sealed(firm: FirmBackend) -> bool:
    database = Database.open(firm.data_dir / DATABASE_FILE, bytes.fromhex(KEY_HEX))
    try:
        audit = database.read_now(audit_archive)
    finally:
        database.close_now()
    return audit.sealed == audit.entries
