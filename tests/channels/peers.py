"""Finds and starts the independent peers that `make test-channels` installed.

It never installs one, and ends only what it started.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest

PATIENCE_S = 300.0
# A server ends a kept connection after some seconds, perhaps while a request is on its way.
NONE_KEPT = httpx.Limits(max_keepalive_connections=0)
# Below the ports that systems choose for connections: a stopped peer finds its own free again.
_PORTS = range(20_000, 32_000)
_given: set[int] = set()


def require_peer(name: str) -> Path:
    """Return the folder of an installed peer, or skip the test and say what to do."""
    folder = os.environ.get("PARLEY_PEERS", "")
    if not folder:
        pytest.skip("independent peers run in `make test-channels` only")
    path = Path(folder) / name
    if not path.exists():
        pytest.fail(f"the peer {name} is not installed: run `make test-channels`")
    return path


def require_program(name: str) -> Path:
    """Return where a program of the system's packages lies, or skip the test."""
    require_peer("")
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(f"the program {name} is not installed: run `make test-channels`")
    return Path(found)


def free_port() -> int:
    """Return a port nobody listens on just now, another one at each call."""
    while True:
        port = random.choice(_PORTS)
        if port in _given:
            continue
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            _given.add(port)
            return port


@contextlib.contextmanager
def running(
    command: Sequence[str],
    folder: Path,
    ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a peer in a folder until the block ends; its output is in `peer.log` there."""
    log = (folder / "peer.log").open("ab")
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ) | dict(environment or {}),
    )
    try:
        _wait(process, ready, folder)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)
        log.close()


def answers(url: str) -> Callable[[], bool]:
    """Return a check that a server answers at an address, whatever it says."""

    def ready() -> bool:
        try:
            httpx.get(url, timeout=10.0, trust_env=False)
        except httpx.HTTPError:
            return False
        return True

    return ready


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], folder: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline_s:
            told = (folder / "peer.log").read_text(errors="replace")[-2000:]
            pytest.fail(f"the peer did not start ({process.poll()}): {told}")
        time.sleep(0.1)
