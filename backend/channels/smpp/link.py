"""Owns that an account stays connected to its SMS centre: again and again, with growing pauses.

It never sends and never reads: that is the session's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable

from backend.channels import faults
from backend.channels.smpp import wire
from backend.channels.smpp.session import QUIET_S, SmppSession
from backend.channels.smpp.settings import SmppSettings

_log = logging.getLogger(__name__)
_jitter = random.Random()
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0
_REFUSED_PAUSE_S = 30.0  # a centre locks whoever knocks with a wrong password too often
_READY_WAIT_S = 10.0


class SmppLink:
    """One role (transceiver, transmitter or receiver) of one account, kept bound."""

    def __init__(
        self,
        settings: SmppSettings,
        role: int,
        delivered: Callable[[SmppSession, wire.Pdu], None],
        *,
        quiet_s: float = QUIET_S,
    ) -> None:
        self.settings = settings
        self._role, self._delivered, self._quiet_s = role, delivered, quiet_s
        self._session: SmppSession | None = None
        self._fault: faults.ChannelFault | None = None
        self._changed = asyncio.Condition()
        self._task = asyncio.create_task(self._keep(), name="smpp-link")

    async def ready(self, wait_s: float = _READY_WAIT_S) -> SmppSession:
        """Return the bound session; raises why there is none, at the latest after `wait_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s), self._changed:
                await self._changed.wait_for(lambda: self._session or self._fault)
        if self._session is not None:
            return self._session
        raise self._fault or faults.Retryable("The SMS centre can't be reached just now.")

    async def close(self) -> None:
        """Unbind and stop."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _keep(self) -> None:
        failures = 0
        while True:
            session = SmppSession(self.settings, self._role, self._delivered, quiet_s=self._quiet_s)
            try:
                await session.open()
                failures = 0
                await self._tell(session, None)
                await session.run()
                await self._tell(None, None)
            except faults.ChannelFault as fault:
                failures += 1
                await self._tell(None, fault)
                _log.log(
                    logging.WARNING if isinstance(fault, faults.AccountFault) else logging.INFO,
                    "an SMS centre could not be bound",
                    extra={"fault": type(fault).__name__, "failures": failures},
                )
            except Exception as error:  # noqa: BLE001 - a bug must not end an account's line
                failures += 1
                await self._tell(None, faults.Retryable("The SMS centre's line failed."))
                _log.error("an SMS centre's line failed", extra={"error": type(error).__name__})
            finally:
                await session.close()
            refused = isinstance(self._fault, faults.AccountFault)
            await asyncio.sleep(_REFUSED_PAUSE_S if refused else pause_s(failures))

    async def _tell(self, session: SmppSession | None, fault: faults.ChannelFault | None) -> None:
        async with self._changed:
            self._session, self._fault = session, fault
            self._changed.notify_all()


def pause_s(failures: int) -> float:
    """Return how long to wait before the next try: doubled each time, up to a minute."""
    longest: float = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(failures, 10))
    return longest * _jitter.uniform(0.5, 1.0)
