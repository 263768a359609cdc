"""Owns the addresses vendors call: verified over raw bytes, committed, answered, parsed later.

It never reads what a body says, and answers nobody before the bytes are on the disk.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from backend.channels.contract import Account, Inbound, RawItem
from backend.channels.webhooks import (
    SharedAddress,
    Webhook,
    WebhookAnswer,
    WebhookRequest,
    body_key,
)
from backend.delivery.accounts import governed_accounts
from backend.delivery.pump import store_raw
from backend.storage.database import Database, StorageFull

MOST_BODY_BYTES = 8 * 1024 * 1024
_LATELY_MS = 10 * 60_000
_METHODS = ["GET", "POST", "PUT"]
_NOT_HERE = WebhookAnswer(status=404)
_FORGED = WebhookAnswer(status=403)
_TOO_LARGE = WebhookAnswer(status=413)
_LATER = WebhookAnswer(status=503)
_GONE = WebhookAnswer(status=400)
_log = logging.getLogger(__name__)


class Hooks(NamedTuple):
    """What the addresses need; `public_url` is how vendors name this backend."""

    database: Database
    connectors: Mapping[str, Inbound]
    committed: Callable[[], None]
    now: Callable[[], int]
    public_url: str


class HookDesk:
    """Serves `/hooks/{connector}/{account}`; `refused` counts requests by account and reason."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self.refused: Counter[tuple[str, str]] = Counter()
        self._last_refused: dict[tuple[str, str], int] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what was refused lately, by account and reason, in plain words."""
        since_utc_ms = self._hooks.now() - _LATELY_MS
        return tuple(
            f"account {account_id}: {self.refused[account_id, reason]} calls of its webhook "
            f"address were refused ({reason})"
            for (account_id, reason), at_utc_ms in self._last_refused.items()
            if at_utc_ms >= since_utc_ms
        )

    def routes(self) -> list[Route]:
        """Return the routes; what follows the account's path is the vendor's own."""
        path = "/hooks/{connector}/{account_id}"
        return [
            Route(path, self._serve, methods=_METHODS),
            Route(path + "/{rest:path}", self._serve, methods=_METHODS),
        ]

    async def _serve(self, request: Request) -> Response:
        try:
            answer = await self._answer(request)
        except ClientDisconnect:
            answer = _GONE  # nobody reads it: the vendor went away and calls again
        return Response(answer.body, status_code=answer.status, media_type=answer.media_type)

    async def _answer(self, request: Request) -> WebhookAnswer:
        hooks, parts = self._hooks, request.path_params
        connector = hooks.connectors.get(parts["connector"])
        accounts = await self._accounts(parts["connector"])
        account = accounts.pop(parts["account_id"], None)
        if account is None or connector is None or not isinstance(connector, Webhook):
            return _NOT_HERE
        body = await _bounded_body(request)
        if body is None:
            return self._refuse(account, "too large", _TOO_LARGE)
        url = f"{hooks.public_url}{request.url.path}"
        if request.url.query:
            url = f"{url}?{request.url.query}"
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = WebhookRequest(
            request.method, url, dict(request.query_params), headers, body, parts.get("rest", "")
        )
        known = connector.handshake(account, asked)
        if known is not None:
            return known if known.status < 400 else self._refuse(account, "handshake", known)
        item = RawItem(dedupe_key="", body=body, headers=headers, url=url)
        if not connector.verify(account, item):
            return self._refuse(account, "signature", _FORGED)
        also: tuple[Account, ...] = ()
        if accounts and isinstance(connector, SharedAddress):
            with contextlib.suppress(RecursionError, ValueError):  # kept for whoever was called
                also = connector.also_for(account, item, accounts.values())
        return await self._commit((account, *also), connector, item)

    async def _commit(
        self, accounts: tuple[Account, ...], connector: Webhook, item: RawItem
    ) -> WebhookAnswer:
        """Keep the bytes for the account that was called, and others that they speak of."""
        hooks, called = self._hooks, accounts[0]

        def store(connection: Connection) -> None:
            for account in accounts:
                keyed = RawItem(
                    dedupe_key=_key(connector, account, item),
                    body=item.body,
                    headers=item.headers,
                    url=item.url,
                )
                store_raw(connection, account, [keyed], None, hooks.now())

        try:
            await hooks.database.write(store)
        except StorageFull:
            return self._refuse(called, "disk full", _LATER)
        hooks.committed()
        return connector.answer(called)

    async def _accounts(self, connector: str) -> dict[str, Account]:
        accounts = await self._hooks.database.read(governed_accounts)
        return {each.account_id: each for each in accounts if each.connector == connector}

    def _refuse(self, account: Account, reason: str, answer: WebhookAnswer) -> WebhookAnswer:
        self.refused[account.account_id, reason] += 1
        self._last_refused[account.account_id, reason] = self._hooks.now()
        _log.warning(
            "a vendor's request was refused",
            extra={"account_id": account.account_id, "reason": reason},
        )
        return answer


def _key(connector: Webhook, account: Account, item: RawItem) -> str:
    """Return a delivery's identity, that of its bytes where they are too odd to be looked into."""
    try:
        return connector.dedupe_key(account, item)
    except (RecursionError, ValueError):
        return body_key(item.body)


async def _bounded_body(request: Request) -> bytes | None:
    """Return the body, None once it is longer than any vendor's."""
    whole = bytearray()
    async for piece in request.stream():
        whole += piece
        if len(whole) > MOST_BODY_BYTES:
            return None
    return bytes(whole)
