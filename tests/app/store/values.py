"""Makes wire values and opens stores for the store's tests.

It never fills a store by another way than its own methods.
"""

from __future__ import annotations

from pathlib import Path

from app.domain.clock import SystemClock
from app.domain.timeline import OutboxEntry
from app.store.store import Store
from contract.events import Event, EventBody
from contract.ids import AccountId, ContactId, ConversationId, MessageId
from contract.states import OutboxState
from contract.wire import (
    ArchiveRef,
    Channel,
    Contact,
    Conversation,
    Direction,
    Message,
    MessageKind,
    Mode,
    SnapshotPage,
)

CACHE_KEY = b"c" * 32
OUTBOX_KEY = b"o" * 32
START_UTC_MS = 1_760_000_000_000
HOME = ConversationId("home")


async def open_at(
    folder: Path, cache_key: bytes = CACHE_KEY, outbox_key: bytes = OUTBOX_KEY
) -> Store:
    """Open the store of a folder."""
    folder.mkdir(exist_ok=True)
    return await Store.open(folder, folder, cache_key, outbox_key, SystemClock())


def conversation(
    conversation_id: str = HOME,
    *,
    version: int = 1,
    activity: int = 0,
    unread: int = 0,
    awaiting: bool = False,
    window: int | None = None,
    channel: Channel = Channel.WHATSAPP,
    contacts: tuple[str, ...] = (),
    title: str = "",
) -> Conversation:
    """Return a conversation."""
    return Conversation(
        conversation_id=ConversationId(conversation_id),
        version=version,
        channel=channel,
        account_id=AccountId("account"),
        title=title or f"Title of {conversation_id}",
        mode=Mode.GOVERNED,
        contact_ids=tuple(ContactId(each) for each in contacts),
        last_activity_utc_ms=activity,
        unread_count=unread,
        awaiting=awaiting,
        window_closes_at_utc_ms=window,
    )


def contact(contact_id: str, name: str, *, version: int = 1, organisation: str = "") -> Contact:
    """Return a contact."""
    return Contact(
        contact_id=ContactId(contact_id),
        version=version,
        display_name=name,
        initials=name[:1],
        organisation=organisation,
    )


def message(
    message_id: str,
    text: str = "",
    *,
    at: int = 0,
    index: int = 0,
    version: int = 1,
    home: str = HOME,
    direction: Direction = Direction.IN,
    archive: ArchiveRef | None = None,
    deleted: bool = False,
) -> Message:
    """Return a message placed `at` milliseconds after the start."""
    return Message(
        message_id=MessageId(message_id),
        conversation_id=ConversationId(home),
        version=version,
        revision=0,
        direction=direction,
        kind=MessageKind.TEXT,
        text=text or f"text of {message_id}",
        author_id="author",
        author_name="Author",
        place_at_utc_ms=START_UTC_MS + at,
        place_index=index,
        occurred_at_utc_ms=START_UTC_MS + at,
        archive=archive,
        deleted=deleted,
    )


def archive_ref(index: int) -> ArchiveRef:
    """Return a place in the archive."""
    return ArchiveRef(
        index=index, entry_id=f"entry{index}", entry_hash="00" * 32, archived_at_utc_ms=START_UTC_MS
    )


def entry(
    message_id: str,
    text: str = "",
    *,
    home: str = HOME,
    state: OutboxState = OutboxState.QUEUED,
    undo_until: int = 0,
    next_attempt: int = 0,
    quote: str | None = None,
) -> OutboxEntry:
    """Return a submission."""
    return OutboxEntry(
        message_id=MessageId(message_id),
        revision=0,
        conversation_id=ConversationId(home),
        text=text or f"sent {message_id}",
        salt="00" * 32,
        state=state,
        composed_at_utc_ms=START_UTC_MS,
        undo_until_utc_ms=undo_until,
        next_attempt_utc_ms=next_attempt,
        quote_message_id=None if quote is None else MessageId(quote),
    )


def event(seq: int, body: EventBody) -> Event:
    """Return one step of the stream."""
    return Event(seq=seq, at_utc_ms=START_UTC_MS, body=body)


def page(
    *,
    seq: int = 1,
    next_cursor: str = "",
    contacts: tuple[Contact, ...] = (),
    conversations: tuple[Conversation, ...] = (),
    messages: tuple[Message, ...] = (),
) -> SnapshotPage:
    """Return one page of a snapshot."""
    return SnapshotPage(
        seq=seq,
        next_cursor=next_cursor,
        total_messages=len(messages),
        total_conversations=len(conversations),
        contacts=contacts,
        conversations=conversations,
        messages=messages,
    )


async def fill(
    store: Store,
    conversations: tuple[Conversation, ...] = (),
    messages: tuple[Message, ...] = (),
    contacts: tuple[Contact, ...] = (),
) -> None:
    """Give a store a whole snapshot at position 1."""
    await store.cache.apply_snapshot_page(
        page(conversations=conversations, messages=messages, contacts=contacts), first=True
    )
