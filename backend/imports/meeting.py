"""Owns which known message a WhatsApp export's media is: it is told with its file, or without.

It never lets two messages of one export meet in one, and never writes.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from itertools import count
from typing import NamedTuple

from sqlalchemy import Connection, select

from backend.imports.wording import told_of
from backend.storage.tables import attachments, messages
from contract.imports.identity import (
    is_media,
    media_identity,
    message_identities,
    named_identity,
    normalised,
    second_of,
)
from contract.imports.model import ImportedChat
from contract.names import file_name

_AT_ONCE = 500
# An iPhone begins a file's name with its number in that export: the next export counts anew.
_NUMBER_IN_EXPORT = re.compile(r"^\d{8}-")
_MORE = 64
_Place = tuple[str, str]
_Key = str | tuple[str | bool, bool]


class _Told(NamedTuple):
    """What an export, or the archive, tells of one media message; `at` is its place there."""

    at: int
    names: frozenset[str]
    caption: str


def met_identities(connection: Connection, account_id: str, chat: ImportedChat) -> tuple[str, ...]:
    """Return each message's identity, media with that of the known message they are.

    Media of one sender and second are told apart by the file's name, then by their words, then by
    their order. A file with another name, or other words, is another message.
    """
    identities = list(message_identities(chat))
    groups: defaultdict[_Place, list[int]] = defaultdict(list)
    for at, message in enumerate(chat.messages):
        if is_media(chat, message):
            groups[message.sender, second_of(message)].append(at)
    if not groups or not account_id:
        return tuple(identities)
    earlier = _named_before(chat, groups)
    slots = {
        place: [media_identity(chat, chat.messages[group[0]], n) for n in range(len(group))]
        for place, group in groups.items()
    }
    known = _known(connection, account_id, {*earlier.values(), *_flat(slots.values())})
    began = second_of(chat.messages[0])
    for place, group in groups.items():
        here = _beyond(connection, account_id, chat, group[0], slots[place], known)
        left = []
        for at in group:
            if earlier.get(at) in known:
                identities[at] = earlier[at]
            else:
                left.append(_told_by(chat, at))
        free = (n for n in count() if n not in here)
        met = _paired(left, list(here.values()), from_end=place[1] == began)
        for member in left:
            ordinal = met[member.at] if member.at in met else next(free)
            identities[member.at] = media_identity(chat, chat.messages[member.at], ordinal)
    return tuple(identities)


def _named_before(chat: ImportedChat, groups: dict[_Place, list[int]]) -> dict[int, str]:
    """Return the identities by which earlier versions knew the messages that name files."""
    found = {}
    for group in groups.values():
        seen: Counter[tuple[str, tuple[str, ...]]] = Counter()
        for at in group:
            message = chat.messages[at]
            if message.files:
                said = normalised(message.text), message.files
                found[at] = named_identity(chat, message, seen[said])
                seen[said] += 1
    return found


def _beyond(
    connection: Connection,
    account_id: str,
    chat: ImportedChat,
    at: int,
    slots: Sequence[str],
    known: dict[str, _Told],
) -> dict[int, _Told]:
    """Return the known media of a group by ordinal, those too that this export does not reach."""
    here = {n: known[each]._replace(at=n) for n, each in enumerate(slots) if each in known}
    start = len(slots)
    while start - 1 in here:
        more = [media_identity(chat, chat.messages[at], start + n) for n in range(_MORE)]
        found = _known(connection, account_id, more)
        here |= {
            start + n: found[each]._replace(at=start + n)
            for n, each in enumerate(more)
            if each in found
        }
        start += _MORE
    return here


def _paired(members: list[_Told], slots: list[_Told], *, from_end: bool) -> dict[int, int]:
    """Return the ordinal of the known message that each member is; those that are new have none.

    `from_end` where an export begins within the second: it may hold the last ones alone.
    """
    met: dict[int, int] = {}
    taken: set[int] = set()
    turn = -1 if from_end else 1
    for offered, wanted in (_BY_NAME, _BY_WORDS, _BY_ORDER):
        free: defaultdict[_Key, deque[int]] = defaultdict(deque)
        for slot in slots[::turn]:
            for key in offered(slot):
                free[key].append(slot.at)
        for member in members[::turn]:
            if member.at in met:
                continue
            heads = [at for key in wanted(member) for at in _first(free[key], taken)]
            if heads:
                met[member.at] = max(heads) if from_end else min(heads)
                taken.add(met[member.at])
    return met


def _first(queue: deque[int], taken: set[int]) -> tuple[int, ...]:
    """Return the first ordinal of a queue that is free, or nothing."""
    while queue and queue[0] in taken:
        queue.popleft()
    return (queue[0],) if queue else ()


def _names_told(told: _Told) -> Iterable[_Key]:
    return told.names


def _words_of_slot(slot: _Told) -> Iterable[_Key]:
    return [(slot.caption, bool(slot.names))] if slot.caption else []


def _words_of_member(member: _Told) -> Iterable[_Key]:
    named = (False,) if member.names else (False, True)
    return [(member.caption, each) for each in named] if member.caption else []


def _left_out_of_slot(slot: _Told) -> Iterable[_Key]:
    return [(bool(slot.caption), bool(slot.names))]


def _left_out_of_member(member: _Told) -> Iterable[_Key]:
    """Return what a slot may tell besides: name or words which the other does not tell."""
    worded = (False,) if member.caption else (False, True)
    named = (False,) if member.names else (False, True)
    return [(caption, name) for caption in worded for name in named]


_BY_NAME = (_names_told, _names_told)
_BY_WORDS = (_words_of_slot, _words_of_member)
_BY_ORDER = (_left_out_of_slot, _left_out_of_member)


def _told_by(chat: ImportedChat, at: int) -> _Told:
    message = chat.messages[at]
    return _Told(at, _lasting(message.files), normalised(message.text))


def _known(connection: Connection, account_id: str, identities: Iterable[str]) -> dict[str, _Told]:
    """Return what the archive shows of the messages with these identities."""
    wanted, found = sorted(identities), {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(
            select(messages.c.external_id, messages.c.message_id, messages.c.text).where(
                messages.c.account_id == account_id,
                messages.c.external_id.in_(wanted[start : start + _AT_ONCE]),
            )
        ).all()
        names = _names_of(connection, [row.message_id for row in rows])
        for row in rows:
            caption, named = told_of(row.text)
            held = _lasting((*named, *names.get(row.message_id, ())))
            found[row.external_id] = _Told(0, held, normalised(caption))
    return found


def _names_of(connection: Connection, message_ids: Sequence[str]) -> dict[str, list[str]]:
    columns = attachments.c
    names: defaultdict[str, list[str]] = defaultdict(list)
    query = select(columns.message_id, columns.name).where(columns.message_id.in_(message_ids))
    for row in connection.execute(query):
        names[row.message_id].append(row.name)
    return names


def _lasting(names: Iterable[str]) -> frozenset[str]:
    """Return files' names as every export of the chat writes them."""
    return frozenset(_NUMBER_IN_EXPORT.sub("", file_name(name)) for name in names)


def _flat(lists: Iterable[Sequence[str]]) -> Iterable[str]:
    return (each for listed in lists for each in listed)
