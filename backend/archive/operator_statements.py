"""Owns the making of an operator's statements: the log was restored, or follows another one.

It never signs with a recovery key it keeps: that key comes from outside and is forgotten.
"""

from __future__ import annotations

from sqlalchemy import Connection

from backend.archive.log import Head, read_head
from backend.archive.nodes import NodeCache
from backend.archive.signing import load_signer, read_policy
from backend.archive.statements import keep_statement
from contract.receipts.errors import FaultCode, NoteError
from contract.receipts.keys import VerifierKey
from contract.receipts.merkle import range_root
from contract.receipts.notes import open_note
from contract.receipts.signers import Signer
from contract.receipts.statements import Move, Restore, read_statement, sign_statement


class StatementRefused(ValueError):
    """Nothing was stated; the text is a plain sentence that says what to do."""


def state_restore(
    connection: Connection, recovery: Signer, seen_size: int, now_utc_ms: int
) -> Restore:
    """State that the log was brought back to the size it has now, and archive that.

    `seen_size` is the largest size anyone saw before. Run it on the restored files before the
    backend starts on them: what is archived meanwhile would stand in the place of what was lost.
    Raises StatementRefused when nothing is lost, or nothing is left.
    """
    head, origin = _head(connection), _origin(connection, now_utc_ms)
    if seen_size <= head.size:
        raise StatementRefused(
            f"The log holds {head.size} entries, so that none of {seen_size} is lost."
        )
    restore = Restore(origin, now_utc_ms, head.size, head.root, ((head.size, seen_size),))
    keep_statement(connection, sign_statement(restore, [recovery]), now_utc_ms)
    return restore


def state_move(connection: Connection, recovery: Signer, old_origin: str, now_utc_ms: int) -> Move:
    """State that this log follows the one of another origin, and archive that.

    Raises StatementRefused for its own origin, or before it has a witness and an entry.
    """
    head, policy = _head(connection), read_policy(connection)
    key = load_signer(connection, "", now_utc_ms).verifier_key
    if policy is None:
        raise StatementRefused("This log has no witness yet: start its backend once.")
    if old_origin == key.name:
        raise StatementRefused("A log can't follow itself: name the one that clients know.")
    move = Move(old_origin, now_utc_ms, key, policy.keys, policy.quorum, head.size, head.root)
    keep_statement(connection, sign_statement(move, [recovery]), now_utc_ms)
    return move


def take_move(
    connection: Connection, note: bytes, recovery: VerifierKey, now_utc_ms: int
) -> Move | None:
    """Keep a statement that was signed elsewhere and moves clients to this log; None for others.

    Raises NoteError unless the recovery key has signed it, and it names this log's own key,
    witnesses and tree.
    """
    statement = read_statement(note)
    if not isinstance(statement, Move):
        return None
    key, policy = load_signer(connection, "", now_utc_ms).verifier_key, read_policy(connection)
    if statement.origin == key.name:
        return None  # it leads away from here, and is checked as one about this log
    open_note(note, (recovery,))
    ours = policy is not None and (statement.witness_keys, statement.quorum) == policy
    if statement.new_key != key or not ours or not _is_of_this_log(connection, statement):
        raise NoteError(FaultCode.ORIGIN_WRONG, "the statement moves clients to another log")
    keep_statement(connection, note, now_utc_ms)
    return statement


def _is_of_this_log(connection: Connection, move: Move) -> bool:
    if not 0 < move.size <= read_head(connection).size:
        return False
    return range_root(0, move.size, NodeCache().reader(connection)) == move.root


def _head(connection: Connection) -> Head:
    head = read_head(connection)
    if not head.size:
        raise StatementRefused("This log holds no entry yet: start its backend once.")
    return head


def _origin(connection: Connection, now_utc_ms: int) -> str:
    return load_signer(connection, "", now_utc_ms).verifier_key.name
