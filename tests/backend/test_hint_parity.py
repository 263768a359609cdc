"""The client's hint and the backend's enforcement agree over HTTP, draft by draft.

It never fakes a part: the client's own engine decides, a real server compares.

PARLEY_PARITY_DRAFTS=2000 tries the whole sample, which takes minutes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec
import pytest

from app.hints.engine import HintEngine
from backend.directory.client_accounts import set_accounts
from backend.governance.settings import RANDOM_PER_MILLE, RULE_PER_MILLE, write_setting
from contract.policy.own_book import BookChat, BookPerson, account_facts, book_facts
from contract.supervision import AccountKeys
from contract.wire import ContactPage, Conversation, ConversationPage, Message
from tests.backend.workspace import (
    ELENA,
    FIRM,
    POLICY,
    SOFIA,
    TOKENS,
    Workspace,
    draft,
    open_workspace,
    served,
    submit,
)
from tests.support.drafts import BOOK_ACCOUNT, OWN_ACCOUNT, drafts

T = TypeVar("T")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DRAFTS = int(os.environ.get("PARLEY_PARITY_DRAFTS", "300"))
AT_ONCE = 40
QUOTED = "My card begins with 4111 1111, the rest follows."


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace with two clients, their accounts, and no samples taken."""
    async with open_workspace(tmp_path) as opened:
        database = opened.services.database
        for name in (RANDOM_PER_MILLE, RULE_PER_MILLE):
            await database.write(
                partial(
                    write_setting,
                    firm_id=FIRM,
                    name=name,
                    value=0,
                    actor_id="compliance",
                    now_utc_ms=opened.clock(),
                )
            )
        yield opened


class Client:
    """What a client knows of its workspace, and its engine."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.engine = HintEngine(POLICY.client)

    async def learn(self) -> None:
        """Read everything that facts are made of."""
        contacts = await self._read("/v1/contacts", ContactPage)
        chats = await self._read("/v1/conversations", ConversationPage)
        self.keys = await self._read("/v1/policy/accounts", AccountKeys)
        self.contacts, self.chats = contacts.contacts, chats.conversations
        self.book = book_facts(
            [
                BookPerson(one.contact_id, one.display_name, one.organisation)
                for one in self.contacts
            ],
            [
                BookChat(contact_id, chat.conversation_id)
                for chat in self.chats
                if not chat.group
                for contact_id in chat.contact_ids
            ],
        )

    async def _read(self, path: str, kind: type[T]) -> T:
        return msgspec.json.decode((await self.http.get(path)).content, type=kind)

    async def send(
        self, workspace: Workspace, chat: Conversation, text: str, quote: Message
    ) -> int:
        """Submit a text with its hint; returns the status."""
        quoted = chat.conversation_id == quote.conversation_id and len(text) % 3 == 0
        hint = self.engine.check(
            chat,
            self.contacts,
            text,
            workspace.clock(),
            accounts=account_facts(self.keys, chat.conversation_id),
            book=self.book,
            quoted_text=quote.text if quoted else "",
        )
        command = draft(
            text,
            clock=workspace.clock,
            justification="As agreed." if len(text) % 2 else "",
            acknowledged=[finding.rule_id for finding in hint.decision.findings][:8],
            hint=msgspec.to_builtins(hint.report),
            quote_message_id=quote.message_id if quoted else None,
        )
        answer = await submit(self.http, chat.conversation_id, command)
        assert answer.status_code in (201, 202, 403), answer.text
        return answer.status_code


async def test_every_draft_is_decided_alike_over_http(workspace: Workspace) -> None:
    quote_id = await workspace.inbound(QUOTED)
    await workspace.inbound("Hello", account="acc-signal", point=SOFIA)
    for number, account in enumerate((OWN_ACCOUNT, BOOK_ACCOUNT)):
        contact_id = str(
            await workspace.scalar(f"SELECT contact_id FROM contacts LIMIT 1 OFFSET {number}")
        )
        now = workspace.clock()
        await workspace.services.database.write(
            partial(
                set_accounts,
                contact_id=contact_id,
                numbers=[account],
                actor_id="compliance",
                now_utc_ms=now,
            )
        )
    async with served(workspace) as url:
        headers = {"Authorization": f"Bearer {TOKENS[ELENA]}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
            client = Client(http)
            await client.learn()
            answer = await http.get(f"/v1/messages/{quote_id}")
            quote = msgspec.json.decode(answer.content, type=Message)
            gate = asyncio.Semaphore(AT_ONCE)

            async def one(number: int, text: str) -> int:
                async with gate:
                    chat = client.chats[number % len(client.chats)]
                    return await client.send(workspace, chat, text, quote)

            texts = list(islice(_texts(), DRAFTS))
            statuses = await asyncio.gather(*(one(*each) for each in enumerate(texts)))
    assert {201, 403} <= set(statuses)
    count = "SELECT count(*) FROM decisions WHERE drift = '{}'"
    differing = [await workspace.scalar(count.format(drift)) for drift in ("incident", "stale")]
    assert differing == [0, 0]
    assert await workspace.scalar(count.format("")) == DRAFTS


def _texts() -> Iterator[str]:
    """Yield texts by chance, as JSON can carry them."""
    for case in drafts(seed=20_261_121):
        text = case.draft.text.encode("utf-8", "ignore").decode()
        if text.strip():
            yield text
