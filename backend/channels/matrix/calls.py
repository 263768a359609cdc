"""Owns calling a homeserver as an application service's user, and what its errors mean.

It never passes a homeserver's text on.

Errors: Matrix specification v1.12, "Standard error response".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from backend.channels import faults
from backend.channels.matrix.wire import Failure
from backend.channels.modules import ChannelContext
from backend.channels.vendor_http import VendorReply
from contract.ids import AccountId

_WAIT_MS = 1_000
_NOT_OURS = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_EXCLUSIVE"})
CLIENT = "/_matrix/client/v3"


class MatrixCalls:
    """Calls a homeserver for an account, registering its user the first time."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._registered: set[str] = set()

    def settings(self, account_id: AccountId) -> Mapping[str, str]:
        """Return an account's settings."""
        return self._context.settings_of(account_id)

    def user_of(self, account_id: AccountId) -> str:
        """Return the Matrix id an account writes as."""
        return self.settings(account_id)["user_id"]

    async def call(
        self,
        account_id: AccountId,
        method: str,
        path: str,
        document: Mapping[str, Any] | None = None,
        *,
        repeatable: bool = True,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        media_type: str = "",
        timeout_s: float = 20.0,
        most_bytes: int = 16 * 1024 * 1024,
    ) -> bytes:
        """Return a successful answer's body; raises the fault of one that refuses."""
        user = self.user_of(account_id)
        if user not in self._registered:
            await self._register(account_id, user)
        reply = await self._request(
            account_id,
            method,
            path,
            document,
            repeatable=repeatable,
            params={"user_id": user} | dict(params or {}),
            content=content,
            media_type=media_type,
            timeout_s=timeout_s,
            most_bytes=most_bytes,
        )
        if not reply.is_success:
            raise fault_of(reply, self._context.now())
        return reply.body

    async def _register(self, account_id: AccountId, user: str) -> None:
        """Make the user known to the homeserver; one it knows already is as good."""
        name = user.removeprefix("@").partition(":")[0]
        document = {"type": "m.login.application_service", "username": name, "inhibit_login": True}
        reply = await self._request(
            account_id, "POST", f"{CLIENT}/register", document, repeatable=True
        )
        if not reply.is_success and failure_of(reply).errcode != "M_USER_IN_USE":
            raise fault_of(reply, self._context.now())
        self._registered.add(user)

    async def _request(
        self,
        account_id: AccountId,
        method: str,
        path: str,
        document: Mapping[str, Any] | None,
        *,
        repeatable: bool,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        media_type: str = "",
        timeout_s: float = 20.0,
        most_bytes: int = 16 * 1024 * 1024,
    ) -> VendorReply:
        settings = self.settings(account_id)
        headers = {"Authorization": f"Bearer {settings['as_token']}"}
        if media_type:
            headers["Content-Type"] = media_type
        return await self._context.http.request(
            method,
            f"{settings['homeserver_url'].rstrip('/')}{path}",
            repeatable=repeatable,
            json=None if document is None else msgspec.json.encode(document),
            content=content,
            headers=headers,
            params=params,
            timeout_s=timeout_s,
            most_bytes=most_bytes,
        )


def failure_of(reply: VendorReply) -> Failure:
    """Return what a homeserver says of a refused request."""
    try:
        return msgspec.json.decode(reply.body, type=Failure)
    except msgspec.DecodeError:
        return Failure()


def fault_of(reply: VendorReply, now_utc_ms: int) -> faults.ChannelFault:
    """Return what an answer other than 2xx means."""
    failure = failure_of(reply)
    if reply.status == 429 or failure.errcode == "M_LIMIT_EXCEEDED":
        wait_ms = failure.retry_after_ms or _WAIT_MS
        return faults.RateLimited(
            "The Matrix server asks to wait. The message waits.", now_utc_ms + wait_ms
        )
    if failure.errcode in _NOT_OURS or reply.status == 401:
        return faults.AccountFault("The Matrix server refused the firm's service. It is paused.")
    if reply.status >= 500:
        return faults.Retryable("The Matrix server has a fault of its own. The message waits.")
    if failure.errcode == "M_TOO_LARGE" or reply.status == 413:
        return faults.ContentInvalid("The message is larger than the Matrix server takes.")
    if failure.errcode == "M_FORBIDDEN":
        return faults.ConsentMissing("The client left the room, or does not let this account in.")
    if failure.errcode in {"M_NOT_FOUND", "M_INVALID_PARAM", "M_UNKNOWN"}:
        return faults.RecipientInvalid("This client can't be reached on Matrix.")
    return faults.ContentInvalid("The Matrix server does not take this message.")


def in_path(part: str) -> str:
    """Return an id as it stands in a path."""
    return quote(part, safe="")
