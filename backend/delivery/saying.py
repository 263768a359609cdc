"""Owns the lines that a conversation is told beside its messages: what happened, what is missing.

It never speaks to the client: such a line stands in the inbox and in the archive alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from backend.channels import events
from backend.channels.contract import Account
from backend.delivery.chats import chat_of, find_chat
from backend.inbox.history import record_history
from contract.names import file_name
from contract.wire import Direction, MessageKind, Origin

FILE_GONE = "a file that could not be fetched"
_GONE = "A file could not be fetched and is not in the archive: {names}. Ask for it once more."
_AWAITED = (
    "A message with a file came in, and the channel does not give the file yet. "
    "It is asked for again until it comes."
)
_MOST_NAMED = 10


def say(
    connection: Connection,
    account: Account,
    event: events.InboundEvent,
    text: str,
    at_utc_ms: int,
    about: str = "",
) -> None:
    """Write a line into the event's conversation, once for the event or for what it is `about`."""
    _, conversation_id = chat_of(connection, account, event, at_utc_ms)
    record_history(
        connection,
        conversation_id=conversation_id,
        direction=Direction.SYSTEM,
        author_id="system",
        author_name="",
        text=text,
        at_utc_ms=at_utc_ms,
        now_utc_ms=at_utc_ms,
        external_id=f"system:{about or event.dedupe_key}",
        origin=Origin.LIVE,
        kind=MessageKind.SYSTEM,
    )


def say_files_gone(
    connection: Connection,
    account: Account,
    event: events.InboundEvent,
    names: Sequence[str],
    at_utc_ms: int,
) -> None:
    """Write which files of a message the channel did not give, so that nobody waits for them."""
    named = ", ".join(file_name(name) for name in names[:_MOST_NAMED])
    about = f"gone:{event.dedupe_key}"
    say(connection, account, event, _GONE.format(names=named), at_utc_ms, about)


def say_file_awaited(
    connection: Connection, account: Account, event: events.InboundEvent, at_utc_ms: int
) -> None:
    """Write that a message waits for its file, and its words; a chat nobody knows is told none."""
    if find_chat(connection, account, event) is None:
        return
    words = getattr(event, "text", "")
    text = f"{_AWAITED} It says: {words}" if words else _AWAITED
    say(connection, account, event, text, at_utc_ms, f"awaited:{event.dedupe_key}")
