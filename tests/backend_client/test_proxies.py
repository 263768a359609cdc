"""Tests of the way through the proxy that the system names, over a proxy on loopback.

They never reach beyond it: the backend's name exists nowhere.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.system_proxy import ask_system, system_proxy
from backend_client.endpoint import BackendEndpoint
from backend_client.errors import ClientError, Unreachable
from backend_client.proxies import ProxyChoice
from backend_client.transport import Transport
from tests.support.log_guard import LogGuard
from ui.proxy_answer import named_by_qt, run_system_proxy

URL = "https://parley.invalid"


class Proxy:
    """Takes the first line of each connection and hangs up."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note what is asked for."""
        self.asked.append((await reader.readline()).decode().strip())
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Run a proxy."""
    running = Proxy()
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield running


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take what the environment says of proxies away."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def _try(transport: Transport) -> None:
    with pytest.raises(ClientError):
        await transport.request("GET", "/v1/health")


async def test_the_system_is_asked_once_for_each_network(proxy: Proxy) -> None:
    asked: list[str] = []

    def find(url: str) -> str:
        asked.append(url)
        return proxy.url

    transport = Transport(BackendEndpoint(url=URL, token="t"), find_proxy=find)
    try:
        await _try(transport)
        await _try(transport)
        assert (asked, set(proxy.asked)) == ([URL], {"CONNECT parley.invalid:443 HTTP/1.1"})
        transport.renew()
        await _try(transport)
        assert asked == [URL, URL]
    finally:
        await transport.close()


@pytest.mark.parametrize(
    ("endpoint", "found", "expected"),
    [
        (BackendEndpoint(url=URL, token="t"), "http://found:1", "http://found:1"),
        (BackendEndpoint(url=URL, token="t"), "", ""),
        (BackendEndpoint(url=URL, token="t"), None, ""),
        (
            BackendEndpoint(url=URL, token="t", proxy="http://set:1"),
            "http://found:1",
            "http://set:1",
        ),
        (BackendEndpoint(url=URL, token="t", system_proxy=False), "http://found:1", ""),
        (BackendEndpoint(url="http://127.0.0.1:9", token="t"), "http://found:1", ""),
    ],
)
@pytest.mark.usefixtures("no_proxies")
def test_what_is_set_stands_over_what_is_found(
    endpoint: BackendEndpoint, found: str | None, expected: str
) -> None:
    assert ProxyChoice(lambda _url: found).lead_to(endpoint) == expected


def test_only_systems_that_know_more_than_the_environment_are_asked() -> None:
    assert system_proxy("linux") is None
    assert system_proxy("win32") is system_proxy("darwin") is ask_system


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own settings answer")
@pytest.mark.usefixtures("no_proxies")
def test_a_process_of_its_own_answers_for_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.system_proxy.ANSWER_WITHIN_S", 120.0)
    assert ask_system(URL) == ""
    monkeypatch.setenv("HTTPS_PROXY", "http://anna:p%40ss@proxy.invalid:8080")
    assert ask_system(URL) == "http://anna:p%40ss@proxy.invalid:8080"


@pytest.mark.skipif(
    sys.platform != "linux", reason="Qt answers from the environment on Linux alone"
)
@pytest.mark.usefixtures("no_proxies")
def test_what_qt_names_is_written_as_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert named_by_qt(URL) == ""
    monkeypatch.setenv("https_proxy", "http://anna:p%40ss@proxy.invalid:8080")
    assert named_by_qt(URL) == "http://anna:p%40ss@proxy.invalid:8080"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own settings answer")
@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize(
    ("variables", "status", "printed"),
    [
        ({}, 0, ""),
        ({"HTTPS_PROXY": "http://anna:secret@proxy.invalid:8080"}, 0, "anna@proxy.invalid:8080"),
        ({"https_proxy": "proxy.invalid:8080"}, 0, "http://proxy.invalid:8080"),
        ({"ALL_PROXY": "http://proxy.invalid:8080"}, 0, "http://proxy.invalid:8080"),
        ({"http_proxy": "http://proxy.invalid:8080"}, 0, ""),
        ({"https_proxy": "http://proxy.invalid:8080", "NO_PROXY": "x, .invalid"}, 0, ""),
        ({"https_proxy": "http://proxy.invalid:8080", "NO_PROXY": "x, *"}, 0, ""),
        (
            {"https_proxy": "http://proxy.invalid:8080", "ALL_PROXY": "socks5://proxy.invalid:1"},
            0,
            "http://proxy.invalid:8080",
        ),
        ({"ALL_PROXY": "socks5://proxy.invalid:1080"}, 20, ""),
    ],
)
def test_by_hand_the_command_names_the_proxy_that_parley_takes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    status: int,
    printed: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run_system_proxy(URL, None) == status
    out = capsys.readouterr().out.strip()
    assert out.endswith(printed) if printed else not out
    assert "secret" not in out


@pytest.mark.usefixtures("no_proxies")
async def test_the_environments_proxy_is_taken_whatever_else_it_names(
    monkeypatch: pytest.MonkeyPatch, proxy: Proxy
) -> None:
    """A desktop's ALL_PROXY often names SOCKS, by which nothing here speaks."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    transport = Transport(BackendEndpoint(url=URL, token="t"))
    try:
        await _try(transport)
        assert proxy.asked
        monkeypatch.delenv("HTTPS_PROXY")
        transport.renew()
        with pytest.raises(Unreachable, match="proxy"):
            await transport.request("GET", "/v1/health")
    finally:
        await transport.close()


def test_a_system_that_gives_no_answer_is_no_answer(tmp_path: Path, expect_log: LogGuard) -> None:
    expect_log("in vain")
    assert ask_system(URL, (str(tmp_path / "not there"),)) is None
    assert ask_system(URL, (sys.executable, "-c", "raise SystemExit(20)")) is None
