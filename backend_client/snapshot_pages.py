"""Reads the pages of a first sync beside the window's loop, one message after the other.

It never fetches one, and never takes a page of which a part can't be read.

A page decoded in one call would hold the interpreter, and the window with it, until its end.
"""

from __future__ import annotations

import asyncio

import msgspec

from backend_client.calls import decode_reply
from backend_client.errors import Garbled
from backend_client.transport import Reply
from contract.wire import Contact, Conversation, Message, SnapshotPage, Wire

_MESSAGE = msgspec.json.Decoder(Message)


class _RawPage(Wire):
    """A SnapshotPage whose messages are JSON still."""

    seq: int
    next_cursor: str
    total_messages: int
    total_conversations: int
    at_seq: int = 0
    contacts: tuple[Contact, ...] = ()
    conversations: tuple[Conversation, ...] = ()
    messages: tuple[msgspec.Raw, ...] = ()


async def read_page(reply: Reply) -> SnapshotPage:
    """Return the page that a reply holds; raises Garbled."""
    return await asyncio.get_running_loop().run_in_executor(None, _read, reply)


def _read(reply: Reply) -> SnapshotPage:
    raw = decode_reply(reply, _RawPage)
    try:
        messages = [_MESSAGE.decode(each) for each in raw.messages]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        detail = "The backend's answer is not a SnapshotPage."
        raise Garbled(detail, request_id=reply.request_id) from fault
    return SnapshotPage(
        seq=raw.seq,
        next_cursor=raw.next_cursor,
        total_messages=raw.total_messages,
        total_conversations=raw.total_conversations,
        at_seq=raw.at_seq,
        contacts=raw.contacts,
        conversations=raw.conversations,
        messages=tuple(messages),
    )
