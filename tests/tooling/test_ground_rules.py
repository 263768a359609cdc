"""Tests of what conftest promises to every other test.

They do not test any part of Parley itself.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from pathlib import Path

import keyring
import platformdirs
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from tests.support.log_guard import LogGuard
from tests.support.network_guard import NetworkBeyondLoopback, is_loopback, loopback_only
from tests.support.qt_loop import run_in_qt_loop
from tests.support.vectors import require_vectors


def test_foreign_address_is_refused_and_reported() -> None:
    with loopback_only() as refused:
        with socket.socket() as probe, pytest.raises(NetworkBeyondLoopback):
            probe.connect(("192.0.2.1", 80))
        with pytest.raises(NetworkBeyondLoopback):
            socket.getaddrinfo("example.org", 443)
    assert refused == ["192.0.2.1", "example.org"]


def test_invalid_domain_fails_to_resolve_as_everywhere() -> None:
    with pytest.raises(socket.gaierror):
        socket.create_connection(("backend.invalid", 443))


async def test_loopback_and_unix_sockets_work_with_asyncio(tmp_path: Path) -> None:
    greeted = asyncio.Semaphore(0)

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()
        await writer.wait_closed()
        greeted.release()

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        text = await reader.read()
        writer.close()
        await writer.wait_closed()
        await greeted.acquire()
        return text

    async with await asyncio.start_server(greet, "localhost", 0) as tcp:
        port = tcp.sockets[0].getsockname()[1]
        assert await read(*await asyncio.open_connection("localhost", port)) == b"hello"
    async with await asyncio.start_unix_server(greet, tmp_path / "s"):
        assert await read(*await asyncio.open_unix_connection(tmp_path / "s")) == b"hello"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", b"localhost", None])
def test_loopback_is_recognised(host: object) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example.org", "1.1.1.1", "fe80::1%eth0"])
def test_what_lies_beyond_loopback_is_recognised(host: object) -> None:
    assert not is_loopback(host)


def _guarded(*expectations: str, required: bool = True) -> list[str]:
    guard = LogGuard()
    logger = logging.Logger("probe")
    logger.addHandler(guard)
    logger.warning("the disk is %s", "full")
    for pattern in expectations:
        guard(pattern, required=required)
    return guard.problems()


def test_unannounced_warning_is_a_problem() -> None:
    assert _guarded() == ["Unexpected WARNING of probe: the disk is full"]


def test_announced_warning_is_fine() -> None:
    assert _guarded("disk is full") == []


def test_announced_warning_that_never_comes_is_a_problem_unless_optional() -> None:
    assert len(_guarded("disk", "keyring")) == 1
    assert _guarded("disk", "keyring", required=False) == []


def test_expect_log_fixture_accepts_the_announced_warning(expect_log: LogGuard) -> None:
    expect_log("^a storm is coming$", logger="weather")
    logging.getLogger("weather.report").warning("a storm is coming")


def test_user_folders_are_private(private_folders: Path) -> None:
    for folder in (platformdirs.user_data_dir("x"), platformdirs.user_config_dir("x")):
        assert Path(folder).is_relative_to(private_folders)


@pytest.mark.usefixtures("private_keyring")
def test_keyring_round_trip_on_the_private_session_bus() -> None:
    keyring.set_password("parley-tests", "round-trip", "value")
    assert keyring.get_password("parley-tests", "round-trip") == "value"
    keyring.delete_password("parley-tests", "round-trip")
    assert keyring.get_password("parley-tests", "round-trip") is None


def test_coroutine_runs_on_a_qt_loop(qapp: QApplication) -> None:
    async def work() -> str:
        fired = asyncio.Event()
        QTimer.singleShot(1, fired.set)
        await fired.wait()
        return threading.current_thread().name

    assert run_in_qt_loop(qapp, work()) == "MainThread"


def test_qt_loop_gives_up_after_its_time_out(qapp: QApplication) -> None:
    with pytest.raises(TimeoutError):
        run_in_qt_loop(qapp, asyncio.sleep(30), timeout_s=0.05)


def test_absent_vectors_skip_here_and_fail_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception):
        require_vectors("no-such-vectors")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        require_vectors("no-such-vectors")
