"""Owns the two halves of a search: at once on this computer, then in the firm's archive.

It never shows anything and never lets a query into a log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.domain.errors import Offline
from app.domain.search import ArchiveAnswer, ArchiveState, SearchResults
from app.faults import answered
from app.store.begun_read import BegunRead
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ClientError, ProblemReply
from contract.ids import ConversationId, MessageId
from contract.problems import ProblemCode
from contract.wire import Conversation, Message

ARCHIVE_PAGE = 30
# Pages that hold nothing but what is here already are read past, so many at most.
_MOST_PAGES = 3
_UNKNOWN_CALL = frozenset({ProblemCode.NOT_FOUND.value, ProblemCode.METHOD_NOT_ALLOWED.value})


class SearchDesk:
    """What the palette and the find bar ask."""

    def __init__(self, api: GovernedApi, store: Store, is_online: Callable[[], bool]) -> None:
        self._api = api
        self._store = store
        self._is_online = is_online

    def search(
        self,
        text: str,
        limit_people: int,
        limit_messages: int,
        *,
        home: ConversationId | None = None,
        below_row: int | None = None,
    ) -> BegunRead[SearchResults]:
        """Search this computer, from now on; see SearchReads.search."""
        return self._store.search.search(
            text, limit_people, limit_messages, home=home, below_row=below_row
        )

    async def names(self, typed: str) -> tuple[str, ...]:
        """Return names of contacts that hold what is typed of one."""
        return await self._store.search.names(typed)

    async def titles(self, typed: str) -> tuple[str, ...]:
        """Return titles of conversations that hold what is typed of one."""
        return await self._store.search.titles(typed)

    async def ask_archive(self, text: str, cursor: str = "") -> ArchiveAnswer:
        """Return what the archive finds that is not on this computer; never raises for the line.

        `cursor` goes on where a former answer ended.
        """
        if not self._is_online():
            return ArchiveAnswer(ArchiveState.OFFLINE)
        try:
            return await self._ask(text, cursor)
        except ProblemReply as fault:
            if fault.problem.code in _UNKNOWN_CALL:
                return ArchiveAnswer(ArchiveState.NOT_ASKED)
            is_busy = fault.problem.code == ProblemCode.RATE_LIMITED
            return ArchiveAnswer(ArchiveState.BUSY if is_busy else ArchiveState.FAILED)
        except ClientError:
            return ArchiveAnswer(ArchiveState.FAILED)

    async def bring(self, message_id: MessageId) -> None:
        """Put a message of the archive, with its neighbours, into the cache.

        Raises errors of app.domain.errors, Offline without a connection.
        """
        if not self._is_online():
            raise Offline("There is no connection: this message is in the archive.")
        page = await answered(self._api.search.surroundings(message_id))
        await self._store.cache.apply_answers(messages=page.messages, history=True)

    async def _ask(self, text: str, cursor: str) -> ArchiveAnswer:
        found: list[Message] = []
        for _ in range(_MOST_PAGES):
            asked = await self._store.archive_search.question(text, cursor, ARCHIVE_PAGE)
            if asked is None:
                return ArchiveAnswer(ArchiveState.NOT_ASKED)
            page = await self._api.search.messages(asked)
            missing, unknown = await self._store.archive_search.missing(page.messages)
            await self._learn(sorted(unknown))
            found += missing
            cursor = page.next_cursor
            if found or not cursor:
                break
        hits = await self._store.archive_search.hits(text, found)
        return ArchiveAnswer(ArchiveState.ANSWERED, hits, cursor)

    async def _learn(self, unknown: list[ConversationId]) -> None:
        """Read the conversations the first sync has not brought yet: a page's at most."""
        found = await asyncio.gather(*map(self._read_conversation, unknown))
        news = [each for each in found if each is not None]
        if news:
            await self._store.cache.apply_answers(conversations=news)

    async def _read_conversation(self, home: ConversationId) -> Conversation | None:
        try:
            return await self._api.inbox.conversation(home)
        except ProblemReply as fault:
            if fault.problem.code != ProblemCode.NOT_FOUND:
                raise
            return None  # lost since the archive answered: its messages are left out
