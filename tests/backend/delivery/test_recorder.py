"""A webhook with several messages gives each of them its own files and its own vendor's words.

It never starts a backend.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

import msgspec
from sqlalchemy import Connection, func, select

from backend.channels import events, faults
from backend.channels.contract import Account, Inbound, Polled, RawItem
from backend.delivery.accounts import governed_accounts
from backend.delivery.files import DeliveryFiles
from backend.delivery.message_refs import keep_refs, read_refs
from backend.delivery.pump import store_raw
from backend.delivery.recorder import InboundRecorder
from backend.storage.tables import archive_entries, attachments, inbound_raw, messages
from contract.ids import AccountId
from tests.backend.workspace import Workspace
from tests.support.log_guard import LogGuard

ADA = events.Sender(id_type="phone", address="+10000000001", name="Ada")
WHATSAPP = AccountId("acc-wa")


def said(number: int) -> events.MessageIn:
    """Return a message with one file, and a word of the vendor's on it."""
    file = events.MediaRef(
        ref=f"file-{number}", name=f"{number}.txt", media_type="text/plain", size_bytes=1
    )
    return events.MessageIn(
        dedupe_key=f"d{number}",
        at_utc_ms=1_749_416_383_000 + number,
        sender=ADA,
        external_id=f"x{number}",
        text=f"text {number}",
        attachments=(file,),
        refs={"quote_token": f"token {number}"},
    )


