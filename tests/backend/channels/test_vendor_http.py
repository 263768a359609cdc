"""What a failed request to a vendor means for a message: not sent, or not known.

It never reaches beyond loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from backend.channels import faults, vendor_http
from backend.channels.vendor_http import USER_AGENT, VendorHttp, retry_after_ms
from backend.services import BACKEND_VERSION

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def vendor(answer: Answer) -> AsyncIterator[str]:
    """Serve one answer on loopback and yield its address; no answer is left over at the end."""
    answering: set[asyncio.Task[None]] = set()

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A cancelled task of a stream server is an error in Python 3.11's log.
        with contextlib.suppress(asyncio.CancelledError):
            await answer(reader, writer)
        writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.create_task(answered(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/bot123:SECRET/send"
    finally:
        server.close()
        for task in answering:
            task.cancel()
        ends = await asyncio.gather(*answering, return_exceptions=True)
        assert not [end for end in ends if isinstance(end, Exception)]


async def request_read(reader: asyncio.StreamReader) -> bytes:
    """Read a request's head."""
    return await reader.readuntil(b"\r\n\r\n")


async def says_429(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with a rate limit."""
    await request_read(reader)
    writer.write(b"HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n{}")
    await writer.drain()
    writer.close()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request and answer nothing."""
    await request_read(reader)
    writer.close()


async def never_ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer more than anybody asked for."""
    await request_read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    writer.close()


async def test_an_answer_is_given_back_whatever_its_status() -> None:
    async with VendorHttp() as http, vendor(says_429) as url:
        reply = await http.request("POST", url, json=b"{}", repeatable=False)
    assert (reply.status, reply.body, reply.is_success) == (429, b"{}", False)
    assert retry_after_ms(reply, default_ms=1) == 3000


async def test_nobody_there_means_that_nothing_was_sent() -> None:
    async with VendorHttp() as http:
        with pytest.raises(faults.Retryable):
            await http.request("POST", "http://127.0.0.1:1/", json=b"{}", repeatable=False)


async def test_no_answer_after_the_request_means_that_nobody_knows() -> None:
    async with VendorHttp() as http, vendor(hangs_up) as url:
        with pytest.raises(faults.OutcomeUnknown):
            await http.request("POST", url, json=b"{}", repeatable=False)
        with pytest.raises(faults.Retryable):
            await http.request("GET", url, repeatable=True)


async def test_an_endless_answer_is_cut_off() -> None:
    async with VendorHttp() as http, vendor(never_ends) as url:
        with pytest.raises(faults.ContentInvalid):
            await http.request("GET", url, repeatable=True, most_bytes=1000)


async def test_no_log_holds_the_token_of_an_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with VendorHttp() as http, vendor(says_429) as url:
            await http.request("POST", url, json=b"{}", repeatable=False)
    assert "SECRET" not in caplog.text


async def test_an_address_that_is_none_is_the_accounts_fault() -> None:
    async with VendorHttp() as http:
        with pytest.raises((faults.AccountFault, faults.Retryable)):
            await http.request("GET", "http://[::/", repeatable=True)


def test_vendors_are_told_the_backends_version() -> None:
    assert f"Parley/{BACKEND_VERSION}" == USER_AGENT


class StreamingVendor:
    """Begins a stream that says one thing and then nothing; answers anything else."""

    def __init__(self) -> None:
        self._serving: set[asyncio.Task[None] | None] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        head = await request_read(reader)
        if b"text/event-stream" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata:1\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    async def left(self) -> None:
        """Wait until somebody has come and nobody is connected any more."""
        async with asyncio.timeout(60):
            while not self._serving:
                await asyncio.sleep(0.005)
            await asyncio.wait([task for task in self._serving if task is not None])


async def test_streams_take_no_connection_away_from_requests() -> None:
    streaming = StreamingVendor()
    async with vendor(streaming.answer) as url:
        async with VendorHttp(verify=False) as http, contextlib.AsyncExitStack() as open_streams:
            for _ in range(45):
                stream = http.stream(url, quiet_s=60.0)
                status, pieces = await open_streams.enter_async_context(stream)
                assert (status, await anext(pieces)) == (200, b"data:1\n")
            reply = await http.request("GET", url, repeatable=True, timeout_s=60.0)
            assert reply.body == b"{}"
        await streaming.left()


@pytest.mark.parametrize(("kept_s", "connections"), [(60.0, 1), (0.0, 2)])
async def test_a_line_is_kept_for_some_seconds_only(
    monkeypatch: pytest.MonkeyPatch, kept_s: float, connections: int
) -> None:
    """Whoever writes on one that its server just ends can't tell what became of it."""
    monkeypatch.setattr(vendor_http, "_KEEP_ALIVE_S", kept_s)
    serving: list[asyncio.Task[None]] = []

    async def goes_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.append(task)
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await request_read(reader):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with vendor(goes_on) as url, VendorHttp() as http:
        for _ in range(2):
            await http.request("GET", url, repeatable=True)
        await http.close()
        await asyncio.wait(serving, timeout=60)
    assert len(serving) == connections


async def test_a_stream_that_stays_quiet_is_given_up() -> None:
    streaming = StreamingVendor()
    async with vendor(streaming.answer) as url:
        async with VendorHttp(verify=False) as http:
            with pytest.raises(faults.Retryable):
                async with http.stream(url, quiet_s=0.05) as (_, pieces):
                    async for _piece in pieces:
                        pass
        await streaming.left()
