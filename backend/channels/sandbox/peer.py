"""The sandbox vendor: takes messages, keeps the clients' phones and queues what they do.

It never reads the backend's database and never invents a fault that was not asked for.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Capabilities
from backend.channels.events import MediaRef, MessageIn, Sender
from backend.channels.sandbox.faults import (
    Fault,
    FaultKind,
    raise_refusal,
    store_fault,
    take_fault,
)
from backend.channels.sandbox.phone import Client, Plan, answer_plans, language_of, receipt_plans
from backend.channels.sandbox.queue import SandboxQueue
from backend.channels.sandbox.store import SandboxStore
from contract.wire import IdempotencyClass


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A message as this vendor takes it; `key` is empty on a channel without any key."""

    address: str
    id_type: str
    text: str
    key: str = ""
    files: tuple[dict[str, str | int], ...] = ()


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """What a client writes from the phone, with files as (name, media type, bytes)."""

    address: str
    id_type: str
    name: str
    text: str
    chat: str = ""
    quote_external_id: str = ""
    files: tuple[tuple[str, str, bytes], ...] = ()


class SandboxPeer:
    """The vendor with all its accounts; one per embedded backend."""

    def __init__(
        self, store: SandboxStore, queue: SandboxQueue, *, answers: bool, now: Callable[[], int]
    ) -> None:
        """`answers` false keeps every client silent; `now` returns UTC milliseconds."""
        self._store = store
        self._queue = queue
        self._answers = answers
        self._now = now

    async def accept(self, account: Account, capabilities: Capabilities, parcel: Parcel) -> str:
        """Take a message and return this vendor's id of it.

        Raises the class of an asked-for fault; OutcomeUnknown may come after the commit.
        """
        fault = await self._store.write(lambda c: take_fault(c, account.account_id, parcel.address))
        if fault is not None:
            raise_refusal(fault, self._now())
            if fault.kind is FaultKind.TIMEOUT_LOST:
                await asyncio.sleep(fault.seconds)
                raise faults.OutcomeUnknown("The channel did not answer after taking the bytes.")
            if fault.kind is FaultKind.SLOW:
                await asyncio.sleep(fault.seconds)
        muted = fault is not None and fault.kind is FaultKind.NO_RECEIPTS
        external_id = await self._store.write(
            lambda c: self._commit(c, account, capabilities, parcel, muted)
        )
        self._queue.wake()
        if fault is not None and fault.kind is FaultKind.TIMEOUT_AFTER_WRITE:
            await asyncio.sleep(fault.seconds)
            raise faults.OutcomeUnknown("The channel did not answer after taking the bytes.")
        return external_id

    def _commit(
        self,
        connection: Any,
        account: Account,
        capabilities: Capabilities,
        parcel: Parcel,
        muted: bool,
    ) -> str:
        keyed = account.idempotency is IdempotencyClass.SERVER_KEY
        if keyed:
            row = connection.execute(
                "SELECT external_id FROM accepted_keys WHERE account_id = ? AND key = ?",
                (account.account_id, parcel.key),
            ).fetchone()
            if row is not None:
                return str(row[0])
        external_id = _fresh_id(account)
        now_utc_ms = self._now()
        _store_line(connection, account, "received", external_id, parcel, now_utc_ms)
        if keyed:
            connection.execute(
                "INSERT INTO accepted_keys VALUES (?,?,?)",
                (account.account_id, parcel.key, external_id),
            )
        client = _client_of(connection, account, parcel)
        echo = account.idempotency is IdempotencyClass.CLIENT_ECHO
        plans = receipt_plans(
            capabilities, client, external_id, parcel.key if echo else "", now_utc_ms
        )
        if not muted:
            self._queue.add_plans(connection, client, plans)
        if self._answers:
            self._plan_answer(connection, account, capabilities, client, parcel.text)
        return external_id

    def _plan_answer(
        self,
        connection: Any,
        account: Account,
        capabilities: Capabilities,
        client: Client,
        text: str,
    ) -> None:
        plans: tuple[Plan, ...] = answer_plans(
            capabilities, client, text, _fresh_id(account), self._now()
        )
        if plans:
            # Someone who gets three messages in a row answers once, after the last.
            self._queue.forget_answer(connection, client)
            self._queue.add_plans(connection, client, plans)

    async def find(self, account: Account, key: str) -> str | None:
        """Return the id under which a keyed message was taken, or None."""

        def look(connection: Any) -> str | None:
            row = connection.execute(
                "SELECT external_id FROM accepted_keys WHERE account_id = ? AND key = ?",
                (account.account_id, key),
            ).fetchone()
            return None if row is None else str(row[0])

        return await self._store.write(look)

    async def say(self, account: Account, utterance: Utterance) -> str:
        """Let a client write to the firm now; returns this vendor's id of the message."""
        external_id = _fresh_id(account)
        now_utc_ms = self._now()

        def commit(connection: Any) -> None:
            media = tuple(
                _store_media(connection, account, external_id, n, *item)
                for n, item in enumerate(utterance.files)
            )
            sender = Sender(
                id_type=utterance.id_type, address=utterance.address, name=utterance.name
            )
            event = MessageIn(
                dedupe_key=external_id,
                at_utc_ms=now_utc_ms,
                sender=sender,
                external_id=external_id,
                text=utterance.text,
                quote_external_id=utterance.quote_external_id,
                attachments=media,
                chat=utterance.chat,
            )
            parcel = Parcel(
                address=utterance.chat or utterance.address,
                id_type=utterance.id_type,
                text=utterance.text,
            )
            _store_line(connection, account, "said", external_id, parcel, now_utc_ms)
            _know_client(connection, account, utterance)
            self._queue.add_body(connection, account.account_id, msgspec.json.encode(event))

        await self._store.write(commit)
        self._queue.wake(account.account_id)
        return external_id

    async def do(self, account: Account, body: bytes) -> None:
        """Let a client do anything else: `body` is put into the vendor's queue as it is."""
        await self._store.write(lambda c: self._queue.add_body(c, account.account_id, body))
        self._queue.wake(account.account_id)

    async def ask_fault(self, fault: Fault) -> None:
        """Play `fault` on the next sends it fits."""
        await self._store.write(lambda c: store_fault(c, fault))

    async def media(self, account: Account, ref: str) -> bytes | None:
        """Return the bytes of a client's file, or None when there is no such file."""

        def look(connection: Any) -> bytes | None:
            row = connection.execute(
                "SELECT body FROM media WHERE ref = ? AND account_id = ?",
                (ref, account.account_id),
            ).fetchone()
            return None if row is None else bytes(row[0])

        return await self._store.write(look)

    async def change(self, account: Account, external_id: str, column: str, value: object) -> bool:
        """Set text, deleted, reaction or read_by_us of one message; false when it isn't there."""
        if column not in ("text", "deleted", "reaction", "read_by_us"):
            raise ValueError("this column of a phone can't be changed")
        version = ", version = version + 1" if column in ("text", "deleted") else ""

        def commit(connection: Any) -> bool:
            done = connection.execute(
                f"UPDATE phone SET {column} = ?{version}"  # noqa: S608 - column checked above
                " WHERE account_id = ? AND external_id = ?",
                (value, account.account_id, external_id),
            )
            return bool(done.rowcount)

        return await self._store.write(commit)

    async def phones(self, after_seq: int = 0, limit: int = 5000) -> list[dict[str, Any]]:
        """Return what the clients' phones hold, oldest first: received and said lines."""

        def look(connection: Any) -> list[dict[str, Any]]:
            cursor = connection.execute(
                "SELECT * FROM phone WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, limit)
            )
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        return await self._store.write(look)


