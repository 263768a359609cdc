"""Owns what a webhook's connector answers besides verifying and parsing: handshake and keys.

It never reads a request and never sends an answer: the route does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol, runtime_checkable

from backend.channels.contract import Account, Polled, RawItem

LONGEST_POLL_S = 60.0


class WebhookRequest(NamedTuple):
    """A request as it came: lower-case header names, the query, the body's bytes, the whole URL.

    `path` is what follows the account's own path, without a slash at its beginning.
    """

    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    path: str = ""


class WebhookAnswer(NamedTuple):
    """What the vendor is answered."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain"


@runtime_checkable
class Webhook(Protocol):
    """The part of an Inbound whose events come by HTTP."""

    def handshake(self, account: Account, request: WebhookRequest) -> WebhookAnswer | None:
        """Return the answer to a vendor's check of the address, None for an event.

        A check with a wrong secret is answered 403.
        """

    def dedupe_key(self, account: Account, item: RawItem) -> str:
        """Return the vendor's own identity of this delivery, the same when it is repeated."""

    def answer(self, account: Account) -> WebhookAnswer:
        """Return what the vendor wants to hear once the bytes are committed."""


@runtime_checkable
class SharedAddress(Protocol):
    """What a Webhook has whose vendor may call one address for several accounts."""

    def also_for(
        self, account: Account, item: RawItem, others: Iterable[Account]
    ) -> tuple[Account, ...]:
        """Return which other accounts a genuine delivery at one's address speaks of, too.

        Only those whose own secret it is signed with; each then reads its own part of it.
        """


def body_key(body: bytes) -> str:
    """Return a delivery's identity where the vendor gives none: the SHA-256 of its bytes."""
    return hashlib.sha256(body).hexdigest()


async def nothing_to_poll(cursor: str) -> Polled:
    """Return, after a minute, that nothing came: the vendor calls us and can't be asked."""
    await asyncio.sleep(LONGEST_POLL_S)
    return Polled(items=(), cursor=cursor)
