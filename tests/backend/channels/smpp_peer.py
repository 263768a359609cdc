"""A small SMS centre on loopback, in the tests' own loop, with one phone behind it.

It never stands in for an independent one, which the channels' own suite starts.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from types import TracebackType
from typing import Self

from backend.channels import faults
from backend.channels.smpp import wire
from backend.channels.smpp.alphabet import decode_text, part_of

SYSTEM_ID, PASSWORD = "parley", "s3cret"
PHONE = "10000000001"
FIRM = "15550001111"
STATUS: dict[type[faults.ChannelFault], int] = {
    faults.Retryable: 0x14,
    faults.RateLimited: 0x58,
    faults.RecipientInvalid: 0x0B,
    faults.ContentInvalid: 0x01,
    faults.AccountFault: 0x0D,
}


def deliver_body(
    content: bytes,
    *,
    esm_class: int = 0,
    data_coding: int = 0,
    parameters: bytes = b"",
    source: str = PHONE,
) -> bytes:
    """Return the body of a deliver_sm from the phone to the firm."""
    addresses = b"\1\1" + source.encode() + b"\0\1\1" + FIRM.encode() + b"\0"
    fields = bytes([esm_class, 0, 0]) + b"\0\0" + bytes([0, 0, data_coding, 0, len(content)])
    return b"\0" + addresses + fields + content + parameters


def receipt_body(message_id: str, stat: str, error: str = "000") -> bytes:
    """Return the body of a receipt as most centres write them, dates with seconds."""
    text = (
        f"id:{message_id} sub:001 dlvrd:001 submit date:261122053000 "
        f"done date:261122053007 stat:{stat} err:{error} text:Good"
    )
    return deliver_body(text.encode(), esm_class=4)


class SmppPeer:
    """Binds, takes texts, hands over receipts and what the phone writes.

    `statuses` answers the next texts (0: taken); `loses` takes one and hangs up.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.binds: list[int] = []
        self.submitted: list[wire.ShortMessage] = []
        self.acknowledged: list[tuple[int, int]] = []
        self.enquiries = 0
        self.nacks = 0
        self.statuses: list[int] = []
        self.loses = False
        self.silent = False
        self.thanks = True
        self.bind_status = 0
        self.waiting: list[bytes] = []
        self.changed = asyncio.Event()
        self._tls = tls
        self._sequence = 0
        self._listener: asyncio.StreamWriter | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()
        while self._writers:
            await asyncio.sleep(0.005)

    @property
    def is_bound(self) -> bool:
        """Tell whether the firm hears."""
        return self._listener is not None

    @property
    def texts(self) -> list[str]:
        """Return the texts as the phone shows them, parts put together."""
        shown: list[str] = []
        joined = b""
        for message in self.submitted:
            part, content = part_of(message)
            joined += content
            if part is None or part.number == part.total:
                shown.append(decode_text(joined, message.data_coding) or "")
                joined = b""
        return shown

    def hand_over(self, body: bytes) -> None:
        """Hand a deliver_sm to the firm, now or when it is bound again."""
        self.waiting.append(body)
        self._flush()

    def write(self, text: str) -> None:
        """Let the client write."""
        self.hand_over(deliver_body(text.encode("utf-16-be"), data_coding=8))

    def hang_up(self) -> None:
        """End every connection without a goodbye."""
        for writer in self._writers:
            writer.transport.abort()
        self._listener = None

    async def until(self, ready: object) -> None:
        """Wait until a function of no arguments says yes."""
        assert callable(ready)
        async with asyncio.timeout(60):
            while not ready():
                self.changed.clear()
                await self.changed.wait()

    def _flush(self) -> None:
        while self._listener is not None and self.waiting:
            self._sequence += 1
            self._send(self._listener, wire.DELIVER_SM, 0, self._sequence, self.waiting.pop(0))

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: one of the server's that ends with the loop is an error in its log.
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                header = await reader.readexactly(16)
                size, command, status, sequence = struct.unpack(">IIII", header)
                body = await reader.readexactly(size - 16)
                self._take(writer, command, status, sequence, body)
                self.changed.set()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            if self._listener is writer:
                self._listener = None
            writer.transport.abort()
            self._writers.discard(writer)
            self.changed.set()

    def _take(
        self, writer: asyncio.StreamWriter, command: int, status: int, sequence: int, body: bytes
    ) -> None:
        if command in {wire.BIND_RECEIVER, wire.BIND_TRANSMITTER, wire.BIND_TRANSCEIVER}:
            known = body.startswith(f"{SYSTEM_ID}\0{PASSWORD}\0".encode())
            status = self.bind_status or (0 if known else 0x0E)
            self._send(writer, command | wire.RESPONSE, status, sequence, b"centre\0")
            self.binds.append(command)
            if not status and command != wire.BIND_TRANSMITTER:
                self._listener = writer
                self._flush()
        elif command == wire.SUBMIT_SM:
            self._submit(writer, sequence, wire.read_short_message(body))
        elif command == wire.ENQUIRE_LINK:
            self.enquiries += 1
            if not self.silent:
                self._send(writer, command | wire.RESPONSE, 0, sequence)
        elif command == wire.DELIVER_SM | wire.RESPONSE:
            self.acknowledged.append((sequence, status))
        elif command == wire.GENERIC_NACK:
            self.nacks += 1

    def _submit(
        self, writer: asyncio.StreamWriter, sequence: int, message: wire.ShortMessage
    ) -> None:
        status = self.statuses.pop(0) if self.statuses else 0
        response = wire.SUBMIT_SM | wire.RESPONSE
        if status:
            self._send(writer, response, status, sequence)
            return
        self.submitted.append(message)
        if self.loses:
            writer.transport.abort()
            return
        number = f"a{len(self.submitted)}"
        self._send(writer, response, 0, sequence, number.encode() + b"\0")
        self.hand_over(receipt_body(number, "DELIVRD"))
        if self.thanks:
            self.write("Thank you")

    def send(self, command: int, sequence: int = 7) -> None:
        """Send a request of any kind to the firm."""
        assert self._listener is not None
        self._send(self._listener, command, 0, sequence)

    def _send(
        self,
        writer: asyncio.StreamWriter,
        command: int,
        status: int,
        sequence: int,
        body: bytes = b"",
    ) -> None:
        writer.write(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)
