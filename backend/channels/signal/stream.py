"""Owns the event stream of one account at a signal-cli daemon, kept open.

It never reads on while many events wait for their commit: the daemon then holds them back.

Source: signal-cli-jsonrpc(5), `GET /api/v1/events`; Server-Sent Events, HTML standard 9.2.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
from collections.abc import AsyncGenerator

import msgspec

from backend.channels import faults
from backend.channels.arrivals import Arrivals
from backend.channels.contract import Polled
from backend.channels.signal.calls import Stream
from backend.channels.signal.identities import Edits, message_id
from backend.channels.signal.wire import DataMessage, Envelope, Event, is_there
from backend.channels.vendor_http import VendorHttp

_log = logging.getLogger(__name__)
_jitter = random.Random()
_QUIET_S = 40.0  # the daemon says it lives every 15 s
_WAIT_WHILE_DOWN_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
_MOST_LINE_BYTES = 8 * 1024 * 1024


class SignalStream:
    """Takes in an account's events as long as it is not closed."""

    def __init__(self, http: VendorHttp, source: Stream) -> None:
        self.source = source
        self.edits = Edits()
        self.arrivals = Arrivals(self.edits.kept)
        self._http = http
        self._task: asyncio.Task[None] | None = None
        self._restored = False
        self._fault: faults.ChannelFault | None = None

    async def take(self, cursor: str, wait_s: float) -> Polled:
        """Return what came after a cursor; raises why the stream is down while nothing waits."""
        if not self._restored:
            self._restored = True
            self.edits.restore(self.arrivals.state_of(cursor))
        if self._task is None:
            self._task = asyncio.create_task(self._keep(), name="signal-events")
        if self._fault is not None:
            wait_s = min(wait_s, _WAIT_WHILE_DOWN_S)
        polled = await self.arrivals.take(cursor, wait_s)
        if self._fault is not None and not polled.items:
            raise self._fault
        return polled

    async def close(self) -> None:
        """End the stream."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _keep(self) -> None:
        failures = 0
        while True:
            try:
                async with contextlib.aclosing(self._lines()) as lines:
                    async for line in lines:
                        failures = 0
                        if line.startswith(b"data:"):
                            await self.arrivals.room()
                            self._came(line[5:].strip())
            except faults.ChannelFault as fault:
                self._fault = fault
                _log.info("signal-cli's events broke off", extra={"fault": type(fault).__name__})
            except Exception as error:  # noqa: BLE001 - a bug must not end an account's ear
                self._fault = faults.Retryable("Signal's events could not be read.")
                _log.error("a Signal stream failed", extra={"error": type(error).__name__})
            failures += 1
            longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(failures - 1, 10))
            await asyncio.sleep(longest * _jitter.uniform(0.5, 1.0))

    async def _lines(self) -> AsyncGenerator[bytes, None]:
        """Yield the stream's lines; one longer than anything Signal sends comes cut off."""
        given = {"account": self.source.account}
        async with self._http.stream(self.source.url, params=given, quiet_s=_QUIET_S) as (
            status,
            pieces,
        ):
            if status == 400:
                raise faults.AccountFault("signal-cli does not know the firm's number.")
            if status != 200:
                raise faults.AccountFault("There is no signal-cli daemon at this address.")
            self._fault = None
            rest = b""
            async for piece in pieces:
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    yield line[:_MOST_LINE_BYTES]
                rest = rest[: _MOST_LINE_BYTES + 1]

    def _came(self, body: bytes) -> None:
        try:
            event = msgspec.json.decode(body, type=Event)
        except (msgspec.DecodeError, ValueError):
            self.arrivals.put(hashlib.sha256(body).hexdigest(), body)
            return
        self._note_edit(event.envelope)
        self.arrivals.put(dedupe_key(event), body)

    def _note_edit(self, envelope: Envelope) -> None:
        edit = envelope.edit_message
        if edit is None:
            return
        author = envelope.source_uuid or envelope.source_number or ""
        with contextlib.suppress(msgspec.DecodeError):
            data = msgspec.json.decode(edit.data_message, type=DataMessage)
            newer = message_id(author, data.timestamp or envelope.timestamp)
            self.edits.note(newer, message_id(author, edit.target_sent_timestamp))


def dedupe_key(event: Event) -> str:
    """Return the vendor's own identity of an event: author, timestamp and kind."""
    envelope = event.envelope
    author = envelope.source_uuid or envelope.source_number or "nobody"
    receipt, typing = envelope.receipt_message, envelope.typing_message
    if event.exception is not None:
        kind = "closed"
    elif receipt is not None:
        kind = f"receipt.{int(receipt.is_delivery)}.{receipt.timestamps[:1]}"
    elif typing is not None:
        kind = typing.action
    else:
        kind = _kind(envelope)
    return f"{author}.{envelope.timestamp}.{kind}"


def _kind(envelope: Envelope) -> str:
    if is_there(envelope.data_message):
        return "data"
    if is_there(envelope.story_message):
        return "story"
    named = ("edit", "sync", "call")
    return next((each for each in named if getattr(envelope, f"{each}_message")), "other")
