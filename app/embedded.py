"""Starts the backend beside the app when none is configured, watches it and stops it.

It never imports the backend, never runs beside a configured one, and leaves no process behind.

The backend lives as long as its standard input is open: however the app dies, the pipe closes.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from enum import StrEnum

from app.backend_process import BackendProcess, EmbeddedPlan
from app.domain.errors import EnvironmentFault, NotAllowed
from backend_client.backoff import Backoff
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.errors import ClientError
from backend_client.transport import Transport

_LOG = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0  # where a scanner reads each of its files before they run
HEALTH_POLL_S = 0.05
STEADY_S = 30.0
LOOK_EVERY_S = 20.0
MISSED_LOOKS = 3
FAILURES_TO_TELL = 3


class EmbeddedState(StrEnum):
    """What the embedded backend is doing; failing: it ended early several times in a row."""

    RUNNING = "running"
    RESTARTING = "restarting"
    FAILING = "failing"


Healthy = Callable[[BackendEndpoint], Awaitable[bool]]


class EmbeddedBackend:
    """Keeps one backend process running; each start has its own port and secret."""

    def __init__(
        self,
        plan: EmbeddedPlan,
        *,
        healthy: Healthy,
        moved: Callable[[BackendEndpoint], None],
        changed: Callable[[EmbeddedState], None],
        configured_url: str = "",
        first: BackendProcess | None = None,
    ) -> None:
        """`healthy` asks an endpoint for its health, `moved` is told each new endpoint.

        `first` is a process that was begun before, to go on with.
        Raises NotAllowed when a backend address is configured: there is no fallback to this one.
        """
        if configured_url:
            raise NotAllowed("A backend is configured; the embedded one does not start beside it.")
        self._plan = plan
        self._healthy = healthy
        self._moved = moved
        self._changed = changed
        self._process: BackendProcess | None = None
        self._running_since_s = math.inf
        self._first = first

    @property
    def pid(self) -> int | None:
        """Return the running process's id for diagnostics, None between two starts."""
        return self._process.pid if self._process is not None else None

    async def run(self) -> None:
        """Start the backend and start it again whenever it ends; cancel to stop both."""
        patience = Backoff(0.1, 10.0)
        loop = asyncio.get_running_loop()
        while True:
            self._running_since_s = math.inf
            try:
                await self._serve_once()
            except EnvironmentFault as fault:
                _LOG.error("embedded backend: %s", fault.detail)
            if loop.time() - self._running_since_s >= STEADY_S:
                patience.reset()
            failing = patience.failures >= FAILURES_TO_TELL
            self._changed(EmbeddedState.FAILING if failing else EmbeddedState.RESTARTING)
            await asyncio.sleep(patience.next_s())

    async def _serve_once(self) -> None:
        """Start, tell the endpoint once it is healthy, return when the process has ended."""
        self._process = process = self._first or BackendProcess.begin(self._plan)
        self._first = None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                endpoint = BackendEndpoint(
                    url=f"http://127.0.0.1:{await process.port()}", token=process.secret
                )
                while not await self._healthy(endpoint):
                    if process.ended.is_set():
                        raise EnvironmentFault("the backend ended while it started")
                    await asyncio.sleep(HEALTH_POLL_S)
            self._running_since_s = asyncio.get_running_loop().time()
            self._moved(endpoint)
            self._changed(EmbeddedState.RUNNING)
            await self._answers_until_it_ends(process, endpoint)
            _LOG.warning("the embedded backend ended with status %s", process.status)
        except TimeoutError as fault:
            raise EnvironmentFault("the backend did not start in time") from fault
        finally:
            await self._stop()

    async def _answers_until_it_ends(
        self, process: BackendProcess, endpoint: BackendEndpoint
    ) -> None:
        """Return when the process has ended; raises EnvironmentFault when it hangs instead.

        Nothing is lost by ending it: what it has taken is committed, the rest is sent again.
        """
        missed = 0
        while missed < MISSED_LOOKS:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await process.ended.wait()
                    return
            except TimeoutError:
                missed = 0 if await self._healthy(endpoint) else missed + 1
        raise EnvironmentFault("the backend no longer answers")

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.stop()


async def ask_health(endpoint: BackendEndpoint, *, client_version: str) -> bool:
    """Ask a backend that has just started whether it is ready, over a transport of its own.

    Degraded counts as ready: it is up, and its checks say what ails it.
    """
    transport = Transport(endpoint, client_version=client_version, answer_timeout_s=5.0)
    try:
        health = await GovernedApi(transport).workspace.health()
    except ClientError:
        return False
    finally:
        await transport.close()
    return health.status != "starting"
