"""Owns calling the methods of a signal-cli daemon for an account.

It never calls one again by itself.

Requests: signal-cli-jsonrpc(5), `POST /api/v1/rpc`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from backend.channels import faults
from backend.channels.modules import ChannelContext
from backend.channels.signal.errors import fault_in, fault_of
from backend.channels.signal.wire import Answer, Sent
from contract.ids import AccountId

DEFAULT_API_URL = "http://127.0.0.1:7583"
_MOST_ANSWER_BYTES = 140_000_000  # a file of 100 MB in base64


class Stream(NamedTuple):
    """Where an account's events come from."""

    url: str
    account: str


class SignalCalls:
    """Calls a daemon that serves several accounts."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context

    def number(self, account_id: AccountId) -> str:
        """Return the firm's number, which names the account at the daemon."""
        return self._context.settings_of(account_id)["account"]

    def stream(self, account_id: AccountId) -> Stream:
        """Return where an account's events come from."""
        return Stream(f"{self._base(account_id)}/api/v1/events", self.number(account_id))

    async def ask(
        self,
        account_id: AccountId,
        method: str,
        params: Mapping[str, Any],
        *,
        repeatable: bool,
        timeout_s: float = 30.0,
    ) -> bytes:
        """Call a method that names no account and return its result; raises its fault."""
        document = {
            "jsonrpc": "2.0",
            "id": uuid.uuid4().hex,
            "method": method,
            "params": dict(params),
        }
        reply = await self._context.http.request(
            "POST",
            f"{self._base(account_id)}/api/v1/rpc",
            repeatable=repeatable,
            json=msgspec.json.encode(document),
            timeout_s=timeout_s,
            most_bytes=_MOST_ANSWER_BYTES,
        )
        if reply.status in {404, 405, 415}:
            raise faults.AccountFault("There is no signal-cli daemon at the account's address.")
        try:
            answer = msgspec.json.decode(reply.body, type=Answer)
        except msgspec.DecodeError as error:
            words = "signal-cli's answer could not be read."
            raise (faults.Retryable if repeatable else faults.OutcomeUnknown)(words) from error
        if answer.error is not None:
            raise fault_of(answer.error, self._context.now(), repeatable=repeatable)
        return bytes(answer.result)

    async def call(
        self,
        account_id: AccountId,
        method: str,
        params: Mapping[str, Any],
        *,
        repeatable: bool = True,
        timeout_s: float = 30.0,
    ) -> bytes:
        """Call a method of the account and return its result; raises its fault."""
        own = {"account": self.number(account_id)}
        return await self.ask(
            account_id, method, own | dict(params), repeatable=repeatable, timeout_s=timeout_s
        )

    async def send(
        self,
        account_id: AccountId,
        method: str,
        params: Mapping[str, Any],
        *,
        repeatable: bool = False,
        timeout_s: float = 40.0,
    ) -> Sent:
        """Call a method that sends something and return what became of it at Signal."""
        result = await self.call(
            account_id, method, params, repeatable=repeatable, timeout_s=timeout_s
        )
        try:
            sent = msgspec.json.decode(result, type=Sent)
        except msgspec.DecodeError as error:
            raise faults.OutcomeUnknown("signal-cli's answer could not be read.") from error
        fault = fault_in(sent.results, self._context.now())
        if fault is not None:
            raise fault
        return sent

    def _base(self, account_id: AccountId) -> str:
        given = self._context.settings_of(account_id).get("api_url")
        return (given or DEFAULT_API_URL).rstrip("/")
