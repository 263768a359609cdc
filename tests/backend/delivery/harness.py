"""A whole embedded backend in this process, without its HTTP face.

It never replaces a part: database, archive, sandbox, worker and pump are the real ones.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from backend.archive.entries import entries_of_message
from backend.channels.sandbox.peer import SandboxPeer
from backend.directory.people import read_me
from backend.inbox.idempotency import CommandKey
from backend.inbox.submission import Submission, submit
from backend.runtime import Runtime, RuntimeOptions
from backend.sample_side import SampleOptions, SampleSide
from backend.sample_workspace import open_sample
from backend.services import system_clock_utc_ms
from backend.storage.tables import contacts, conversation_contacts, conversations, messages
from backend.workspace import DATABASE_FILE
from contract.ids import ConversationId, MessageId, idempotency_key
from contract.states import DeliveryState
from tests.support.submissions import new_command

KEY = bytes(range(32))
PATIENCE_S = 60.0
T = TypeVar("T")


class House:
    """One running backend with what tests ask of it."""

    def __init__(self, runtime: Runtime, side: SampleSide) -> None:
        self.runtime = runtime
        self.sandbox = side.sandbox

    @property
    def peer(self) -> SandboxPeer:
        """Return the sandbox vendor."""
        return self.sandbox.peer

    async def read(self, look: Callable[[Connection], T]) -> T:
        """Read from the database."""
        return await self.runtime.workspace.database.read(look)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Write to the database."""
        return await self.runtime.workspace.database.write(work)

    async def chat(self, contact_id: str, channel: str) -> ConversationId:
        """Return the conversation with a contact on a channel."""
        query = (
            select(conversations.c.conversation_id)
            .join(
                conversation_contacts,
                conversation_contacts.c.conversation_id == conversations.c.conversation_id,
            )
            .join(contacts, contacts.c.contact_id == conversation_contacts.c.contact_id)
            .where(contacts.c.contact_id == contact_id, conversations.c.channel == channel)
        )
        return ConversationId(await self.read(lambda c: c.execute(query).scalars().first() or ""))

    async def submit(self, conversation_id: str, text: str) -> MessageId:
        """Submit a message as the app would; asserts that it was archived."""
        now_utc_ms = system_clock_utc_ms()
        command = new_command(text)
        message_id = command.message_id
        key = CommandKey.of(idempotency_key(message_id, 0), conversation_id, text.encode())
        policy = self.runtime.workspace.policy

        def work(connection: Connection) -> int:
            me = read_me(connection, "emp-em")
            assert me is not None
            submission = Submission(conversation_id, command, key)
            return submit(connection, policy, me, submission, now_utc_ms).status

        assert await self.write(work) in (201, 202)
        return message_id

    async def row(self, message_id: str) -> Any:
        """Return the message's stored row."""
        query = select(messages).where(messages.c.message_id == message_id)
        return await self.read(lambda c: c.execute(query).one())

    async def until_state(self, message_id: str, *states: DeliveryState) -> Any:
        """Wait until the message is in one of the states; returns its row."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            row = await self.row(message_id)
            if row.state in states:
                return row
            assert time.monotonic() < deadline_s, f"still {row.state}: {row.state_detail}"
            await asyncio.sleep(0.01)

    async def until_sealed(self, message_id: str) -> None:
        """Wait until the quorum of witnesses has cosigned a checkpoint over the message."""
        await self.until(lambda c: all(one.sealed for one in entries_of_message(c, message_id)))

    async def until(self, look: Callable[[Connection], T]) -> T:
        """Wait until a query gives something true; returns it."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not (found := await self.read(look)):
            assert time.monotonic() < deadline_s, "it never came"
            await asyncio.sleep(0.01)
        return found

    async def received(self) -> list[str]:
        """Return the texts the clients' phones received, oldest first."""
        return [row["text"] for row in await self.peer.phones() if row["direction"] == "received"]

    async def happens(self, account_id: str, event: dict[str, Any]) -> None:
        """Put an event into an account's queue at the vendor."""
        account = self.sandbox.accounts[account_id]  # type: ignore[index]  # a plain id
        await self.peer.do(account, json.dumps(event).encode())


@functools.cache
def _seeded_folder() -> Path:
    """Fill one workspace for all tests of this process: copying it is much faster."""
    folder = Path(tempfile.mkdtemp(prefix="parley-seeded-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    workspace = open_sample(folder, KEY)
    workspace.database.close_now()
    workspace.lock.close()
    return folder


@contextlib.asynccontextmanager
async def house(
    data_dir: Path, *, pace: float = 0.0, answers: bool = False
) -> AsyncIterator[House]:
    """Start a backend in `data_dir`, filled with the sample when new, and stop it again."""
    if not (data_dir / DATABASE_FILE).exists():
        shutil.copytree(_seeded_folder(), data_dir, dirs_exist_ok=True)
    side = SampleSide(
        SampleOptions(data_dir=data_dir, database_key=KEY, pace=pace, answers=answers)
    )
    runtime = Runtime(RuntimeOptions(data_dir=data_dir, database_key=KEY), side)
    try:
        await runtime.start()
        yield House(runtime, side)
    finally:
        await runtime.stop()
