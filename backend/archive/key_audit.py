"""Owns the comparison of the database's log and witness keys with keys named from outside.

It never takes a key from the database on trust: a rotation counts only by its signed statement.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from backend.archive.signing import log_keys, read_policy
from backend.archive.statements import rotations
from backend.archive.tree_audit import Fault
from contract.receipts.errors import ReceiptError
from contract.receipts.keys import VerifierKey
from contract.receipts.statements import Rotation, open_statement, read_statement


class TrustedKeys(NamedTuple):
    """Keys an auditor brings along; `quorum` is how many of the witnesses must have cosigned.

    `log_keys` are all keys the log ever had, or its first ones with the `recovery_keys` that
    signed the rotations since. An empty tuple leaves that kind of key unchecked.
    """

    log_keys: tuple[VerifierKey, ...] = ()
    recovery_keys: tuple[VerifierKey, ...] = ()
    witness_keys: tuple[VerifierKey, ...] = ()
    quorum: int | None = None


def check_keys(connection: Connection, trusted: TrustedKeys) -> None:
    """Raise Fault for a key or a quorum in the database that the auditor does not know."""
    if trusted.log_keys:
        _check_log_keys(connection, trusted)
    if trusted.witness_keys:
        _check_witnesses(connection, trusted)


def _check_log_keys(connection: Connection, trusted: TrustedKeys) -> None:
    known = set(trusted.log_keys) | _rotated(connection, trusted)
    for key in log_keys(connection):
        if key.verifier_key not in known:
            raise Fault(
                "the log signs, or signed, with a key you did not name: name every key it had, or "
                "the recovery key that signed its rotation"
            )


def _rotated(connection: Connection, trusted: TrustedKeys) -> set[VerifierKey]:
    """Return the keys that signed rotations lead to from the named ones."""
    known = set(trusted.log_keys)
    for note in rotations(connection):
        try:
            told = read_statement(note.encode())
            if not isinstance(told, Rotation) or told.old_key not in known:
                continue
            open_statement(note.encode(), trusted.recovery_keys, told.old_key)
        except ReceiptError:
            continue
        known.add(told.new_key)
    return known


def _check_witnesses(connection: Connection, trusted: TrustedKeys) -> None:
    policy = read_policy(connection)
    wanted = trusted.quorum
    if wanted is None:
        wanted = len({key.name for key in trusted.witness_keys})
    if policy is None:
        raise Fault("the archive knows no witness, you named some")
    if not set(policy.keys) <= set(trusted.witness_keys):
        raise Fault("the archive counts a witness whose key you did not name")
    if policy.quorum < wanted:
        raise Fault(f"the archive asks for {policy.quorum} witnesses, you for {wanted}")
