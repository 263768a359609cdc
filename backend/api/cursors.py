"""Owns the text form of paging cursors: opaque to clients, made of keys, never of offsets.

It never grants access: every page is authorised anew.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, TypeVar

import msgspec

from backend.refusals import Refused
from contract.problems import ProblemCode

_Int64 = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
_Key = Annotated[str, msgspec.Meta(max_length=512)]
_MAX_CURSOR_CHARS = 4_096


class ContactCursor(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """After the contact of this name and id."""

    name: _Key
    contact_id: _Key


class ConversationCursor(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """After the conversation of this activity and id."""

    activity_utc_ms: _Int64
    conversation_id: _Key


class MessageCursor(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """Before the message at this place."""

    place_at_utc_ms: _Int64
    place_index: _Int64


class SnapshotCursor(msgspec.Struct, frozen=True, array_like=True, tag="s2"):
    """Inside a snapshot begun at `seq` with these totals: in a stage, after that stage's key.

    The tag changes with the order of the stages, so that no cursor of another order is followed.
    """

    seq: _Int64
    totals: tuple[_Int64, _Int64]
    stage: Annotated[str, msgspec.Meta(pattern="^(contacts|conversations|messages)$")]
    text_key: tuple[_Key, _Key] | None = None
    activity_key: tuple[_Int64, _Key] | None = None
    place_key: tuple[_Int64, _Int64] | None = None


class QueueCursor(msgspec.Struct, frozen=True, array_like=True, tag="q"):
    """After the item of a supervisor's or reviewer's queue with this time and id."""

    at_utc_ms: _Int64
    item_id: _Key


class SearchCursor(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """Below this row of the search index."""

    below_row: _Int64


Cursor = (
    ContactCursor | ConversationCursor | MessageCursor | SnapshotCursor | QueueCursor | SearchCursor
)
C = TypeVar(
    "C",
    ContactCursor,
    ConversationCursor,
    MessageCursor,
    SnapshotCursor,
    QueueCursor,
    SearchCursor,
)


def encode_cursor(cursor: Cursor) -> str:
    """Return the opaque text of a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def decode_cursor(text: str, kind: type[C]) -> C | None:
    """Return the cursor, None for an empty text; raises Refused for anything not made here."""
    if not text:
        return None
    try:
        if len(text) > _MAX_CURSOR_CHARS:
            raise ValueError("too long")
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise Refused(
            ProblemCode.BAD_REQUEST, "The cursor can't be read: begin again without one."
        ) from error
