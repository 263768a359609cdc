"""Matrix's way in: transactions of the homeserver, and invitations that are accepted.

It never takes our own service's events for a client's.

Source: Matrix specification v1.12, Application Service API; `Authorization: Bearer hs_token`.
"""

from __future__ import annotations

import hmac
import re
from collections import OrderedDict
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import (
    ChatNamed,
    Deleted,
    Edited,
    InboundEvent,
    MediaRef,
    MessageIn,
    Reaction,
    Receipt,
    Sender,
    Typing,
    Unknown,
)
from backend.channels.matrix import wire
from backend.channels.matrix.apart import read_transaction
from backend.channels.matrix.calls import CLIENT, MatrixCalls, in_path
from backend.channels.matrix.rooms import MatrixRooms
from backend.channels.webhooks import WebhookAnswer, WebhookRequest, body_key
from contract.ids import AccountId
from contract.states import DeliveryState

_ID_TYPE = "matrix_id"
_JSON = "application/json"
_NOBODY = Sender(id_type=_ID_TYPE, address="")
_TEXTS = frozenset({"m.text", "m.notice", "m.emote"})
_FILES = frozenset({"m.image", "m.file", "m.audio", "m.video"})
_MXC = re.compile(r"mxc://([^/]+)/([A-Za-z0-9_-]+)")
_FALLBACK = re.compile(r"\A(?:> .*\n)+\n?")
_MOST_REACTIONS = 20_000
_LONG_POLL_MS = 25_000
_MOST_FILE_BYTES = 100 * 1024 * 1024
_READ_KINDS = ("m.read", "m.read.private")
_ReadBy = dict[str, dict[str, dict[str, dict[str, object]]]]  # event, kind, person, what is told
_FILTER = (
    '{"presence":{"types":[]},"account_data":{"types":[]},"room":{"timeline":{"limit":0},'
    '"ephemeral":{"types":[]},"account_data":{"types":[]},'
    '"state":{"types":["m.room.member"],"lazy_load_members":true}}}'
)


