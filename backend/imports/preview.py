"""Owns the figures of an import: what would come in, what is here already.

It never writes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, select

from backend.archive.entries import read_entry
from backend.archive.imports import import_entry_id
from backend.imports.changing import is_changed
from backend.imports.completing import lacks_files
from backend.imports.contents import ExportFiles
from backend.imports.meeting import met_identities
from backend.imports.placing import Place, author_of, keyed, place_of
from backend.storage.tables import messages
from contract.import_wire import MOST_NOTES, ImportStatus, StageImport
from contract.imports.model import ImportedChat
from contract.wire import Me

_AT_ONCE = 500
_ELSEWHERE = (
    "This very file was imported before, and its people were matched otherwise: its messages would "
    "stand in two chats. Match them as before to add nothing twice."
)
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_KNOWN = select(messages.c.external_id).where(
    messages.c.account_id == bindparam("account_id"), messages.c.external_id.in_(_IDS)
)


def preview(
    connection: Connection,
    me: Me,
    command: StageImport,
    status: ImportStatus,
    chat: ImportedChat,
    files: ExportFiles,
) -> ImportStatus:
    """Return the status with what would come in; `files` are those inside the export.

    Raises ImportRefused where the chat has no place.
    """
    place = place_of(connection, me, command, chat)
    identities = met_identities(connection, place.account_id, keyed(chat, place))
    figures = _figures(connection, me, place, chat, identities, files)
    entry_id = import_entry_id(me.firm_id, place.account_id, command.sha256)
    elsewhere = not figures.known and read_entry(connection, entry_id) is not None
    return _previewed(status, chat, place, figures, len(files), (_ELSEWHERE,) * elsewhere)


class Figures(NamedTuple):
    """What is counted of a chat; `unidentified` are messages, of new ones only."""

    new: int
    known: int
    unidentified: int
    unidentified_people: int
    changed: int


def _figures(
    connection: Connection,
    me: Me,
    place: Place,
    chat: ImportedChat,
    identities: Sequence[str],
    files: ExportFiles,
) -> Figures:
    known = changed = unidentified = 0
    people: set[str] = set()
    for at in range(0, len(identities), _AT_ONCE):
        here = _known(connection, place.account_id, identities[at : at + _AT_ONCE])
        known += len(here)
        for message, identity in zip(
            chat.messages[at : at + _AT_ONCE], identities[at : at + _AT_ONCE], strict=True
        ):
            if identity in here:
                this = connection, place.account_id, identity, message
                changed += is_changed(*this) or lacks_files(*this, files)
                continue
            if not message.sender:
                continue
            author = author_of(place, me, message.sender, message.outgoing)
            if not author.is_known:
                unidentified += 1
                people.add(author.author_id)
    return Figures(len(identities) - known, known, unidentified, len(people), changed)


def _previewed(
    status: ImportStatus,
    chat: ImportedChat,
    place: Place,
    figures: Figures,
    file_count: int,
    notes_first: tuple[str, ...],
) -> ImportStatus:
    named = sum(len(message.files) for message in chat.messages)
    left_out = sum(message.missing_files for message in chat.messages)
    notes = [*notes_first, *chat.notes]
    if named > file_count:
        notes.append(
            f"{named - file_count} files lie beside this export: only their names come in."
        )
    times = [message.at_utc_ms for message in chat.messages]
    return msgspec.structs.replace(
        status,
        account_id=place.account_id,
        title=chat.title,
        done=len(chat.messages),
        total=len(chat.messages),
        new=figures.new,
        known=figures.known,
        changed=figures.changed,
        unidentified=figures.unidentified,
        unidentified_people=figures.unidentified_people,
        files=file_count,
        missing_files=left_out + named - file_count,
        first_utc_ms=min(times),
        last_utc_ms=max(times),
        notes=tuple(notes[:MOST_NOTES]),
    )


def _known(connection: Connection, account_id: str, identities: Sequence[str]) -> set[str]:
    if not account_id:
        return set()
    values = {"account_id": account_id, "ids": list(identities)}
    return set(connection.execute(_KNOWN, values).scalars())
