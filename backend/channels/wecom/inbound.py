"""WeCom's customer service's way in: a callback rings, then messages are pulled by cursor.

It never takes a callback for a message, and never advances past bytes that are not committed.

Source: WeCom's `kf_msg_or_event` callback and `kf/sync_msg` (three days are kept).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Names, Polled, RawItem
from backend.channels.events import InboundEvent
from backend.channels.modules import ChannelContext
from backend.channels.webhooks import WebhookAnswer, WebhookRequest, body_key
from backend.channels.wechat.callbacks import Secrets, echo_of, is_genuine, read_callback
from backend.channels.wechat.calls import Ask, TokenCalls
from backend.channels.wecom.bell import LONGEST_WAIT_S, Bells
from backend.channels.wecom.errors import StaleCallback
from backend.channels.wecom.reading import read_message, unreadable
from backend.channels.wecom.wire import Customers, Numbered, Pulled
from contract.ids import AccountId

_PULLED = "x-parley-pulled"
_UNASKED_PULL_MS = 5 * 60_000
_MOST_MESSAGES = 1000
_MOST_PULL_BYTES = 32 * 1024 * 1024


class WeComInbound:
    """Serves every customer service account; it keeps the protocols Inbound and Webhook."""

    def __init__(self, context: ChannelContext, calls: TokenCalls) -> None:
        self._context = context
        self._calls = calls
        self._bells = Bells()
        self._pulled_at_utc_ms: dict[AccountId, int] = {}

    async def account_changed(self, account_id: AccountId) -> None:
        """Pull at once for an account that has new settings."""
        self._pulled_at_utc_ms.pop(account_id, None)

    def handshake(self, account: Account, request: WebhookRequest) -> WebhookAnswer | None:
        """Return WeCom's word, opened, when its check of the address is signed."""
        if request.method == "POST":
            return None
        word = echo_of(self._secrets(account), request.query)
        return WebhookAnswer(status=403) if word is None else WebhookAnswer(body=word)

    def dedupe_key(self, account: Account, item: RawItem) -> str:
        """Return the hash of what a callback says: sealed anew it has other bytes."""
        try:
            said = read_callback(self._secrets(account), item.body)
        except ValueError:
            return body_key(item.body)
        return body_key("|".join(said.values()).encode())

    def answer(self, account: Account) -> WebhookAnswer:
        """Return an empty 200."""
        return WebhookAnswer()

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check a callback's seal, or that we pulled these very bytes ourselves."""
        pulled = item.headers.get(_PULLED)
        if pulled is not None:
            return hmac.compare_digest(pulled.encode(), self._mark(account, item.body).encode())
        secrets = self._secrets(account)
        return bool(secrets.encoding_aes_key) and is_genuine(secrets, item, self._context.now())

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn a pulled message into its event; a callback rings and tells nothing by itself."""
        if not raw.lstrip().startswith(b"<"):
            return read_message(raw)
        try:
            said = read_callback(self._secrets(account), raw)
        except ValueError:
            return (unreadable(raw),)
        if said.get("Event") != "kf_msg_or_event":
            return (unreadable(raw, f"event {said.get('Event', '')}"),)
        self._bells.ring(said.get("OpenKfId", ""), said.get("Token", ""))
        return ()

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return what came since `cursor`, once a callback rang; every five minutes without one."""
        open_kfid = self._context.settings_of(account.account_id)["open_kfid"]
        last_utc_ms = self._pulled_at_utc_ms.get(account.account_id)
        due = last_utc_ms is None or self._context.now() - last_utc_ms >= _UNASKED_PULL_MS
        if not await self._bells.wait(open_kfid, 0 if due else LONGEST_WAIT_S) and not due:
            return Polled(items=(), cursor=cursor)
        try:
            pulled = await self._pull(account.account_id, open_kfid, cursor)
        except BaseException:
            self._bells.ring(open_kfid)  # what rang is still there
            raise
        self._pulled_at_utc_ms[account.account_id] = self._context.now()
        if pulled.has_more:
            self._bells.ring(open_kfid)
        items = tuple(self._item(account, bytes(raw)) for raw in pulled.msg_list)
        return Polled(items=items, cursor=pulled.next_cursor or cursor)

    async def names_of(self, account: Account, address: str, chat: str) -> Names:
        """Return what a client calls themself; WeCom's messages tell no names."""
        document = {"external_userid_list": [address]}
        ask = Ask("POST", "/cgi-bin/kf/customer/batchget", document=document)
        reply = await self._calls.call(account.account_id, ask)
        customers = msgspec.json.decode(reply.body, type=Customers).customer_list
        return Names(sender=customers[0].nickname if customers else "")

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return a client's file, which WeCom keeps for three days."""
        return await self._calls.fetch(account.account_id, ref)

    async def _pull(self, account_id: AccountId, open_kfid: str, cursor: str) -> Pulled:
        document: dict[str, Any] = {"limit": _MOST_MESSAGES, "open_kfid": open_kfid}
        if cursor:
            document["cursor"] = cursor
        token = self._bells.take_token(open_kfid)
        with_token = document | {"token": token} if token else document
        try:
            return await self._asked(account_id, with_token)
        except StaleCallback:
            return await self._asked(account_id, document)

    async def _asked(self, account_id: AccountId, document: dict[str, Any]) -> Pulled:
        ask = Ask("POST", "/cgi-bin/kf/sync_msg", document=document, most_bytes=_MOST_PULL_BYTES)
        reply = await self._calls.call(account_id, ask)
        try:
            return msgspec.json.decode(reply.body, type=Pulled)
        except msgspec.DecodeError as error:
            raise faults.Retryable("WeCom's answer could not be read.") from error

    def _item(self, account: Account, body: bytes) -> RawItem:
        number = msgspec.json.decode(body, type=Numbered).msgid
        return RawItem(
            dedupe_key=number or body_key(body),
            body=body,
            headers={_PULLED: self._mark(account, body)},
        )

    def _mark(self, account: Account, body: bytes) -> str:
        secret = self._context.settings_of(account.account_id)["kf_secret"].encode()
        return hmac.new(secret, body, hashlib.sha256).hexdigest()

    def _secrets(self, account: Account) -> Secrets:
        settings = self._context.settings_of(account.account_id)
        return Secrets(
            settings["callback_token"], settings["encoding_aes_key"], settings["corp_id"]
        )