class MatrixInbound:
    """Serves every Matrix account; it keeps the protocols Inbound and Webhook."""

    def __init__(self, calls: MatrixCalls, rooms: MatrixRooms) -> None:
        self._calls = calls
        self._rooms = rooms
        self._since: dict[AccountId, str] = {}
        self._groups: set[str] = set()
        self._reactions: OrderedDict[str, str] = OrderedDict()  # to which message each belongs

    def handshake(self, account: Account, request: WebhookRequest) -> WebhookAnswer | None:
        """Answer questions after users and rooms (none but those made here), and pings."""
        if not self._knows_us(account, request.headers):
            return WebhookAnswer(403, b'{"errcode":"M_FORBIDDEN"}', _JSON)
        path = request.path.removeprefix("_matrix/app/v1/")
        if path.startswith("transactions/") and request.method == "PUT":
            return None
        if path == "ping":
            return WebhookAnswer(200, b"{}", _JSON)
        return WebhookAnswer(404, b'{"errcode":"M_NOT_FOUND"}', _JSON)

    def dedupe_key(self, account: Account, item: RawItem) -> str:
        """Return the transaction's id with the hash of its bytes: it is repeated as it was.

        The hash alone would take a client's second typing for the first one's copy; the id alone
        begins anew with a homeserver's database.
        """
        transaction = urlsplit(item.url).path.rpartition("/")[2]
        return f"{transaction}.{body_key(item.body)}"

    def answer(self, account: Account) -> WebhookAnswer:
        """Return what acknowledges a transaction."""
        return WebhookAnswer(200, b"{}", _JSON)

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check the homeserver's token in constant time."""
        return self._knows_us(account, item.headers)

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn a transaction into events; raises Retryable until rooms are known as groups."""
        try:
            transaction = read_transaction(raw)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return (_unknown(body_key(raw), "unreadable", _NOBODY),)
        if transaction.events and account.account_id not in self._since:
            raise faults.Retryable("The Matrix server has not told of its rooms yet.")
        own = self._calls.user_of(account.account_id)
        for each in transaction.events:
            if each.sender != own and each.room_id not in self._groups:
                self._rooms.met(account.account_id, each.sender, each.room_id)
        named = [
            event
            for each in transaction.events
            if each.type == "m.room.name" and (event := self._named(each)) is not None
        ]
        said = [
            self._said(each)
            for each in transaction.events
            if each.sender and each.sender != own and each.state_key is None
        ]
        passing = [event for each in transaction.ephemeral for event in self._passing(each, own)]
        return (*named, *said, *passing)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Accept invitations and learn which rooms are groups; messages come by transaction."""
        since = self._since.get(account.account_id, "")
        params = {"timeout": str(_LONG_POLL_MS if since else 0), "filter": _FILTER}
        if since:
            params["since"] = since
        body = await self._calls.call(
            account.account_id,
            "GET",
            f"{CLIENT}/sync",
            params=params,
            timeout_s=_LONG_POLL_MS / 1000 + 15,
        )
        answer = msgspec.json.decode(body, type=wire.SyncAnswer)
        for room, joined in answer.rooms.join.items():
            if joined.summary.joined + joined.summary.invited > 2:
                self._groups.add(room)
        for room in answer.rooms.invite:
            await self._join(account.account_id, room)
        self._since[account.account_id] = answer.next_batch
        return Polled(items=(), cursor=cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return a file by its mxc address, asked for with our own token."""
        found = _MXC.fullmatch(ref)
        if found is None:
            raise faults.ContentInvalid("The file has no address on Matrix.")
        server, media = found.groups()
        path = f"/_matrix/client/v1/media/download/{in_path(server)}/{media}"
        try:
            return await self._calls.call(
                account.account_id, "GET", path, timeout_s=60.0, most_bytes=_MOST_FILE_BYTES
            )
        except faults.Refusal as error:
            raise faults.ContentInvalid("The file is no longer there.") from error
        except faults.ChannelFault as error:
            raise faults.Retryable(error.reason) from error

    async def _join(self, account_id: AccountId, room: str) -> None:
        try:
            await self._calls.call(account_id, "POST", f"{CLIENT}/join/{in_path(room)}", {})
        except faults.Refusal:
            return  # taken back meanwhile

    def _knows_us(self, account: Account, headers: object) -> bool:
        known = f"Bearer {self._calls.settings(account.account_id)['hs_token']}"
        given = headers.get("authorization", "") if hasattr(headers, "get") else ""
        return hmac.compare_digest(known.encode(), str(given).encode())

    def _passing(self, event: wire.Event, own: str) -> Iterator[InboundEvent]:
        """Yield what is told once and never kept: receipts and typing; presence is not for us."""
        if event.type == "m.receipt":
            yield from _receipts(event, own)
        elif event.type == "m.typing":
            yield from self._typing(event, own)

    def _said(self, event: wire.Event) -> InboundEvent:
        sender = Sender(id_type=_ID_TYPE, address=event.sender, name=_local_name(event.sender))
        try:
            content = msgspec.json.decode(event.content, type=wire.Content)
            if event.type == "m.room.redaction":
                newer = msgspec.json.decode(event.content, type=wire.Redaction).redacts
                return self._taken_back(event, sender, event.redacts or newer)
        except msgspec.DecodeError:
            content = wire.Content()
        about = content.relates_to or wire.Relation()
        if event.type == "m.reaction":
            self._reactions[event.event_id] = about.event_id
            if len(self._reactions) > _MOST_REACTIONS:
                self._reactions.popitem(last=False)
            return Reaction(
                dedupe_key=event.event_id,
                at_utc_ms=event.origin_server_ts,
                sender=sender,
                external_id=about.event_id,
                emoji=about.key,
            )
        if about.rel_type == "m.replace" and content.new_content is not None:
            return Edited(
                dedupe_key=event.event_id,
                at_utc_ms=event.origin_server_ts,
                sender=sender,
                external_id=about.event_id,
                text=content.new_content.body,
                chat=event.room_id if event.room_id in self._groups else "",
            )
        return self._message(event, content, about, sender)

    def _named(self, event: wire.Event) -> ChatNamed | None:
        """Return what a room of several is called from now on."""
        try:
            name = msgspec.json.decode(event.content, type=wire.RoomName).name
        except msgspec.DecodeError:
            return None
        if event.room_id not in self._groups or not name:
            return None
        return ChatNamed(
            dedupe_key=event.event_id,
            at_utc_ms=event.origin_server_ts,
            sender=Sender(id_type="chat", address=event.room_id),
            name=name,
        )

    def _taken_back(self, event: wire.Event, sender: Sender, taken: str) -> InboundEvent:
        """Return what a redaction takes back: a reaction of this process's time, or a message."""
        about = self._reactions.get(taken)
        if about is not None:
            return Reaction(
                dedupe_key=event.event_id,
                at_utc_ms=event.origin_server_ts,
                sender=sender,
                external_id=about,
                emoji="",
            )
        return Deleted(
            dedupe_key=event.event_id,
            at_utc_ms=event.origin_server_ts,
            sender=sender,
            external_id=taken,
        )

    def _message(
        self, event: wire.Event, content: wire.Content, about: wire.Relation, sender: Sender
    ) -> InboundEvent:
        chat = event.room_id if event.room_id in self._groups else ""
        text, files = _read(content)
        if event.type != "m.room.message" or not (text or files):
            return _unknown(event.event_id, event.type, sender, event.origin_server_ts, chat)
        quoted = about.in_reply_to.event_id if about.in_reply_to else ""
        return MessageIn(
            dedupe_key=event.event_id,
            at_utc_ms=event.origin_server_ts,
            sender=sender,
            external_id=event.event_id,
            text=_FALLBACK.sub("", text) if quoted else text,
            quote_external_id=quoted,
            attachments=files,
            chat=chat,
            refs={"room": event.room_id, "author": event.sender},
        )

    def _typing(self, event: wire.Event, own: str) -> Iterator[InboundEvent]:
        try:
            users = msgspec.json.decode(event.content, type=wire.TypingContent).user_ids
        except msgspec.DecodeError:
            return
        chat = event.room_id if event.room_id in self._groups else ""
        for user in users:
            if user != own:
                yield Typing(
                    dedupe_key=f"typing.{event.room_id}.{user}",
                    at_utc_ms=0,
                    sender=Sender(id_type=_ID_TYPE, address=user),
                    typing=True,
                    chat=chat,
                )


def _receipts(event: wire.Event, own: str) -> Iterator[InboundEvent]:
    """Yield who read which of our messages, and when."""
    try:
        content = msgspec.json.decode(event.content, type=_ReadBy)
    except msgspec.DecodeError:
        return
    for event_id, kinds in content.items():
        for kind in _READ_KINDS:
            for user, told in kinds.get(kind, {}).items():
                if user == own:
                    continue
                at = told.get("ts", 0)
                yield Receipt(
                    dedupe_key=f"{event_id}.read.{user}",
                    at_utc_ms=at if isinstance(at, int) else 0,
                    sender=Sender(id_type=_ID_TYPE, address=user),
                    state=DeliveryState.READ,
                    external_id=event_id,
                )


def _read(content: wire.Content) -> tuple[str, tuple[MediaRef, ...]]:
    if content.msgtype in _TEXTS:
        return content.body, ()
    if content.msgtype == "m.location":
        return "\n".join(part for part in (content.body, content.geo_uri) if part), ()
    if content.msgtype not in _FILES or not content.url:
        return "", ()
    name = content.filename or content.body or "file"
    caption = content.body if content.filename and content.body != content.filename else ""
    ref = MediaRef(
        ref=content.url,
        name=name,
        media_type=content.info.mimetype or "application/octet-stream",
        size_bytes=content.info.size,
    )
    return caption, (ref,)


def _local_name(user: str) -> str:
    return user.removeprefix("@").partition(":")[0]


def _unknown(
    key: str, type_name: str, sender: Sender, at_utc_ms: int = 0, chat: str = ""
) -> Unknown:
    return Unknown(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=sender,
        type_name=type_name[:64],
        external_id=key if sender.address else "",
        chat=chat,
    )
