"""The way in: files the gateway signed, read in the order of their names.

It never removes a file whose bytes are not committed: only a later cursor says that they are.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from pathlib import Path

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import InboundEvent, MessageIn, Sender, Unknown
from backend.channels.modules import ChannelContext
from contract.ids import AccountId

_ID_TYPE = "phone"
_LONGEST_POLL_S = 25.0
_LOOK_EVERY_S = 0.2
_MOST_FILES = 100


class Written(msgspec.Struct):
    """What a client wrote, as the gateway tells it."""

    id: str
    sender: str = msgspec.field(name="from")
    text: str
    at_utc_ms: int = 0


class SpoolInbound:
    """Serves every account of the spool; it keeps the protocol Inbound."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check the gateway's HMAC-SHA256 over the bytes in constant time."""
        secret = self._context.settings_of(account.account_id)["secret"].encode()
        known = hmac.new(secret, item.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(known.encode(), item.headers.get("signature", "").encode())

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn a file into the message it tells of."""
        try:
            written = msgspec.json.decode(raw, type=Written)
        except (msgspec.DecodeError, ValueError):
            return (_unreadable(raw),)
        message = MessageIn(
            dedupe_key=written.id,
            at_utc_ms=written.at_utc_ms,
            sender=Sender(id_type=_ID_TYPE, address=written.sender),
            external_id=written.id,
            text=written.text,
        )
        return (message,)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return the files after `cursor`; waits for one, but no longer than half a minute."""
        folder = self._folder(account.account_id)
        deadline_s = time.monotonic() + _LONGEST_POLL_S
        while True:
            try:
                items = await asyncio.to_thread(_read, folder, cursor)
            except OSError as error:
                raise faults.Retryable("The gateway's folder can't be read just now.") from error
            if items or time.monotonic() > deadline_s:
                return Polled(items=items, cursor=items[-1].dedupe_key if items else cursor)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Refuse: the gateway carries no files."""
        raise faults.ContentInvalid("The gateway carries no files.")

    def _folder(self, account_id: AccountId) -> Path:
        return Path(self._context.settings_of(account_id)["folder"]) / "incoming"


def _read(folder: Path, cursor: str) -> tuple[RawItem, ...]:
    items: list[RawItem] = []
    for path in sorted(folder.glob("*.json")):
        if path.name <= cursor:  # committed
            path.unlink()
        elif len(items) < _MOST_FILES:
            signature, _, body = path.read_bytes().partition(b"\n")
            told = {"signature": signature.decode("ascii", "replace")}
            items.append(RawItem(dedupe_key=path.name, body=body, headers=told))
    return tuple(items)


def _unreadable(raw: bytes) -> Unknown:
    return Unknown(
        dedupe_key=hashlib.sha256(raw).hexdigest(),
        at_utc_ms=0,
        sender=Sender(id_type=_ID_TYPE, address=""),
        type_name="unreadable",
    )
