"""Owns the log's own statements: the rotation of its key, and those brought in signed.

It never signs with a recovery key it keeps: that key comes from outside and is forgotten.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from backend.archive.entries import append_act
from backend.archive.log import read_head
from backend.archive.signing import add_log_key, load_signer
from backend.storage.tables import archive_statements, firms
from contract.receipts.keys import VerifierKey
from contract.receipts.signers import Signer
from contract.receipts.statements import (
    Rotation,
    Statement,
    open_statement,
    read_statement,
    sign_statement,
)

KIND_STATEMENT = "statement"
KIND_ROTATION = "rotation"


def stored_statements(connection: Connection) -> list[bytes]:
    """Return the notes of all statements, oldest first."""
    columns = archive_statements.c
    return list(connection.execute(select(columns.note).order_by(columns.n)).scalars())


def rotations(connection: Connection) -> tuple[str, ...]:
    """Return the notes of all rotations, oldest first."""
    columns = archive_statements.c
    query = select(columns.note).where(columns.kind == KIND_ROTATION).order_by(columns.n)
    return tuple(note.decode() for note in connection.execute(query).scalars())


def add_statement(
    connection: Connection, note: bytes, recovery: VerifierKey, now_utc_ms: int
) -> Statement:
    """Verify a statement about this log, archive it and show it to clients.

    Raises NoteError unless the recovery key, and for a rotation the log's key, has signed it.
    """
    log_key = load_signer(connection, "", now_utc_ms).verifier_key
    statement = open_statement(note, [recovery], log_key)
    keep_statement(connection, note, now_utc_ms)
    return statement


def rotate_log_key(connection: Connection, recovery: Signer, now_utc_ms: int) -> Rotation:
    """Give the log a new key from its next checkpoint on, stated by the old and a recovery key.

    Restart the sequencer and the witness afterwards: they sign and expect the old one still.
    """
    old = load_signer(connection, "", now_utc_ms)
    head = read_head(connection)
    new = add_log_key(connection, old.verifier_key.name, head.size, now_utc_ms)
    rotation = Rotation(
        origin=old.verifier_key.name,
        at_utc_ms=now_utc_ms,
        old_key=old.verifier_key,
        new_key=new.verifier_key,
        from_size=head.size,
    )
    keep_statement(connection, sign_statement(rotation, [old, recovery]), now_utc_ms)
    return rotation


def keep_statement(connection: Connection, note: bytes, now_utc_ms: int) -> None:
    """Archive a statement that was verified or signed here, and show it to clients."""
    kind = type(read_statement(note)).__name__.lower()
    count = connection.execute(select(func.count()).select_from(archive_statements)).scalar_one()
    connection.execute(
        insert(archive_statements).values(n=count + 1, kind=kind, note=note, at_utc_ms=now_utc_ms)
    )
    append_act(
        connection,
        kind=KIND_STATEMENT,
        actor_id="backend",
        told={"kind": kind, "note": note.decode()},
        firm_id=connection.execute(select(firms.c.firm_id).limit(1)).scalar_one(),
        now_utc_ms=now_utc_ms,
    )
