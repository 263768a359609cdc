"""Shows that requests survive cancelled callers, cuts, delays, noise and a moving backend.

It does not look into bodies.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from backend_client.endpoint import BackendEndpoint
from backend_client.errors import ClientError, Garbled, TimedOut, Unreachable
from backend_client.transport import Transport
from contract import api
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.tcp_proxy import TcpProxy


async def _echo(request: Request) -> Response:
    body = await request.body()
    return PlainTextResponse(
        body.decode() or "ok",
        headers={
            "seen-token": request.headers.get("authorization", ""),
            "seen-id": request.headers.get(api.REQUEST_ID, ""),
            "seen-client": request.headers.get(api.CLIENT_VERSION, ""),
        },
    )


async def _slow(request: Request) -> Response:
    await asyncio.sleep(0.01)
    return PlainTextResponse("late")


class Gate:
    """Holds answers back until the test lets them go; `asked` tells that one waits."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.opened = threading.Event()

    async def held(self, request: Request) -> Response:
        """Answer once the gate is open."""
        self.asked.set()
        while not self.opened.is_set():
            await asyncio.sleep(0.005)
        return PlainTextResponse("late")

    async def drip(self, request: Request) -> Response:
        """Send a byte again and again until the gate is open."""

        async def pieces() -> AsyncIterator[bytes]:
            while not self.opened.is_set():
                yield b"x"
                await asyncio.sleep(0.05)

        return StreamingResponse(pieces())

    async def wait_until_asked(self) -> None:
        """Return once a request is held."""
        assert await asyncio.to_thread(self.asked.wait, 60)


async def _elsewhere(request: Request) -> Response:
    return Response(status_code=302, headers={"location": "http://portal.example/"})


def _app(gate: Gate) -> Starlette:
    return Starlette(
        routes=[
            Route("/echo", _echo, methods=["GET", "POST"]),
            Route("/slow", _slow),
            Route("/held", gate.held),
            Route("/drip", gate.drip),
            Route("/elsewhere", _elsewhere),
        ]
    )


@pytest.fixture
def gate() -> Gate:
    """Make the gate of the held answers."""
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[LoopbackServer]:
    """Serve the small application."""
    with LoopbackServer(_app(gate)) as running:
        yield running
        gate.opened.set()


def _endpoint(port: int, token: str = "secret") -> BackendEndpoint:
    return BackendEndpoint(url=f"http://127.0.0.1:{port}", token=token)


@pytest.fixture
async def transport(server: LoopbackServer) -> AsyncIterator[Transport]:
    """Open a transport to the small application."""
    opened = Transport(_endpoint(server.port), client_version="0.1.0", answer_timeout_s=60.0)
    yield opened
    await opened.close()


async def test_request_carries_token_version_and_its_own_id(transport: Transport) -> None:
    """Both sides can name a request, and the backend knows who asks."""
    reply = await transport.request("POST", "/echo", body=b"body")
    assert reply.body == b"body"
    assert reply.headers["seen-token"] == "Bearer secret"
    assert reply.headers["seen-client"] == "0.1.0"
    assert reply.headers["seen-id"] == reply.request_id
    assert transport.latency_ms > 0


