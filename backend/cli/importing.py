"""The command that imports an exported chat: dry unless it is confirmed, resumed when run again.

It never prints a message, and never keeps a file that holds other chats than the one meant.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import sys
from collections import Counter
from typing import IO

from backend.cli.export_opening import open_export
from backend.cli.firm_opening import FirmDesk, open_firm_desk
from backend.cli.import_arguments import day_order
from backend.cli.printing import print_line
from backend.directory.people import read_me
from backend.imports.arriving import Arrival, stage_file
from backend.imports.contents import ExportFiles
from backend.imports.desk import ImportWork
from backend.imports.preview import preview
from backend.imports.rows import confirm_import, find_import
from backend.refusals import Refused
from backend.services import system_clock_utc_ms
from backend.storage.blobs import BlobStore
from backend.workspace_errors import WorkspaceError
from contract.ids import AccountId, AttachmentId, ContactId
from contract.import_wire import (
    ConfirmImport,
    ImportPerson,
    ImportPhase,
    ImportStatus,
    StageImport,
    Standing,
)
from contract.imports.day_order import DayOrder
from contract.imports.model import ImportedChat, ImportRefused
from contract.imports.opening import zone_named
from contract.wire import Me


def run_import(arguments: argparse.Namespace) -> int:
    """Look into a file, or import it; returns the exit status (1: something has to be said first).

    Raises WorkspaceError, DatabaseError, OSError, or ValueError for a bad line on stdin.
    """
    with open_firm_desk(arguments) as desk:
        me = desk.read(lambda c: read_me(c, arguments.employee))
        if me is None or me.firm_id != desk.firm_id:
            raise WorkspaceError("There is no such employee.")
        try:
            return _import(arguments, desk, me)
        except ImportRefused as refused:
            raise WorkspaceError(str(refused)) from refused
        except Refused as refused:
            raise WorkspaceError(refused.detail) from refused


def _import(arguments: argparse.Namespace, desk: FirmDesk, me: Me) -> int:
    zone = arguments.time_zone or me.time_zone
    told_order = day_order(arguments.day_order)
    order = None if told_order is None else DayOrder(told_order)
    with contextlib.closing(open_export(arguments, zone_named(zone), order)) as export:
        chat = _chosen(export.chats, arguments.chat)
        if chat is None:
            for each in export.chats:
                about = {"title": each.title, "messages": len(each.messages)}
                print_line({"chat": each.key, **about})
            return _asked("Say which chat is meant with --chat KEY.")
        if not arguments.person:
            return _show_people(chat)
        file = export.of(chat)
        command = StageImport(
            attachment_id=AttachmentId(""),
            sha256=_digest(file),
            source=chat.source,
            people=tuple(map(_person, arguments.person)),
            chat_key=chat.key,
            account_id=AccountId(arguments.account),
            time_zone=zone,
            day_order=order,
        )
        if not arguments.confirm:
            return _dry_run(desk, me, command, chat, Arrival(file, export.name, command, desk.by))
        return _store(arguments, desk, me, Arrival(file, export.name, command, _worker(desk)))


def _dry_run(
    desk: FirmDesk, me: Me, command: StageImport, chat: ImportedChat, arrival: Arrival
) -> int:
    size_bytes = arrival.file.seek(0, 2)
    arrival.file.seek(0)
    files = ExportFiles(arrival.file, chat)
    status = ImportStatus(
        import_id="",
        phase=ImportPhase.READY,
        source=command.source,
        file_name=arrival.name,
        file_sha256=command.sha256,
        size_bytes=size_bytes,
        staged_at_utc_ms=system_clock_utc_ms(),
        by=desk.by,
    )
    print_line(desk.read(lambda c: preview(c, me, command, status, chat, files)))
    return _asked("Nothing was stored. Run it again with --confirm to import this.", 0)


def _store(arguments: argparse.Namespace, desk: FirmDesk, me: Me, arrival: Arrival) -> int:
    blobs = BlobStore(arguments.data_dir / "blobs", desk.told.key, tidy=False)
    work = ImportWork(desk.database, blobs, system_clock_utc_ms)
    import_id = stage_file(desk.database, blobs, me, arrival, system_clock_utc_ms()).import_id
    work.advance(import_id)
    ready = desk.read(lambda c: find_import(c, import_id))
    if ready is not None and ready.phase is ImportPhase.READY:
        go = ConfirmImport(expected_new=ready.status.new)
        desk.write(lambda c: confirm_import(c, me, import_id, go))
        work.advance(import_id, _tell)
    done = desk.read(lambda c: find_import(c, import_id))
    if done is None or done.phase is not ImportPhase.DONE:
        problem = "" if done is None else done.status.problem
        raise ImportRefused(problem or "The import was not finished: run the command again.")
    print_line(done.status)
    return 0


def _worker(desk: FirmDesk) -> str:
    return f"command:{desk.by}"


def _chosen(chats: tuple[ImportedChat, ...], key: str) -> ImportedChat | None:
    if len(chats) == 1 and not key:
        return chats[0]
    found = [chat for chat in chats if key and chat.key == key]
    if key and not found:
        raise ImportRefused("There is no such chat in this file.")
    return found[0] if found else None


def _show_people(chat: ImportedChat) -> int:
    wrote = Counter(message.sender for message in chat.messages if message.sender)
    for name in chat.participants:
        print_line({"person": name, "messages": wrote[name], "owner": name == chat.owner})
    return _asked(
        "Say who each name is: --person NAME=me, NAME=contact:ID, NAME=new or NAME=unidentified. "
        "At least one must be a client."
    )


def _person(told: str) -> ImportPerson:
    name, _, who = told.rpartition("=")
    kind, _, value = who.partition(":")
    if name and kind == "contact" and value:
        return ImportPerson(name=name, standing=Standing.CONTACT, contact_id=ContactId(value))
    if name and kind == "new":
        return ImportPerson(name=name, standing=Standing.NEW_CONTACT, display_name=value)
    if name and who in ("me", "unidentified"):
        return ImportPerson(name=name, standing=Standing(who))
    raise ImportRefused("--person takes NAME=me, NAME=contact:ID, NAME=new or NAME=unidentified.")


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # binary


def _asked(words: str, status: int = 1) -> int:
    sys.stderr.write(words + "\n")
    return status


def _tell(status: ImportStatus) -> None:
    print_line({"done": status.done, "total": status.total})
