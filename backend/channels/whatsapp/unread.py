"""Owns what is still read of a change of which a part has an unknown shape.

It never drops a message for its neighbour's sake, and never guesses what one says.
"""

from __future__ import annotations

import typing
from typing import Any, NamedTuple

import msgspec

from backend.channels.whatsapp import wire

_LISTS = {
    field.encode_name: (field.name, typing.get_args(field.type)[0])
    for field in msgspec.structs.fields(wire.Value)
    if typing.get_origin(field.type) is list
}


class BareMessage(msgspec.Struct):
    """A message without what it says; `timestamp` in seconds."""

    id: str
    timestamp: str = ""
    sender: str = msgspec.field(default="", name="from")
    from_user_id: str = ""
    group_id: str = ""


class Readable(NamedTuple):
    """What of a change can be read, and whose messages can't."""

    value: wire.Value
    unread: tuple[BareMessage, ...] = ()
    lost: int = 0


def readable(raw: msgspec.Raw) -> Readable:
    """Return a change's readable parts; `lost` counts what tells not even whose it was.

    Raises msgspec.DecodeError where it does not tell which number it is about.
    """
    parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    value = wire.Value(
        metadata=msgspec.json.decode(parts.get("metadata", b"{}"), type=wire.Metadata)
    )
    unread: list[BareMessage] = []
    lost = 0
    for encoded, (name, kind) in _LISTS.items():
        known: list[Any] = []
        for each in _items(parts.get(encoded)):
            read = _decoded(each, kind)
            if read is not None:
                known.append(read)
                continue
            bare = _decoded(each, BareMessage) if kind is wire.Message else None
            lost += bare is None
            unread += [bare] if bare is not None else []
        setattr(value, name, known)
    return Readable(value, tuple(unread), lost)


def _items(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    if raw is None:
        return []
    return _decoded(raw, list[msgspec.Raw]) or []


def _decoded(raw: msgspec.Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, ValueError):
        return None
