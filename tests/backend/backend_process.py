"""The real backend as a process: its start, its handshake, its API and its deaths.

It never reaches into the process's database while it runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

KEY_HEX = bytes(range(32)).hex()
SECRET = "per-start secret"
START_WITHIN_S = 60.0


class BackendProcess:
    """One run of `python -m backend serve`; a context manager that leaves nothing behind."""

    def __init__(self, data_dir: Path, *options: str, listen: str = "127.0.0.1:0") -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "backend",
                "serve",
                "--embedded",
                "--data-dir",
                str(data_dir),
                "--listen",
                listen,
                *options,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.ready: dict[str, Any] = {}

    def start(self) -> BackendProcess:
        """Give the handshake and wait for the Ready line."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = {"secret": SECRET, "database_key": KEY_HEX, "parent_pid": os.getpid()}
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        self.ready = json.loads(self.process.stdout.readline())
        return self

    @property
    def address(self) -> str:
        """Return host:port of the API."""
        return f"127.0.0.1:{self.ready['port']}"

    def client(self) -> httpx.Client:
        """Return a client signed in by the secret."""
        return httpx.Client(
            base_url=f"http://{self.address}",
            headers={"Authorization": f"Bearer {SECRET}"},
            timeout=60.0,
            # A kept connection may be ended by the backend while the next request is on its way.
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
        )

    def close_stdin(self) -> None:
        """Do what the end of the app does."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait(self) -> int:
        """Wait for the end; returns the exit status."""
        return self.process.wait(START_WITHIN_S)

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait(START_WITHIN_S)

    def __enter__(self) -> BackendProcess:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


def run_command(data_dir: Path, *command: str, key: str = KEY_HEX) -> tuple[int, str, str]:
    """Run an offline command with the key on stdin; returns (status, stdout, stderr)."""
    done = subprocess.run(
        [sys.executable, "-m", "backend", *command, "--data-dir", str(data_dir)],
        input=json.dumps({"database_key": key, "secret": SECRET}) + "\n",
        capture_output=True,
        text=True,
        timeout=START_WITHIN_S,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def start_command(data_dir: Path, *command: str, key: str = KEY_HEX) -> subprocess.Popen[str]:
    """Start an offline command with the key on stdin, to be killed by the caller."""
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", *command, "--data-dir", str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"database_key": key, "secret": SECRET}) + "\n")
    process.stdin.flush()
    return process
