"""Owns the fetching of an open conversation's history that is not on this computer yet.

It never fetches what nobody looks at: that comes by the filling in its turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ClientError
from contract.ids import ConversationId

_LOG = logging.getLogger(__name__)

# What an opened conversation shows at once; less than this on this computer is fetched.
ENOUGH_ROWS = 60
_PAGE_ROWS = 200


class OpenHistory:
    """Brings the newest messages of the opened conversation, then older ones as one scrolls up."""

    def __init__(self, api: GovernedApi, store: Store, give_way: Callable[[bool], None]) -> None:
        """`give_way` has the filling wait while a person does."""
        self._api = api
        self._store = store
        self._give_way = give_way
        self._open: ConversationId | None = None
        self._fetching: set[ConversationId] = set()
        self._complete: set[ConversationId] = set()

    async def opened(self, conversation_id: ConversationId | None) -> None:
        """Tell which conversation is on screen; its newest messages are fetched if missing.

        Nothing is raised for the line: `line_up` tries again.
        """
        self._open = conversation_id
        if conversation_id is not None:
            await self._fetch(conversation_id, ENOUGH_ROWS)

    async def line_up(self) -> None:
        """The backend can be reached again: fetch what the open conversation still lacks."""
        await self.opened(self._open)

    def forget_all(self) -> None:
        """Believe nothing of what was known: messages were let go of."""
        self._complete.clear()

    def forget(self, conversation_id: ConversationId) -> None:
        """Believe nothing of what was known of a conversation: it was lost and may come back."""
        self._complete.discard(conversation_id)

    async def older_wanted(self, conversation_id: ConversationId) -> None:
        """The person came to the oldest message here: fetch the page before it, if there is one."""
        await self._fetch(conversation_id, None)

    async def _fetch(self, home: ConversationId, enough: int | None) -> None:
        if home in self._fetching or home in self._complete:
            return
        self._fetching.add(home)
        self._give_way(True)
        try:
            oldest = await self._store.gaps.missing_before(home, enough)
            if oldest is not None:
                await self._fetch_before(home, oldest)
        except ClientError as fault:
            _LOG.info("history of the open conversation not fetched: %s", fault.detail)
        finally:
            self._fetching.discard(home)
            self._give_way(bool(self._fetching))

    async def _fetch_before(self, home: ConversationId, before_utc_ms: int) -> None:
        page = await self._api.inbox.messages(home, limit=_PAGE_ROWS, before_utc_ms=before_utc_ms)
        await self._store.cache.apply_answers(messages=page.messages, history=True)
        while page.next_cursor:
            # Of the oldest moment there may be more: it counts as not here yet.
            reached = min(one.place_at_utc_ms for one in page.messages) + 1
            if reached < before_utc_ms:
                await self._store.gaps.history_reaches(home, reached)
                return
            page = await self._api.inbox.messages(home, page.next_cursor, _PAGE_ROWS)
            await self._store.cache.apply_answers(messages=page.messages, history=True)
        self._complete.add(home)
        await self._store.gaps.history_complete(home)
