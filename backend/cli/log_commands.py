"""The commands about the log itself: its audit, its alarms, its key and its statements.

They never run while a backend holds the workspace, and keep no recovery key.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from backend.archive.alerts import KIND_ALERT, KIND_CHANNEL_ALERT
from backend.archive.embedded import WITNESS_FOLDER
from backend.archive.key_audit import TrustedKeys
from backend.archive.log import read_head
from backend.archive.operator_statements import (
    StatementRefused,
    state_move,
    state_restore,
    take_move,
)
from backend.archive.statements import add_statement, rotate_log_key
from backend.archive.verify import Audit
from backend.archive.whole_audit import WholeAudit, audit_whole
from backend.archive.witness_state import WitnessDamaged, read_seen
from backend.cli.printing import print_line
from backend.inbox.stream_history import begin_history
from backend.services import system_clock_utc_ms
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from backend.storage.tables import archive_bodies, archive_entries
from backend.workspace_errors import WorkspaceError
from contract.receipts.errors import NoteError
from contract.receipts.keys import VerifierKey
from contract.receipts.signers import Signer, parse_private_key
from contract.receipts.statements import Restore, Statement

_TELL_EVERY_S = 0.5
_RAISED_BY = {KIND_ALERT: "employee_id", KIND_CHANNEL_ALERT: "account_id"}
_NO_MEMORY = (
    "the witness's memory is missing: restore its folder, or say --without-witness if the witness "
    "runs elsewhere"
)


def verify(database: Database, blobs: BlobStore, arguments: argparse.Namespace) -> int:
    """Audit the whole archive with progress on stderr; returns 0, or 1 with the first fault.

    Raises WorkspaceError for a key on the command line that is none.
    """
    fault, seen, trusted = "", None, _trusted(arguments)
    if not arguments.without_witness:
        try:
            seen = read_seen(arguments.data_dir / WITNESS_FOLDER)
        except WitnessDamaged as error:
            fault = str(error)
        if not fault and seen is None and database.read_now(read_head).sealed_size:
            fault = _NO_MEMORY
    if fault:
        found = WholeAudit(Audit(0, fault, None))
    else:
        teller = _Teller()
        found = database.read_now(lambda c: audit_whole(c, blobs, seen, teller, trusted))
    print_line(
        {
            "entries": found.log.entries,
            "ok": found.ok,
            "fault": found.log.fault,
            "in_log": found.log.in_log,
            "sealed": found.log.sealed,
            "witness_saw": None if seen is None else seen.size,
            "messages": found.messages,
            "files": found.files,
            "imports": found.imports,
        }
    )
    return 0 if found.ok else 1


def _trusted(arguments: argparse.Namespace) -> TrustedKeys | None:
    """Return the keys named on the command line; None when none is."""
    try:
        log, recovery, witnesses = (
            tuple(VerifierKey.parse(key) for key in named)
            for named in (arguments.log_key, arguments.recovery_key, arguments.witness_key)
        )
    except NoteError as error:
        raise WorkspaceError(f"A key on the command line can't be read: {error}.") from error
    if (recovery and not log) or (arguments.quorum is not None and not witnesses):
        raise WorkspaceError("--recovery-key needs a --log-key, --quorum a --witness-key.")
    if not (log or witnesses):
        return None
    return TrustedKeys(log, recovery, witnesses, arguments.quorum)


class _Teller:
    """Says on stderr how far the audit came, not too often."""

    def __init__(self) -> None:
        self._told_at_s = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if done == total or time.monotonic() - self._told_at_s > _TELL_EVERY_S:
            self._told_at_s = time.monotonic()
            sys.stderr.write(f"{done} of {total} {what} verified\n")


def _alerts(database: Database, arguments: argparse.Namespace) -> int:
    for line in database.read_now(_read_alerts):
        print_line(line)
    return 0


def _read_alerts(connection: Connection) -> list[dict[str, Any]]:
    entries, bodies = archive_entries.c, archive_bodies.c
    rows = connection.execute(
        select(entries.archived_at_utc_ms, entries.kind, entries.leaf, bodies.body)
        .join(archive_bodies, bodies.entry_id == entries.entry_id)
        .where(entries.kind.in_(_RAISED_BY))
        .order_by(entries.sequence)
    )
    return [
        {
            "at_utc_ms": row.archived_at_utc_ms,
            _RAISED_BY[row.kind]: msgspec.json.decode(row.leaf)["actor_id"],
            **msgspec.json.decode(row.body),
        }
        for row in rows
    ]


def _recovery(arguments: argparse.Namespace) -> Signer:
    try:
        return parse_private_key(_read(arguments.recovery_key_file).decode().strip())
    except (NoteError, UnicodeDecodeError) as error:
        raise WorkspaceError("The recovery key's file does not hold a private key.") from error


def _state_restore(database: Database, arguments: argparse.Namespace) -> int:
    recovery, seen_size = _recovery(arguments), arguments.seen_size

    def work(connection: Connection) -> Restore:
        restore = state_restore(connection, recovery, seen_size, system_clock_utc_ms())
        begin_history(connection)
        return restore

    try:
        restore = database.write_now(work)
    except StatementRefused as error:
        raise WorkspaceError(str(error)) from error
    print_line({"size": restore.size, "root": restore.root.hex(), "lost": restore.lost})
    return 0


def _new_history(database: Database, arguments: argparse.Namespace) -> int:
    print_line({"history_id": database.write_now(begin_history)})
    return 0


def _state_move(database: Database, arguments: argparse.Namespace) -> int:
    recovery, origin = _recovery(arguments), arguments.from_origin
    try:
        move = database.write_now(lambda c: state_move(c, recovery, origin, system_clock_utc_ms()))
    except StatementRefused as error:
        raise WorkspaceError(str(error)) from error
    print_line({"new_key": str(move.new_key), "size": move.size, "root": move.root.hex()})
    return 0


def _rotate(database: Database, arguments: argparse.Namespace) -> int:
    recovery = _recovery(arguments)
    rotation = database.write_now(lambda c: rotate_log_key(c, recovery, system_clock_utc_ms()))
    print_line({"new_key": str(rotation.new_key), "from_size": rotation.from_size})
    return 0


def _add_statement(database: Database, arguments: argparse.Namespace) -> int:
    note = _read(arguments.file)

    def work(connection: Connection, key: VerifierKey) -> Statement:
        now_utc_ms = system_clock_utc_ms()
        if move := take_move(connection, note, key, now_utc_ms):
            return move
        statement = add_statement(connection, note, key, now_utc_ms)
        if isinstance(statement, Restore):
            begin_history(connection)
        return statement

    try:
        key = VerifierKey.parse(arguments.recovery_key)
        statement = database.write_now(lambda c: work(c, key))
    except NoteError as error:
        print_line({"ok": False, "fault": str(error)})
        return 1
    print_line({"ok": True, "kind": type(statement).__name__.lower()})
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorkspaceError(f"A file can't be read: {error.strerror}.") from error


LOG_ADMIN: dict[str, Callable[[Database, argparse.Namespace], int]] = {
    "alerts": _alerts,
    "rotate-log-key": _rotate,
    "add-statement": _add_statement,
    "state-restore": _state_restore,
    "new-history": _new_history,
    "state-move": _state_move,
}
