"""Owns read marks on their way to the backend, the newest per conversation.

It never marks anything read by itself and keeps nothing beyond this run.
"""

from __future__ import annotations

import asyncio
import logging

from app.domain.errors import EnvironmentFault, MalformedReply
from app.faults import to_app_error
from app.store.store import Store
from backend_client.backoff import Backoff, wait_or
from backend_client.client import GovernedApi
from backend_client.errors import ClientError
from contract.ids import ConversationId

_LOG = logging.getLogger(__name__)

IDLE_S = 3600.0


class ReadMarks:
    """Sends each mark until the backend has taken or refused it."""

    def __init__(self, api: GovernedApi, store: Store) -> None:
        self._api = api
        self._store = store
        self._pending: dict[ConversationId, int] = {}
        self._woken = asyncio.Event()

    async def mark(self, conversation_id: ConversationId, seen_utc_ms: int | None = None) -> None:
        """Note what was seen: messages placed up to `seen_utc_ms`, with None the newest here.

        Nothing happens without unread ones.
        """
        conversation = await self._store.inbox.conversation(conversation_id)
        if conversation is None or conversation.unread_count == 0:
            return
        preview_utc_ms = conversation.preview.at_utc_ms if conversation.preview is not None else 0
        newest_utc_ms = max(conversation.last_activity_utc_ms, preview_utc_ms)
        upto_utc_ms = newest_utc_ms if seen_utc_ms is None else min(seen_utc_ms, newest_utc_ms)
        self._pending[conversation_id] = max(upto_utc_ms, self._pending.get(conversation_id, 0))
        self._woken.set()

    def wake(self) -> None:
        """Try what is pending now."""
        self._woken.set()

    async def run(self) -> None:
        """Send marks for ever; cancel to stop."""
        patience = Backoff(0.5, 30.0)
        while True:
            sleep_s = IDLE_S
            try:
                await self._send_pending()
                patience.reset()
            except ClientError as fault:
                _LOG.info("read mark waits: %s", to_app_error(fault).code)
                sleep_s = patience.next_s()
            await wait_or(self._woken, sleep_s)

    async def _send_pending(self) -> None:
        for conversation_id, upto_utc_ms in tuple(self._pending.items()):
            try:
                await self._api.commands.mark_read(conversation_id, upto_utc_ms)
            except ClientError as fault:
                if isinstance(to_app_error(fault), EnvironmentFault | MalformedReply):
                    raise
                _LOG.info("read mark refused: %s", to_app_error(fault).code)
            if self._pending.get(conversation_id) == upto_utc_ms:
                del self._pending[conversation_id]
