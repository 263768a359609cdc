"""The commands that look after the archive's copies, retention, holds and erasures.

It never prints a message's words, a name or a password.
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from backend.archive.erasure import ErasureOrder, ErasureRefused, erase
from backend.archive.expiry import expire, find_expired
from backend.archive.export import ExportOrder, ExportRefused, export_archive
from backend.archive.holds import HoldError
from backend.archive.journal import Journal
from backend.archive.reconcile import listed_ids, reconcile, send_again
from backend.archive.retention import RetentionError
from backend.archive.selection import Selection, conversations_of_client
from backend.archive.sinks import SinkError, active_sinks, sink_named
from backend.archive.worm import WormNotReady, WormStore, open_client, store_faults
from backend.archive.worm_copies import copy_sealed
from backend.cli.custody_admin import hold_command, journal_command, retention_command
from backend.cli.opening import open_offline
from backend.cli.printing import print_line
from backend.cli.supervision import (
    approvals_command,
    facts_command,
    reviews_command,
    setting_command,
    templates_command,
    walls_command,
)
from backend.delivery.files import DeliveryFiles
from backend.inbox.erasing import sweep_files
from backend.inbox.uploads import stored_parts
from backend.services import system_clock_utc_ms
from backend.storage.blobs import BlobDamaged, BlobStore
from backend.storage.database import Database
from backend.storage.tables import firms
from backend.workspace_errors import WorkspaceError

_EXPIRE_AT_ONCE = 500
_REFUSALS = (
    ErasureRefused,
    ExportRefused,
    HoldError,
    RetentionError,
    SinkError,
    WormNotReady,
)


class Opened(NamedTuple):
    """The workspace of a command, open while no backend runs on it."""

    database: Database
    blobs: BlobStore
    firm_id: str

    def read_file(self, attachment_id: str) -> bytes:
        """Return a stored file's bytes; it blocks. Raises BlobDamaged."""
        parts = self.database.read_now(lambda c: stored_parts(c, attachment_id))
        return b"".join(
            piece for part in parts for piece in self.blobs.read(attachment_id, *part, *part)
        )


def run_custody(arguments: argparse.Namespace) -> int:
    """Carry out one command; returns the exit status (1 where something is left to be done).

    Raises WorkspaceError or DatabaseError.
    """
    with open_offline(arguments.data_dir) as (database, key):
        blobs = BlobStore(arguments.data_dir / "blobs", key)
        firm_id = database.read_now(lambda c: c.execute(select(firms.c.firm_id)).scalar_one())
        return _carry_out(arguments, Opened(database, blobs, firm_id))


def _carry_out(arguments: argparse.Namespace, opened: Opened) -> int:
    try:
        if arguments.command == "admin":
            command = _ADMIN[arguments.admin_command]
            return command(arguments, opened.database, opened.firm_id)
        return _ARCHIVE[arguments.archive_command](arguments, opened)
    except _REFUSALS as error:
        raise WorkspaceError(str(error)) from error
    except BlobDamaged as error:
        raise WorkspaceError("A stored file is damaged: run `archive verify`.") from error


def _export(arguments: argparse.Namespace, opened: Opened) -> int:
    conversation_ids = None
    if arguments.client:
        conversation_ids = opened.database.read_now(
            lambda c: conversations_of_client(c, arguments.client)
        )
    order = ExportOrder(
        folder=arguments.output,
        file_format=arguments.format,
        selection=Selection(
            from_utc_ms=_day(arguments.from_day),
            to_utc_ms=_day(arguments.to_day, days_later=1),
            conversation_ids=conversation_ids,
        ),
        client=arguments.client,
        firm_id=opened.firm_id,
        actor_id=arguments.by,
    )
    manifest = export_archive(opened.database, opened.read_file, order, system_clock_utc_ms())
    print_line({"entries": manifest.count, "erased": manifest.erased})
    return 0


def _journal(arguments: argparse.Namespace, opened: Opened) -> int:
    files = DeliveryFiles(opened.database, opened.blobs)
    journal = Journal(opened.database, files.read, now=system_clock_utc_ms)
    taken = asyncio.run(journal.send_due())
    print_line({"taken": taken, "problems": journal.problems})
    return 1 if opened.database.read_now(_owed) else 0


def _owed(connection: Connection) -> bool:
    now_utc_ms = system_clock_utc_ms()
    sinks = active_sinks(connection)
    return any(reconcile(connection, sink, None, now_utc_ms).missing for sink in sinks)


def _reconcile(arguments: argparse.Namespace, opened: Opened) -> int:
    listed = None
    if arguments.list is not None:
        listed = listed_ids(_text(arguments.list))
    sink = opened.database.read_now(lambda c: sink_named(c, arguments.sink))
    now_utc_ms = system_clock_utc_ms()
    found = opened.database.write_now(lambda c: reconcile(c, sink, listed, now_utc_ms))
    for missing in found.missing:
        print_line(missing._asdict())
    again = 0
    if arguments.send_again:
        again = opened.database.write_now(lambda c: send_again(c, sink, found.missing))
    print_line(
        {
            "confirmed": found.confirmed,
            "missing": len(found.missing),
            "foreign": found.foreign,
            "queued_again": again,
        }
    )
    return 1 if found.missing else 0


def _worm(arguments: argparse.Namespace, opened: Opened) -> int:
    client = open_client(endpoint_url=arguments.endpoint_url, region=arguments.region)
    store = WormStore(client, arguments.bucket)
    try:
        run = copy_sealed(opened.database, store, opened.read_file, system_clock_utc_ms)
    except store_faults() as error:
        raise WorkspaceError(
            "The object store can't be used: check the bucket, the address and the credentials."
        ) from error
    print_line(run._asdict())
    return 1 if run.locked else 0


def _erase(arguments: argparse.Namespace, opened: Opened) -> int:
    order = ErasureOrder(
        firm_id=opened.firm_id,
        actor_id=arguments.by,
        basis=arguments.basis,
        message_ids=tuple(arguments.message_id),
        entry_ids=tuple(arguments.entry_id),
        within_retention=arguments.within_retention,
    )
    erased = opened.database.write_now(lambda c: erase(c, order, system_clock_utc_ms()))
    parts = sweep_files(opened.database, opened.blobs)
    print_line(erased._asdict() | {"file_parts": parts})
    return 0


def _expire(arguments: argparse.Namespace, opened: Opened) -> int:
    now_utc_ms = system_clock_utc_ms()
    if arguments.dry_run:
        found = opened.database.read_now(
            lambda c: find_expired(c, opened.firm_id, now_utc_ms, _EXPIRE_AT_ONCE)
        )
        print_line(found._asdict())
        return 0
    while True:
        erased = opened.database.write_now(
            lambda c: expire(c, opened.firm_id, arguments.by, now_utc_ms, _EXPIRE_AT_ONCE)
        )
        if erased is None:
            break
        print_line(erased._asdict())
    sweep_files(opened.database, opened.blobs)
    return 0


def _day(text: str | None, *, days_later: int = 0) -> int | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days_later)
    except ValueError as error:
        raise ExportRefused("A day is written YYYY-MM-DD.") from error
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


_ARCHIVE = {
    "export": _export,
    "journal": _journal,
    "reconcile": _reconcile,
    "worm": _worm,
    "erase": _erase,
    "expire": _expire,
}
_ADMIN = {
    "approvals": approvals_command,
    "facts": facts_command,
    "hold": hold_command,
    "journal": journal_command,
    "retention": retention_command,
    "reviews": reviews_command,
    "setting": setting_command,
    "templates": templates_command,
    "walls": walls_command,
}