class TwoInOne:
    """A vendor whose one webhook holds two messages."""

    def verify(self, account: Account, item: RawItem) -> bool:
        return True

    def parse(self, account: Account, raw: bytes) -> tuple[events.InboundEvent, ...]:
        return (said(1), said(2))

    async def poll(self, account: Account, cursor: str) -> Polled:
        return Polled(items=(), cursor=cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        return ref.encode()


@contextlib.asynccontextmanager
async def recording(
    workspace: Workspace, vendor: Inbound, now: Callable[[], int]
) -> AsyncIterator[InboundRecorder]:
    """Run a recorder whose accounts are all at one vendor."""
    recorder = InboundRecorder(
        workspace.services.database,
        {"sandbox": vendor},
        DeliveryFiles(workspace.services.database, workspace.services.blobs).put,
        workspace.services.notifier.publish_passing,
        lambda text, channel: None,
        now=now,
    )
    running = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def arrives(workspace: Workspace, key: str, body: bytes = b"{}") -> None:
    """Commit a raw item of the WhatsApp account."""
    database = workspace.services.database
    accounts = await database.read(governed_accounts)
    account = next(each for each in accounts if each.account_id == WHATSAPP)
    raw = [RawItem(dedupe_key=key, body=body)]
    await database.write(lambda c: store_raw(c, account, raw, None, workspace.clock()))


async def test_each_message_of_a_webhook_has_its_own_file(workspace: Workspace) -> None:
    database = workspace.services.database
    await arrives(workspace, "hook-1")
    async with recording(workspace, TwoInOne(), workspace.clock), asyncio.timeout(60):
        while len(found := await database.read(_files_by_text)) < 2:
            await asyncio.sleep(0.01)
    assert found == {"text 1": "1.txt", "text 2": "2.txt"}
    assert await database.read(lambda c: read_refs(c, WHATSAPP, "x2")) == {"quote_token": "token 2"}


class Away(TwoInOne):
    """A vendor that gives no file for now; what needs none is read."""

    def __init__(self) -> None:
        self.asked = 0

    def parse(self, account: Account, raw: bytes) -> tuple[events.InboundEvent, ...]:
        if raw == b"plain":
            return ()
        return super().parse(account, raw)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        self.asked += 1
        raise faults.Retryable("Away.")


async def test_a_file_that_is_not_given_is_asked_for_less_often_whatever_is_committed(
    workspace: Workspace,
) -> None:
    vendor, at_utc_ms = Away(), workspace.clock()
    async with recording(workspace, vendor, lambda: at_utc_ms) as recorder, asyncio.timeout(60):

        async def others_arrive(name: str) -> None:
            for n in range(5):
                await arrives(workspace, f"{name}-{n}", body=b"plain")
                recorder.wake()
                while await workspace.services.database.read(_unread) > 1:
                    await asyncio.sleep(0.005)

        await arrives(workspace, "hook")
        for times, rest_ms in ((1, 500), (2, 1_000), (3, 2_000)):
            recorder.wake()
            while vendor.asked < times:
                await asyncio.sleep(0.005)
            await others_arrive(f"at once {times}")
            at_utc_ms += rest_ms - 1
            await others_arrive(f"before {times}")
            assert vendor.asked == times, "not once for each commit"
            at_utc_ms += 1


async def test_words_whose_file_is_not_given_for_long_are_told_once(workspace: Workspace) -> None:
    await arrives(workspace, "hook-0")
    async with recording(workspace, TwoInOne(), workspace.clock), asyncio.timeout(60):
        while await workspace.services.database.read(_unread):
            await asyncio.sleep(0.01)

    class Later(Away):
        def parse(self, account: Account, raw: bytes) -> tuple[events.InboundEvent, ...]:
            return (msgspec.structs.replace(said(3), at_utc_ms=1_795_000_000_000),)

    vendor, told = Later(), "SELECT count(*) FROM messages WHERE text LIKE '%It says: text 3'"
    await arrives(workspace, "hook-1")
    workspace.clock.at_utc_ms += 11 * 60_000
    for _ in range(2):
        async with recording(workspace, vendor, workspace.clock), asyncio.timeout(60):
            asked = vendor.asked
            while vendor.asked == asked or not await workspace.scalar(told):
                await asyncio.sleep(0.01)
    assert await workspace.scalar(told) == 1
    async with recording(workspace, TwoInOne(), workspace.clock), asyncio.timeout(60):
        while await workspace.services.database.read(_unread):
            await asyncio.sleep(0.01)


class Gone(TwoInOne):
    """A vendor that no longer has the first message's file, and a client who sent it alone."""

    def parse(self, account: Account, raw: bytes) -> tuple[events.InboundEvent, ...]:
        first, second = (
            msgspec.structs.replace(said(n), at_utc_ms=1_795_000_000_000) for n in (1, 2)
        )
        return (msgspec.structs.replace(first, text=""), second)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        if ref == "file-1":
            raise faults.ContentInvalid("Gone.")
        return ref.encode()


async def test_a_file_that_is_gone_is_told_in_the_conversation(
    workspace: Workspace, expect_log: LogGuard
) -> None:
    expect_log("a client's file is gone")
    database = workspace.services.database
    await arrives(workspace, "hook-1")
    async with recording(workspace, Gone(), workspace.clock), asyncio.timeout(60):
        while await database.read(_unread):
            await asyncio.sleep(0.01)
    kind = "SELECT kind FROM messages WHERE external_id = 'x1'"
    assert await workspace.scalar(kind) == "unsupported", "never an empty bubble"
    lines = "SELECT text FROM messages WHERE kind = 'system' AND text LIKE '%could not be fetched%'"
    assert "1.txt" in str(await workspace.scalar(lines))
    assert await database.read(_files_by_text) == {"text 2": "2.txt"}


class TooDeep(TwoInOne):
    """A vendor whose first webhook nobody can read to its depths."""

    def parse(self, account: Account, raw: bytes) -> tuple[events.InboundEvent, ...]:
        if raw == b"deep":
            raise RecursionError
        return (said(1), said(2))


async def test_what_is_nested_too_deeply_is_archived_as_unread_and_sticks_nowhere(
    workspace: Workspace,
) -> None:
    database = workspace.services.database
    await arrives(workspace, "hook-1", body=b"deep")
    await arrives(workspace, "hook-2")
    async with (
        recording(workspace, TooDeep(), workspace.clock) as recorder,
        asyncio.timeout(60),
    ):
        while await database.read(_unread):
            await asyncio.sleep(0.01)
        assert recorder.stuck == 0
    assert len(await database.read(_files_by_text)) == 2
    kinds = select(archive_entries.c.kind).where(archive_entries.c.kind == "unmatched")
    assert len(await database.read(lambda c: c.execute(kinds).all())) == 1


async def test_a_vendors_words_on_a_message_are_replaced_and_never_empty(
    workspace: Workspace,
) -> None:
    database = workspace.services.database

    async def keep(refs: Mapping[str, str]) -> dict[str, str]:
        await database.write(lambda c: keep_refs(c, WHATSAPP, "x", refs))
        return await database.read(lambda c: read_refs(c, WHATSAPP, "x"))

    assert await keep({"a": "1", "b": ""}) == {"a": "1"}
    assert await keep({"c": "2"}) == {"c": "2"}
    assert await keep({}) == {"c": "2"}


def _files_by_text(connection: Connection) -> dict[str, str]:
    query = select(messages.c.text, attachments.c.name).join(
        attachments, attachments.c.message_id == messages.c.message_id
    )
    return {row.text: row.name for row in connection.execute(query)}


def _unread(connection: Connection) -> int:
    raw = inbound_raw.c
    unread = select(func.count()).where(raw.account_id == WHATSAPP, raw.parsed.is_(False))
    return connection.execute(unread).scalar_one()
