"""Owns calling Telegram's methods for an account: address, token, business connection.

It never logs an address: the token stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from backend.channels import faults
from backend.channels.modules import ChannelContext
from backend.channels.telegram.errors import fault_of
from backend.channels.telegram.wire import Answer
from backend.channels.vendor_http import VendorReply
from contract.ids import AccountId

BUSINESS = "business_connection_id"
DEFAULT_API_URL = "https://api.telegram.org"


class Upload(NamedTuple):
    """A file that goes along: the field it is sent in, its name, bytes and media type."""

    field: str
    name: str
    content: bytes
    media_type: str


class TelegramCalls:
    """Calls methods of the Bot API."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context

    def settings(self, account_id: AccountId) -> Mapping[str, str]:
        """Return an account's settings."""
        return self._context.settings_of(account_id)

    async def ask(
        self,
        account_id: AccountId,
        method: str,
        values: Mapping[str, Any],
        *,
        repeatable: bool,
        upload: Upload | None = None,
        timeout_s: float = 20.0,
    ) -> VendorReply:
        """Call a method and return the answer, whatever it says."""
        settings = self.settings(account_id)
        url = f"{api_url(settings)}/bot{settings['bot_token']}/{method}"
        if upload is None:
            return await self._context.http.request(
                "POST",
                url,
                repeatable=repeatable,
                json=msgspec.json.encode(values),
                timeout_s=timeout_s,
                most_bytes=32 * 1024 * 1024,
            )
        form = {
            name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
            for name, value in values.items()
        }
        return await self._context.http.request(
            "POST",
            url,
            repeatable=repeatable,
            form=form,
            files={upload.field: (upload.name, upload.content, upload.media_type)},
            timeout_s=timeout_s,
        )

    async def call(
        self,
        account_id: AccountId,
        method: str,
        values: Mapping[str, Any],
        *,
        repeatable: bool = True,
        upload: Upload | None = None,
        timeout_s: float = 20.0,
    ) -> msgspec.Raw:
        """Call a method and return its result; raises the fault of an answer that refuses.

        An answer that can't be read raises OutcomeUnknown, or Retryable if `repeatable`.
        """
        reply = await self.ask(
            account_id, method, values, repeatable=repeatable, upload=upload, timeout_s=timeout_s
        )
        if not reply.is_success:
            raise fault_of(reply, self._context.now())
        try:
            answer = msgspec.json.decode(reply.body, type=Answer)
        except msgspec.DecodeError as error:
            words = "Telegram's answer could not be read."
            raise (faults.Retryable if repeatable else faults.OutcomeUnknown)(words) from error
        if not answer.ok:
            raise fault_of(reply, self._context.now())
        return answer.result

    async def fetch(self, account_id: AccountId, file_path: str, most_bytes: int) -> bytes:
        """Return a file's bytes from where getFile said it lies."""
        settings = self.settings(account_id)
        reply = await self._context.http.request(
            "GET",
            f"{api_url(settings)}/file/bot{settings['bot_token']}/{file_path}",
            repeatable=True,
            timeout_s=60.0,
            most_bytes=most_bytes,
        )
        if reply.status == 404:
            raise faults.ContentInvalid("The file is no longer there.")
        if not reply.is_success:
            raise faults.Retryable("Telegram does not give the file just now.")
        return reply.body


def api_url(settings: Mapping[str, str]) -> str:
    """Return the API's address of an account, without a slash at its end."""
    return (settings.get("api_url") or DEFAULT_API_URL).rstrip("/")
