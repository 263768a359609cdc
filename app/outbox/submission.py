"""Owns one attempt to submit one outbox entry, from SENDING to what the backend said of it.

It never forgets an entry before the cache has committed the server's message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from app.domain.archive import VerifiedEntry
from app.domain.clock import Clock
from app.domain.errors import (
    AppError,
    AuthExpired,
    ClientTooOld,
    CorruptStore,
    EnvironmentFault,
    MalformedReply,
    PolicyDenied,
    Refused,
)
from app.domain.submission import submission_of
from app.domain.timeline import OutboxEntry
from app.faults import to_app_error
from app.store.store import Store
from backend_client.backoff import Backoff, backoff_s
from backend_client.client import GovernedApi
from backend_client.errors import ClientError
from contract.states import OutboxEvent
from contract.wire import Message, Submitted

T = TypeVar("T")

_LOG = logging.getLogger(__name__)

FIRST_RETRY_S = 0.5
MOST_RETRY_S = 30.0
SIGN_IN_RETRY_S = 60.0


class Proofs(Protocol):
    """Who verifies the receipts of submissions."""

    @property
    def keyless(self) -> bool:
        """Tell that no key is pinned, so that nothing can be verified."""

    async def confirm(
        self, entry: OutboxEntry, receipt: str, decision_hash: str
    ) -> VerifiedEntry | None:
        """Return what a receipt proves, None when that has to wait."""

    def waiting(self) -> None:
        """A submission was taken, or refused by policy, and waits for its receipt."""


class Submitter:
    """Attempts submissions; the outcome of each is durable before `attempt` returns."""

    def __init__(
        self,
        api: GovernedApi,
        store: Store,
        clock: Clock,
        draw: Callable[[], float],
        answered: Callable[[Message | None], None],
        proofs: Proofs | None = None,
    ) -> None:
        """Without `proofs` nothing is verified, as where no key is pinned."""
        self._api = api
        self._store = store
        self._clock = clock
        self._draw = draw
        self._answered = answered
        self._proofs = proofs

    @property
    def verifies(self) -> bool:
        """Tell whether somebody verifies receipts."""
        return self._proofs is not None

    async def attempt(self, entry: OutboxEntry) -> None:
        """Submit a QUEUED entry under its own key and note the outcome by the table.

        Accepted: the server's message enters the cache, then the entry goes, once its receipt is
        verified; until then it stays, ACCEPTED. Refused: it stays with code and findings.
        Anything else: QUEUED again with a time to try next. A
        cancellation leaves the entry SENDING; the next start queues it with the same key.
        """
        sending = await self._persist(
            lambda: self._store.outbox.transition(entry.message_id, OutboxEvent.START)
        )
        try:
            submitted = await self._api.commands.submit(
                sending.conversation_id, submission_of(sending)
            )
        except ClientError as fault:
            await self._failed(sending, to_app_error(fault))
            return
        if submitted.message.message_id != sending.message_id:
            await self._failed(sending, MalformedReply("The answer is about another message."))
            return
        self._answered(submitted.message)
        await self._accepted(sending, submitted)

    async def _accepted(self, entry: OutboxEntry, submitted: Submitted) -> None:
        proofs, verified = self._proofs, None
        if proofs is not None and not proofs.keyless:
            verified = await proofs.confirm(entry, submitted.receipt, submitted.decision_hash)
        try:
            await self._persist(
                lambda: self._store.cache.apply_answers(messages=(submitted.message,))
            )
        except CorruptStore:
            _LOG.warning("the cache was made anew: the accepted message comes with its snapshot")
        if verified is not None:
            proven = verified
            await self._persist(lambda: self._store.archive.settle(proven))
            return
        await self._persist(
            lambda: self._store.outbox.transition(entry.message_id, OutboxEvent.ACCEPT)
        )
        if proofs is None or proofs.keyless:
            await self._persist(lambda: self._store.outbox.forget(entry.message_id))
        else:
            proofs.waiting()

    async def _failed(self, entry: OutboxEntry, fault: AppError) -> None:
        if isinstance(fault, Refused) and not isinstance(fault, AuthExpired | ClientTooOld):
            await self._refused(entry, fault)
            return
        wait_s = backoff_s(entry.attempts, FIRST_RETRY_S, MOST_RETRY_S, self._draw())
        if isinstance(fault, Refused):
            wait_s = SIGN_IN_RETRY_S
        wait_s = max(wait_s, fault.retry_after_s or 0.0)
        due_utc_ms = self._clock.now_utc_ms() + int(wait_s * 1000)
        _LOG.info("submission waits %.1f s: %s", wait_s, fault.code)
        await self._persist(
            lambda: self._store.outbox.transition(
                entry.message_id,
                OutboxEvent.RETRY,
                next_attempt_utc_ms=due_utc_ms,
                problem_code=fault.code,
                problem_detail=fault.detail,
            )
        )

    async def _refused(self, entry: OutboxEntry, fault: Refused) -> None:
        problem = fault.problem
        self._answered(problem.message if problem is not None else None)
        _LOG.info("submission refused: %s", problem.code if problem is not None else fault.code)
        await self._persist(
            lambda: self._store.outbox.transition(
                entry.message_id,
                OutboxEvent.REFUSE,
                problem_code=problem.code if problem is not None else fault.code,
                problem_detail=fault.detail,
                findings=problem.findings
                if problem is not None and isinstance(fault, PolicyDenied)
                else (),
            )
        )
        if self._proofs is not None and isinstance(fault, PolicyDenied):
            self._proofs.waiting()

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write, waiting out a full disk: an outcome must not be lost while the app runs."""
        patience = Backoff(FIRST_RETRY_S, MOST_RETRY_S, self._draw)
        while True:
            try:
                return await write()
            except EnvironmentFault as fault:
                _LOG.error("outbox can't be written: %s", fault.code)
                await asyncio.sleep(patience.next_s())
