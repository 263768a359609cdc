"""Owns the reading of a transaction event by event where one of them has a field of a strange form.

It never lets one such event, which anybody on any server may send, hide the others or itself.
"""

from __future__ import annotations

import msgspec

from backend.channels.matrix import wire
from backend.channels.matrix.nesting import without_depths

_FIELDS = {field.encode_name: field for field in msgspec.structs.fields(wire.Event)}


class _Apart(msgspec.Struct):
    events: list[msgspec.Raw]
    ephemeral: list[msgspec.Raw] = []


def read_transaction(raw: bytes) -> wire.Transaction:
    """Return what was pushed; raises msgspec.DecodeError for what is no transaction.

    An event that nobody can read to its depths has empty insides then, one with a field of a
    strange form lacks that field.
    """
    try:
        return msgspec.json.decode(raw, type=wire.Transaction)
    except RecursionError:
        raw = without_depths(raw)
    except msgspec.ValidationError:
        pass
    parts = msgspec.json.decode(raw, type=_Apart)
    return wire.Transaction(
        events=[_event(each) for each in parts.events],
        ephemeral=[_event(each) for each in parts.ephemeral],
    )


def _event(raw: msgspec.Raw) -> wire.Event:
    try:
        return msgspec.json.decode(raw, type=wire.Event)
    except msgspec.ValidationError:
        pass
    event = wire.Event()
    try:
        parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return event  # no event at all: without a sender it tells nothing
    for name, part in parts.items():
        if (field := _FIELDS.get(name)) is not None:
            try:
                setattr(event, field.name, msgspec.json.decode(part, type=field.type))
            except msgspec.ValidationError:
                continue
    return event
