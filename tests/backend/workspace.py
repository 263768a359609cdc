"""A small real workspace for the backend's tests: two employees, clients, accounts, a policy.

It uses the real database, archive and policy; only the clock stands still until it is moved.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import uvicorn
from sqlalchemy import Connection, insert

from backend.api.app import create_app
from backend.api.auth import TokenAuthenticator, token_hash
from backend.directory.points import PointAddress
from backend.directory.signins import SignIns
from backend.governance.policy import publish, read_policy_folder, running_policy
from backend.inbox.events import open_database
from backend.inbox.inbound import record_inbound
from backend.inbox.notifier import Notifier
from backend.inbox.stream_history import history_id_of
from backend.services import BackendSettings, Services
from backend.storage import tables
from backend.storage.blobs import BlobStore
from contract.ids import ConversationId, MessageId, idempotency_key, uuid7
from contract.wire import Channel, IdempotencyClass, SendCapability, SubmitMessage
from tests.backend.sealing import Sealing

FIRM = "firm-test"
ELENA = "emp-elena"
KENTA = "emp-kenta"
AUDITOR = "emp-auditor"
TOKENS = {ELENA: "token-elena", KENTA: "token-kenta", AUDITOR: "token-auditor"}
START_UTC_MS = 1_790_000_000_000
POLICY = running_policy(read_policy_folder(Path(__file__).parents[2] / "resources" / "policy"))
HANA = PointAddress(Channel.WHATSAPP, "phone", "+819000000112")
SOFIA = PointAddress(Channel.SIGNAL, "uuid", "7b0f6c1e-0000-4000-8000-00000000a001")
NATIVE_PRIYA = PointAddress(Channel.IMESSAGE, "phone", "+6580000019")
ACCOUNTS: tuple[tuple[str, Channel, str, IdempotencyClass, int | None], ...] = (
    ("acc-wa", Channel.WHATSAPP, "governed", IdempotencyClass.CLIENT_ECHO, 86_400),
    ("acc-signal", Channel.SIGNAL, "governed", IdempotencyClass.NONE, None),
    ("acc-imessage", Channel.IMESSAGE, "native", IdempotencyClass.NONE, None),
)


@dataclass
class Clock:
    """A clock that moves only when told."""

    at_utc_ms: int = START_UTC_MS

    def __call__(self) -> int:
        """Return the time now, one millisecond later at each look."""
        self.at_utc_ms += 1
        return self.at_utc_ms


@dataclass
class Workspace:
    """The running services with what tests ask of them again and again."""

    services: Services
    clock: Clock
    sealing: Sealing
    typing: list[tuple[str, str, bool]] = field(default_factory=list)

    async def inbound(
        self,
        text: str,
        *,
        account: str = "acc-wa",
        point: PointAddress = HANA,
        external: str = "",
        quote: str | None = None,
    ) -> MessageId:
        """Have a client write to an account; returns once the message is sealed, too."""
        now = self.clock()
        message_id = await self.services.database.write(
            lambda connection: record_inbound(
                connection,
                account_id=account,
                external_message_id=external or f"ext-{now}",
                contact_point=point,
                sender_name="Hana Watanabe" if point is HANA else "Someone",
                text=text,
                occurred_at_utc_ms=now - 5,
                received_at_utc_ms=now,
                quote_external_id=quote,
            )
        )
        await self.sealing.sealed()
        return message_id

    async def conversation_of(self, message_id: MessageId) -> ConversationId:
        """Return the conversation a message is in."""
        found = await self.scalar(
            f"SELECT conversation_id FROM messages WHERE message_id = '{message_id}'"
        )
        return ConversationId(str(found))

    async def scalar(self, sql: str) -> object:
        """Return the one value of a query."""
        return await self.services.database.read(
            lambda connection: connection.exec_driver_sql(sql).scalar()
        )


def draft(text: str, *, clock: Clock | None = None, **fields: object) -> SubmitMessage:
    """Return a submission of a new message."""
    at = clock() if clock else START_UTC_MS
    known: dict[str, object] = {
        "message_id": uuid7(at, os.urandom(10)),
        "revision": 0,
        "text": text,
        "salt": os.urandom(32).hex(),
        "composed_at_utc_ms": at,
    }
    return msgspec.convert(known | fields, SubmitMessage)


async def submit(
    client: httpx.AsyncClient, conversation_id: str, command: SubmitMessage
) -> httpx.Response:
    """Send a submission under its own key."""
    return await client.post(
        f"/v1/conversations/{conversation_id}/messages",
        content=msgspec.json.encode(command),
        headers={"Idempotency-Key": idempotency_key(command.message_id, command.revision)},
    )


def seed(connection: Connection) -> None:
    """Write the firm, its people and its accounts."""
    connection.execute(insert(tables.firms).values(firm_id=FIRM, display_name="Test firm"))
    people = {ELENA: "Elena Marchetti", KENTA: "Kenta Tan", AUDITOR: "Ada Auditor"}
    for employee_id, name in people.items():
        connection.execute(
            insert(tables.employees).values(
                employee_id=employee_id,
                firm_id=FIRM,
                display_name=name,
                initials=name[:1],
                roles='["auditor"]' if employee_id == AUDITOR else '["employee"]',
            )
        )
        connection.execute(
            insert(tables.access_tokens).values(
                token_hash=token_hash(TOKENS[employee_id]), firm_id=FIRM, employee_id=employee_id
            )
        )
    for account_id, channel, mode, idempotency, window_s in ACCOUNTS:
        _seed_account(connection, account_id, channel, mode, idempotency, window_s)


def _seed_account(
    connection: Connection,
    account_id: str,
    channel: Channel,
    mode: str,
    idempotency: IdempotencyClass,
    window_s: int | None,
) -> None:
    capability = SendCapability(
        text_max_chars=4_096,
        attachments=True,
        replies=True,
        typing=True,
        receipts_delivered=True,
        receipts_read=True,
        idempotency=idempotency,
    )
    connection.execute(
        insert(tables.channel_accounts).values(
            account_id=account_id,
            firm_id=FIRM,
            channel=channel,
            mode=mode,
            label=f"label of {account_id}",
            connector="sandbox",
            idempotency=idempotency,
            window_s=window_s,
            send_capability=msgspec.json.encode(capability),
        )
    )
    for employee_id in (ELENA, AUDITOR):
        connection.execute(
            insert(tables.account_members).values(
                account_id=account_id, employee_id=employee_id, firm_id=FIRM
            )
        )


@asynccontextmanager
async def open_workspace(
    folder: Path, key: bytes = b"k" * 32, settings: BackendSettings | None = None
) -> AsyncIterator[Workspace]:
    """Open (and seed, when new) a workspace in `folder`; closes its database at the end."""
    database = open_database(folder / "backend.db", key)
    clock = Clock()
    typing: list[tuple[str, str, bool]] = []
    sealing = Sealing(database, folder / "witness", clock)
    known = await database.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM firms").scalar_one()
    )
    if not known:
        await database.write(seed)
        await database.write(lambda connection: publish(connection, FIRM, POLICY, clock()))
    history_id = await database.write(history_id_of)
    services = Services(
        database=database,
        archive=await sealing.start(),
        blobs=BlobStore(folder / "blobs", key),
        policy=POLICY,
        auth=TokenAuthenticator(database, clock),
        notifier=Notifier(),
        sign_ins=SignIns(database),
        settings=settings
        or BackendSettings(
            workspace="sample", instance_id="test", history_id=history_id, heartbeat_s=0.2
        ),
        now_utc_ms=clock,
        on_typing=lambda conversation, employee, on: typing.append((conversation, employee, on)),
    )
    try:
        yield Workspace(services, clock, sealing, typing)
    finally:
        await sealing.stop()
        await database.close()


@asynccontextmanager
async def client_of(
    workspace: Workspace, employee_id: str | None = ELENA
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the real ASGI application, signed in as an employee."""
    app = create_app(workspace.services)
    headers = {}
    if employee_id is not None:
        headers["Authorization"] = f"Bearer {TOKENS[employee_id]}"
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://backend.test", headers=headers
        ) as client,
    ):
        yield client


@asynccontextmanager
async def served(workspace: Workspace) -> AsyncIterator[str]:
    """Serve the application by uvicorn on a loopback port; yields its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(workspace.services),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=30,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        workspace.services.notifier.close()
        server.should_exit = True
        async with asyncio.timeout(60):
            await task
        listening.close()
