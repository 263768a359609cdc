"""Owns one connection to an SMS centre: its bind, requests with their answers, its life signs.

It never connects again by itself and never reads what a message says.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable

from backend.channels import faults
from backend.channels.smpp import wire
from backend.channels.smpp.errors import bind_fault_of
from backend.channels.smpp.settings import SmppSettings

_log = logging.getLogger(__name__)
CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 20.0
QUIET_S = 30.0  # after which the centre is asked for a sign of life
_CLOSE_TIMEOUT_S = 3.0
_MOST_OPEN = 10  # requests without an answer; the usual window of a centre
_AWAY = "The SMS centre can't be reached just now."
_NOT_TRUSTED = (
    "The SMS centre's certificate is not signed by one this account trusts, or names another host."
)
_NO_ANSWER = "The SMS centre gave no answer after the message had left."


def _nothing(answer: wire.Pdu) -> None:
    """Do nothing beside handing an answer over."""


class SmppSession:
    """A connection that is bound once `open` returned; `run` serves it until it ends."""

    def __init__(
        self,
        settings: SmppSettings,
        role: int,
        delivered: Callable[[SmppSession, wire.Pdu], None],
        *,
        quiet_s: float = QUIET_S,
    ) -> None:
        """`role` is the command of the bind; `delivered` is given each deliver_sm."""
        self._settings, self._role, self._delivered = settings, role, delivered
        self._quiet_s = quiet_s
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._open: dict[int, tuple[asyncio.Future[wire.Pdu], Callable[[wire.Pdu], None]]] = {}
        self._window = asyncio.Semaphore(_MOST_OPEN)
        self._sequence = 0
        self._heard = False

    @property
    def is_open(self) -> bool:
        """Tell whether anything can be written."""
        return self._writer is not None and not self._writer.is_closing()

    async def open(self) -> None:
        """Connect and bind; raises Retryable, or AccountFault when one side refuses the other."""
        settings = self._settings
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._reader, self._writer = await asyncio.open_connection(
                    settings.host, settings.port, ssl=settings.tls_context()
                )
                answer = await self._bind(self._reader)
        except ssl.SSLCertVerificationError as error:
            await self.close()
            raise faults.AccountFault(_NOT_TRUSTED) from error
        except (OSError, ValueError, EOFError, TimeoutError) as error:
            await self.close()
            raise faults.Retryable(_AWAY) from error
        except BaseException:
            await self.close()
            raise
        if answer.status != wire.OK:
            await self.close()
            raise bind_fault_of(answer.status)

    async def _bind(self, reader: asyncio.StreamReader) -> wire.Pdu:
        settings = self._settings
        body = wire.bind_body(settings.system_id, settings.password, settings.system_type)
        self._write(wire.Pdu(self._role, 0, self._next(), body))
        answer = await _read(reader)
        while not answer.is_response:  # nothing else may come before, but some do send it
            answer = await _read(reader)
        return answer

    async def run(self) -> None:
        """Read until the connection ends; every request without an answer then fails."""
        reader = self._reader
        if reader is None:
            return
        keeper = asyncio.create_task(self._keep(), name="smpp-life-signs")
        try:
            while True:
                self._came(await _read(reader))
        except (OSError, ValueError, EOFError) as error:
            _log.info("an SMS centre's connection ended", extra={"error": type(error).__name__})
        finally:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
            await self.close()

    async def request(
        self,
        command: int,
        body: bytes,
        *,
        answered: Callable[[wire.Pdu], None] = _nothing,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> wire.Pdu:
        """Send and return the answer, whatever its status.

        `answered` is called before anything that came after the answer is looked at. Raises
        Retryable when nothing left, OutcomeUnknown when no answer came.
        """
        async with self._window:
            if not self.is_open:
                raise faults.Retryable(_AWAY)
            sequence = self._next()
            future: asyncio.Future[wire.Pdu] = asyncio.get_running_loop().create_future()
            self._open[sequence] = (future, answered)
            try:
                self._write(wire.Pdu(command, 0, sequence, body))
                async with asyncio.timeout(timeout_s):
                    return await future
            except (OSError, EOFError, TimeoutError) as error:
                raise faults.OutcomeUnknown(_NO_ANSWER) from error
            finally:
                self._open.pop(sequence, None)

    def answer(self, request: wire.Pdu, status: int = wire.OK) -> bool:
        """Answer a request of the centre's; false when the connection is gone."""
        if not self.is_open:
            return False
        has_id = request.command == wire.DELIVER_SM
        command = request.command | wire.RESPONSE
        self._write(wire.Pdu(command, status, request.sequence, b"\0" if has_id else b""))
        return True

    async def close(self) -> None:
        """Say goodbye and end the connection."""
        writer, self._writer = self._writer, None
        for future, _ in self._open.values():
            if not future.done():
                future.set_exception(EOFError())
        if writer is None:
            return
        with contextlib.suppress(OSError, TimeoutError):
            if not writer.is_closing():
                writer.write(wire.encode(wire.Pdu(wire.UNBIND, 0, self._next())))
            writer.close()
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await writer.wait_closed()

    def _came(self, pdu: wire.Pdu) -> None:
        self._heard = True
        if pdu.is_response:
            future, answered = self._open.get(pdu.sequence, (None, _nothing))
            if future is not None and not future.done():
                answered(pdu)
                future.set_result(pdu)
        elif pdu.command == wire.DELIVER_SM:
            self._delivered(self, pdu)
        elif pdu.command == wire.UNBIND:
            self.answer(pdu)
            raise EOFError
        elif pdu.command == wire.ENQUIRE_LINK:
            self.answer(pdu)
        elif pdu.command not in {wire.ALERT_NOTIFICATION, wire.OUTBIND}:
            self._write(wire.Pdu(wire.GENERIC_NACK, wire.INVALID_COMMAND, pdu.sequence))

    async def _keep(self) -> None:
        """Ask for a sign of life whenever it was quiet; end the connection without one."""
        while True:
            self._heard = False
            await asyncio.sleep(self._quiet_s)
            if self._heard:
                continue
            try:
                await self.request(wire.ENQUIRE_LINK, b"", timeout_s=self._quiet_s / 2)
            except faults.ChannelFault:
                _log.info("an SMS centre gave no sign of life")
                if self._writer is not None:
                    self._writer.transport.abort()
                return

    def _write(self, pdu: wire.Pdu) -> None:
        if self._writer is not None:
            self._writer.write(wire.encode(pdu))

    def _next(self) -> int:
        self._sequence = self._sequence % 0x7FFF_FFFF + 1
        return self._sequence


async def _read(reader: asyncio.StreamReader) -> wire.Pdu:
    header = await reader.readexactly(wire.HEADER_BYTES)
    return wire.decode(header, await reader.readexactly(wire.body_size(header)))