def _fresh_id(account: Account) -> str:
    return f"sbx.{account.channel.value}.{secrets.token_hex(10)}"


def _store_line(
    connection: Any,
    account: Account,
    direction: str,
    external_id: str,
    parcel: Parcel,
    at_utc_ms: int,
) -> None:
    connection.execute(
        "INSERT INTO phone(account_id, channel, address, direction, external_id, key, text,"
        " files, at_utc_ms) VALUES (?,?,?,?,?,?,?,?,?)",
        (
            account.account_id,
            account.channel.value,
            parcel.address,
            direction,
            external_id,
            parcel.key,
            parcel.text,
            json.dumps(parcel.files),
            at_utc_ms,
        ),
    )


def _store_media(
    connection: Any,
    account: Account,
    external_id: str,
    n: int,
    name: str,
    media_type: str,
    body: bytes,
) -> MediaRef:
    ref = f"{external_id}.{n}"
    connection.execute("INSERT INTO media VALUES (?,?,?)", (ref, account.account_id, body))
    return MediaRef(ref=ref, name=name, media_type=media_type, size_bytes=len(body))


def _know_client(connection: Any, account: Account, utterance: Utterance) -> None:
    if utterance.chat:
        return
    connection.execute(
        "INSERT INTO clients(account_id, address, id_type, name, language) VALUES (?,?,?,?,?)"
        " ON CONFLICT(account_id, address) DO UPDATE SET name = excluded.name",
        (
            account.account_id,
            utterance.address,
            utterance.id_type,
            utterance.name,
            language_of(utterance.text) or "en",
        ),
    )


def _client_of(connection: Any, account: Account, parcel: Parcel) -> Client:
    row = connection.execute(
        "SELECT id_type, name, language, answers FROM clients WHERE account_id = ? AND address = ?",
        (account.account_id, parcel.address),
    ).fetchone()
    id_type, name, language, answers = row or (parcel.id_type, "", "en", 1)
    return Client(
        account_id=account.account_id,
        id_type=id_type,
        address=parcel.address,
        name=name,
        language=language,
        answers=bool(answers),
    )
