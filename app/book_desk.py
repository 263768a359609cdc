"""Owns the employee's own book as policy sees it: names, companies, keyed hashes of accounts.

It never evaluates anything, and it never holds a client outside that book.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from app.domain.changes import ChangeSet
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ClientError
from contract.ids import ConversationId
from contract.policy.book import BookFacts
from contract.policy.model import AccountFacts
from contract.supervision import AccountKeys

_LOG = logging.getLogger(__name__)

META_ACCOUNTS = "policy_accounts"
# A first sync brings contacts page by page: one reading of the book for many of them.
SETTLE_S = 0.3

Spawn = Callable[[str, Callable[[], Coroutine[Any, Any, None]]], None]


class BookDesk:
    """Keeps names and hashes ready, so that a keystroke never waits for them.

    `names` is what drafts are looked through for, made anew off the loop's thread.
    """

    def __init__(
        self, api: GovernedApi, store: Store, spawn: Spawn, told: Callable[[], None]
    ) -> None:
        """`told` is called when what policy knows here changed: drafts are looked at again."""
        self.names = BookFacts()
        self.told = told
        self._api = api
        self._store = store
        self._spawn = spawn
        self._keys = AccountKeys(version=0, key="", hashes={})
        self._of_one: tuple[str, AccountFacts] | None = None
        self._chats: frozenset[str] = frozenset()
        self._facts_versions: dict[str, int] = {}
        self._reading = False
        self._stale = False
        self._touched: set[str] = set()
        self._asking = False

    async def load(self) -> None:
        """Read what was kept last time, and the book's names."""
        kept = await self._store.cache.get_meta(META_ACCOUNTS)
        if kept is not None:
            try:
                self._take(msgspec.json.decode(kept, type=AccountKeys))
            except msgspec.DecodeError:
                _LOG.warning("the account hashes kept here can't be read: asked for anew")
        self._read_soon()

    def accounts_in(self, conversation_id: ConversationId) -> AccountFacts:
        """Return whose the hashes of the book are, seen from one conversation."""
        if self._of_one is None or self._of_one[0] != conversation_id:
            from contract.policy.own_book import account_facts

            self._of_one = (conversation_id, account_facts(self._keys, conversation_id))
        return self._of_one[1]

    def changed(self, changes: ChangeSet) -> None:
        """Read the names anew when a commit touched the book."""
        if changes.reset or changes.contacts or changes.removed_conversations:
            self._stale = True
            self._read_soon()
        elif self._reading:
            # Which of them are new shows when what is being read is known.
            self._touched |= changes.conversations
        elif not changes.conversations <= self._chats:
            self._read_soon()

    def facts_seen(self, conversation_id: ConversationId, version: int) -> None:
        """A conversation came with this version of its facts: a new one may mean new accounts."""
        if self._facts_versions.get(conversation_id) != version:
            self._facts_versions[conversation_id] = version
            self.ask_soon()

    def ask_soon(self) -> None:
        """Ask the backend for the hashes; many wishes at a time are one question."""
        if not self._asking:
            self._asking = True
            self._spawn("account hashes", self._ask)

    def _read_soon(self) -> None:
        if not self._reading:
            self._reading = True
            self._spawn("own book", self._read)

    async def _read(self) -> None:
        """Read the book: one reading at a time, another one when it changed meanwhile."""
        await asyncio.sleep(SETTLE_S)
        from contract.policy.own_book import book_facts

        self._stale = False
        self._touched.clear()
        try:
            people, chats, self._chats = await self._store.book.read()
            names = await asyncio.to_thread(book_facts, people, chats)
        finally:
            self._reading = False
        if self._stale or not self._touched <= self._chats:
            self._read_soon()
        if names != self.names:
            self.names = names
            self.told()

    async def _ask(self) -> None:
        await asyncio.sleep(SETTLE_S)
        self._asking = False
        try:
            keys = await self._api.supervision.policy_accounts()
        except ClientError as fault:
            _LOG.info("account hashes not refreshed: %s", fault.detail)
            return
        if keys != self._keys:
            await self._store.cache.put_meta(META_ACCOUNTS, msgspec.json.encode(keys))
            self._take(keys)
            self.told()

    def _take(self, keys: AccountKeys) -> None:
        self._keys, self._of_one = keys, None