async def test_requests_look_for_no_module_that_is_not_there(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    await transport.request("GET", "/echo")
    searched: list[str] = []

    class Listening:
        """First of the finders: hears of each search for a module."""

        def find_spec(self, name: str, *_: object) -> None:
            searched.append(name)

    monkeypatch.setattr("sys.meta_path", [Listening(), *sys.meta_path])
    for _ in range(3):
        await transport.request("GET", "/echo")
    assert searched == []


async def test_sixty_rounds_of_cancelled_callers_leave_the_pool_usable(
    transport: Transport,
) -> None:
    """httpx's pool dies of this when requests are cancelled inside it."""
    for round_number in range(60):
        tasks = [asyncio.create_task(transport.request("GET", "/slow")) for _ in range(4)]
        if round_number % 3:
            await asyncio.sleep(0.002 * (round_number % 3))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(60):
        replies = await asyncio.gather(*(transport.request("GET", "/echo") for _ in range(16)))
    assert [reply.status for reply in replies] == [200] * 16


async def test_cancelled_caller_sees_the_cancellation_and_the_request_arrives(
    transport: Transport, gate: Gate
) -> None:
    """A command may have been taken by the backend: it is let through."""
    await transport.request("GET", "/echo")
    task = asyncio.create_task(transport.request("GET", "/held"))
    await gate.wait_until_asked()
    asked_s = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    before_ms = transport.latency_ms
    held_ms = (time.monotonic() - asked_s) * 1000
    gate.opened.set()
    async with asyncio.timeout(60):
        while transport.latency_ms == before_ms:
            await asyncio.sleep(0.01)
    assert transport.latency_ms >= held_ms


async def test_no_answer_in_time_is_a_time_out(transport: Transport, gate: Gate) -> None:
    """The caller's limit counts, and the next request works."""
    with pytest.raises(TimedOut):
        await transport.request("GET", "/held", timeout_s=0.1)
    gate.opened.set()
    assert (await transport.request("GET", "/echo")).status == 200


async def test_dripping_answer_can_not_hold_a_caller_beyond_its_limit(
    transport: Transport, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte renews httpx's own time-out; ours bounds the whole."""
    await transport.request("GET", "/echo")  # over its connection the next one goes
    with monkeypatch.context() as patch, pytest.raises(TimedOut):
        patch.setattr("backend_client.transport.CONNECT_TIMEOUT_S", 0.2)
        await transport.request("GET", "/drip", timeout_s=0.3)
    gate.opened.set()
    assert (await transport.request("GET", "/echo")).status == 200


async def test_redirect_is_not_followed(transport: Transport) -> None:
    """A captive portal must not receive the token."""
    assert (await transport.request("GET", "/elsewhere")).status == 302


async def test_requests_go_to_the_new_endpoint_once_the_backend_moved(
    transport: Transport, server: LoopbackServer, gate: Gate
) -> None:
    """A running request ends where it began; the next one uses the new port and secret."""
    with LoopbackServer(_app(Gate())) as other:
        slow = asyncio.create_task(transport.request("GET", "/held"))
        await gate.wait_until_asked()
        transport.swap_endpoint(_endpoint(other.port, token="fresh"))
        reply = await transport.request("GET", "/echo")
        assert reply.headers["seen-token"] == "Bearer fresh"
        gate.opened.set()
        assert (await slow).body == b"late"
        transport.swap_endpoint(_endpoint(server.port))


async def test_nothing_listening_is_unreachable() -> None:
    """A refused connection is told as such."""
    transport = Transport(_endpoint(1))
    with pytest.raises(Unreachable):
        await transport.request("GET", "/echo")
    await transport.close()


@pytest.mark.parametrize("address", ["https://a\nb", "https://xn--"])
async def test_an_address_that_is_none_is_unreachable(address: str) -> None:
    wrong = Transport(BackendEndpoint(address, "token"))
    with pytest.raises(Unreachable):
        await wrong.request("GET", "/echo", timeout_s=5)
    await wrong.close()


async def test_a_proxy_that_is_none_makes_the_backend_unreachable() -> None:
    endpoint = BackendEndpoint("https://backend.invalid", "token", proxy="http://a\nb:80")
    wrong = Transport(endpoint)
    with pytest.raises(Unreachable):
        await wrong.request("GET", "/echo", timeout_s=5)
    await wrong.close()


async def test_before_the_backend_told_its_address_it_is_unreachable() -> None:
    """The embedded backend's port is not known at first."""
    transport = Transport(None)
    with pytest.raises(Unreachable):
        await transport.request("GET", "/echo")
    await transport.close()


async def test_closed_transport_refuses(server: LoopbackServer) -> None:
    """Shutting down stops intake."""
    transport = Transport(_endpoint(server.port))
    await transport.request("GET", "/echo")
    await transport.close()
    with pytest.raises(Unreachable):
        await transport.request("GET", "/echo")


async def test_loopback_ignores_proxies_of_the_environment(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded backend's secret never passes a proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    transport = Transport(
        BackendEndpoint(url=server.url, token="secret", proxy="http://127.0.0.1:1")
    )
    assert (await transport.request("GET", "/echo")).status == 200
    await transport.close()


async def test_cut_line_is_unreachable_and_heals(server: LoopbackServer) -> None:
    """A reset connection fails its request alone."""
    with TcpProxy(server.port) as proxy:
        transport = Transport(_endpoint(proxy.port))
        assert (await transport.request("GET", "/echo")).status == 200
        proxy.cut()
        with pytest.raises(Unreachable):
            await transport.request("GET", "/echo")
        proxy.restore()
        assert (await transport.request("GET", "/echo")).status == 200
        proxy.cut_after(down_bytes=30)
        with pytest.raises(Unreachable):
            await transport.request("GET", "/echo")
        await transport.close()


async def test_garbled_line_is_told_as_such(server: LoopbackServer) -> None:
    """Noise is never taken for an answer."""
    with TcpProxy(server.port) as proxy:
        transport = Transport(_endpoint(proxy.port))
        proxy.garble()
        with pytest.raises((Garbled, TimedOut, Unreachable)):
            await transport.request("GET", "/echo", timeout_s=0.5)
        proxy.restore()
        assert (await transport.request("GET", "/echo")).status == 200
        await transport.close()


async def test_stalled_line_times_out(server: LoopbackServer) -> None:
    """A line on which nothing moves ends in a time-out, not in a hang."""
    with TcpProxy(server.port) as proxy:
        transport = Transport(_endpoint(proxy.port))
        proxy.stall()
        with pytest.raises(TimedOut):
            await transport.request("GET", "/echo", timeout_s=0.2)
        proxy.restore()
        await transport.close()


async def test_download_hands_over_the_body_in_pieces(transport: Transport) -> None:
    """A large file never stands in memory as a whole."""
    pieces: list[bytes] = []
    reply = await transport.download("/echo", pieces.append)
    assert (reply.status, b"".join(pieces)) == (200, b"ok")


async def test_error_of_the_sink_reaches_the_caller(transport: Transport) -> None:
    """A full disk on this side is not the network's fault."""

    def full(piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await transport.download("/echo", full)


@pytest.mark.parametrize(
    "url", ["ftp://backend.example", "backend.example", "http://backend.example", "https://"]
)
def test_unsafe_address_is_refused(url: str) -> None:
    """A token travels encrypted or stays on this computer."""
    with pytest.raises(ValueError, match="backend address"):
        BackendEndpoint(url=url, token="secret")


def test_token_is_not_shown() -> None:
    """An endpoint in a log or a traceback shows no secret."""
    assert "secret" not in repr(BackendEndpoint(url="https://backend.example", token="secret"))


def test_errors_of_the_wire_form_one_tree() -> None:
    """Callers can catch everything by one class."""
    assert all(issubclass(kind, ClientError) for kind in (Unreachable, TimedOut, Garbled))


async def test_missing_file_of_authorities_is_told_as_a_fault_of_the_connection() -> None:
    """A wrong path in the settings is no crash."""
    endpoint = BackendEndpoint(
        url="https://127.0.0.1:1", token="secret", ca_file="/nowhere/authorities.pem"
    )
    transport = Transport(endpoint)
    with pytest.raises(Unreachable, match="settings"):
        await transport.request("GET", "/echo")
    await transport.close()
