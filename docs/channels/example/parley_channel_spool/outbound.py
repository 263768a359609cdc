"""The way out: one file a message, named by its key, so that a repeated send is the same file.

It never changes or removes a file that it wrote: the gateway takes it and keeps it in `done`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from pathlib import Path

import msgspec

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Blocked,
    Capabilities,
    Finding,
    InboundWay,
    OutboundMessage,
    Reconciliation,
    SendResult,
    TextUnit,
)
from backend.channels.modules import ChannelContext
from backend.channels.plain_outbound import PlainOutbound
from backend.channels.preflight import shared_preflight
from contract.ids import AccountId, ConversationId
from contract.wire import IdempotencyClass

CAPABILITIES = Capabilities(
    text_max=1000,
    text_unit=TextUnit.CHARS,
    inbound=InboundWay.POLL,
    idempotency=IdempotencyClass.SERVER_KEY,
)


class SpoolOutbound(PlainOutbound):
    """Serves every account of the spool; it keeps the protocol Outbound."""

    shown_name = "The gateway"

    def __init__(self, context: ChannelContext) -> None:
        self._context = context

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what the gateway takes: texts."""
        return CAPABILITIES

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check consent and size."""
        return shared_preflight(CAPABILITIES, outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Lay the message down; one that lies there under the same key is this one."""
        name = _name(attempt.key)
        document = msgspec.json.encode({"id": name, "to": outbound.address, "text": outbound.text})
        try:
            await asyncio.to_thread(_lay_down, self._folder(outbound.account_id), name, document)
        except FileNotFoundError as error:
            raise faults.AccountFault("The gateway's folder is gone. It is paused.") from error
        except OSError as error:  # nothing was named yet, so nothing was sent
            raise faults.Retryable("The gateway's folder takes no files just now.") from error
        return SendResult(external_id=name)

    async def reconcile(self, outbound: OutboundMessage, attempt: Attempt) -> Reconciliation:
        """Look whether the attempt's file lies there."""
        name = _name(attempt.key)
        if not await asyncio.to_thread(_lies_there, self._folder(outbound.account_id), name):
            return Reconciliation(finding=Finding.NOT_FOUND)
        return Reconciliation(finding=Finding.FOUND, result=SendResult(external_id=name))

    def _folder(self, account_id: AccountId) -> Path:
        return Path(self._context.settings_of(account_id)["folder"])


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _lies_there(folder: Path, name: str) -> bool:
    return any(any((folder / part).glob(f"*-{name}.json")) for part in ("outgoing", "done"))


def _lay_down(folder: Path, name: str, document: bytes) -> None:
    """Write the file whole, then give it the name by which the gateway takes it."""
    if _lies_there(folder, name):
        return
    unnamed = folder / "outgoing" / f".{secrets.token_hex(8)}"
    with unnamed.open("wb") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    unnamed.rename(folder / "outgoing" / f"{time.time_ns():020d}-{name}.json")
