"""Lets clients write into a stopped backend's data set, as a hundred thousand events.

It never serves them: the backend that is started next does.

Each message makes the three events it makes in life: its conversation, the message, and the
message again once it was sealed.
"""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from backend.archive.entries import archive_size
from backend.inbox.positions import note_positions
from backend.inbox.rendering import read_conversation
from backend.sample_workspace import open_sample
from backend.storage import tables
from backend.storage.database import Database
from backend.workspace import DATABASE_FILE
from contract.events import ConversationUpserted, EventBody, MessageUpserted
from contract.ids import ConversationId, MessageId, uuid7
from contract.wire import ArchiveRef, Conversation, Direction, Message, MessageKind, Preview
from tests.benchmarks.backend_dataset import add_messages, grow_log
from tests.benchmarks.dataset_rows import EMPLOYEE_ID
from tests.benchmarks.dataset_texts import message_text
from tests.benchmarks.measuring import SEED
from tests.support.served_backend import KEY

EVENTS_PER_MESSAGE = 3
_BUSY_CONVERSATIONS = 2_000
_LANGUAGES = ("en",) * 9 + ("de", "fr", "ja", "zh")


def add_backlog(data_dir: Path, events: int) -> int:
    """Add so many events to the employee's stream; returns the position of the last one."""
    workspace = open_sample(data_dir, KEY)
    workspace.database.close_now()
    workspace.lock.close()
    database = Database.open(data_dir / DATABASE_FILE, KEY)
    try:
        newest = database.write_now(lambda c: _Backlog(c, events // EVENTS_PER_MESSAGE).write())
        grow_log(database, workspace.signer)
    finally:
        database.close_now()
    return newest


class _Backlog:
    """One transaction's worth of messages and their events."""

    def __init__(self, connection: Connection, messages: int) -> None:
        self._connection = connection
        self._count = messages
        self._chance = random.Random(SEED)
        self._chats = self._busy_chats()
        self._places = {chat.conversation_id: at for at, chat in enumerate(self._chats)}
        columns = tables.conversations.c
        self._at_utc_ms = int(
            connection.execute(select(func.max(columns.last_activity_utc_ms))).scalar_one()
        )

    def write(self) -> int:
        """Write rows and events; returns the newest position."""
        first = archive_size(self._connection)
        messages = [self._message(first + number) for number in range(self._count)]
        add_messages(self._connection, messages)
        bodies: list[EventBody] = []
        for message in messages:
            bodies.append(ConversationUpserted(conversation=self._move_on(message)))
            before = msgspec.structs.replace(message, version=1, archive=None)
            bodies += [MessageUpserted(message=before), MessageUpserted(message=message)]
        self._settle_chats()
        return self._append(bodies)

    def _busy_chats(self) -> list[Conversation]:
        columns = tables.conversations.c
        ids = self._connection.execute(
            select(columns.conversation_id)
            .where(columns.conversation_id.like("bench-%"))
            .order_by(columns.last_activity_utc_ms.desc())
            .limit(_BUSY_CONVERSATIONS)
        ).scalars()
        found = [read_conversation(self._connection, EMPLOYEE_ID, each) for each in ids.all()]
        return [each for each in found if each is not None]

    def _message(self, sequence: int) -> Message:
        chance = self._chance
        home = chance.choice(self._chats)
        self._at_utc_ms += 1_000
        author = home.contact_ids[0]
        return Message(
            message_id=MessageId(uuid7(self._at_utc_ms, chance.randbytes(10))),
            conversation_id=home.conversation_id,
            version=2,
            revision=0,
            direction=Direction.IN,
            kind=MessageKind.TEXT,
            text=message_text(chance, chance.choice(_LANGUAGES)),
            author_id=author,
            author_name=home.title,
            place_at_utc_ms=self._at_utc_ms,
            place_index=sequence,
            occurred_at_utc_ms=self._at_utc_ms,
            archive=ArchiveRef(
                index=sequence,
                entry_id=uuid7(self._at_utc_ms, chance.randbytes(10)),
                entry_hash=chance.randbytes(32).hex(),
                archived_at_utc_ms=self._at_utc_ms,
            ),
        )

    def _move_on(self, message: Message) -> Conversation:
        place = self._places[message.conversation_id]
        before = self._chats[place]
        self._chats[place] = msgspec.structs.replace(
            before,
            version=before.version + 1,
            last_activity_utc_ms=message.place_at_utc_ms,
            unread_count=before.unread_count + 1,
            awaiting=True,
            message_count=before.message_count + 1,
            archived_count=before.archived_count + 1,
            preview=Preview(
                message_id=message.message_id,
                direction=message.direction,
                text=message.text,
                at_utc_ms=message.place_at_utc_ms,
                author_name=message.author_name,
            ),
        )
        return self._chats[place]

    def _settle_chats(self) -> None:
        for chat in self._chats:
            preview = chat.preview
            assert preview is not None
            self._connection.execute(
                update(tables.conversations)
                .where(tables.conversations.c.conversation_id == chat.conversation_id)
                .values(
                    version=chat.version,
                    last_activity_utc_ms=chat.last_activity_utc_ms,
                    preview_message_id=preview.message_id,
                    awaiting=chat.awaiting,
                    message_count=chat.message_count,
                    archived_count=chat.archived_count,
                )
            )
            members = tables.conversation_members.c
            self._connection.execute(
                update(tables.conversation_members)
                .where(members.conversation_id == chat.conversation_id)
                .values(unread_count=chat.unread_count)
            )

    def _append(self, bodies: list[EventBody]) -> int:
        counter = tables.event_counters
        row = self._connection.execute(
            select(counter.c.seq, counter.c.firm_id).where(counter.c.employee_id == EMPLOYEE_ID)
        ).one()
        first, firm = int(row.seq) + 1, str(row.firm_id)
        encoder = msgspec.json.Encoder()
        self._connection.execute(
            insert(tables.events),
            [
                {
                    "employee_id": EMPLOYEE_ID,
                    "firm_id": firm,
                    "seq": first + number,
                    "at_utc_ms": self._at_utc_ms,
                    "body": encoder.encode(body),
                }
                for number, body in enumerate(bodies)
            ],
        )
        newest = first + len(bodies) - 1
        self._connection.execute(
            update(counter).where(counter.c.employee_id == EMPLOYEE_ID).values(seq=newest)
        )
        homes: dict[str, int] = {}
        for number, body in enumerate(bodies):
            if isinstance(body, MessageUpserted):
                homes[ConversationId(body.message.conversation_id)] = first + number
        note_positions(self._connection, EMPLOYEE_ID, firm, homes)
        return newest
