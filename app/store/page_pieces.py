"""Cuts what the backend answers into pieces that each make one short commit.

It never applies anything; pieces come newest first, so that row ids fall from piece to piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from contract.wire import Contact, Conversation, Message, SnapshotPage

T = TypeVar("T")

# What is written within some 20 ms, its row in the full-text index included.
MESSAGES_PER_COMMIT = 400
# History nobody waits for: in larger commits each message costs half (the index, its pages).
HISTORY_PER_COMMIT = 2_000
PEOPLE_PER_COMMIT = 250


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a page; the last one is committed with what the page says of all."""

    contacts: Sequence[Contact] = ()
    conversations: Sequence[Conversation] = ()
    messages: Sequence[Message] = ()
    is_last: bool = False


def pieces_of(page: SnapshotPage) -> Iterator[Piece]:
    """Yield one or more pieces: conversations first, then contacts, then messages."""
    pieces = [
        *(Piece(conversations=part) for part in cut(page.conversations, PEOPLE_PER_COMMIT)),
        *(Piece(contacts=part) for part in cut(page.contacts, PEOPLE_PER_COMMIT)),
        *(Piece(messages=part) for part in cut(page.messages, HISTORY_PER_COMMIT)),
    ]
    last = replace(pieces.pop(), is_last=True) if pieces else Piece(is_last=True)
    yield from pieces
    yield last


def cut(rows: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Yield rows in their order, at most so many at a time."""
    for start in range(0, len(rows), most):
        yield rows[start : start + most]
