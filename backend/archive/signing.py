"""Owns the log's signing keys and the witnesses the archive is sealed by.

It never gives a private key away: whoever signs gets a Signer, which an HSM could be, too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select

from backend.storage.tables import archive_log_keys, properties
from contract.receipts.keys import KeyType, VerifierKey, log_name
from contract.receipts.signers import SEED_BYTES, Signer, format_private_key, parse_private_key
from contract.wire import ArchiveKeys

_WITNESSES = "archive_witnesses"


class WrongWitness(Exception):
    """A witness answers with another key than the one this archive knows."""


class LogKey(NamedTuple):
    """A key the log signs, or signed, with: the checkpoints over more than `from_size` leaves."""

    verifier_key: VerifierKey
    from_size: int


class WitnessPolicy(NamedTuple):
    """The witnesses that count, and how many of them seal a checkpoint."""

    keys: tuple[VerifierKey, ...]
    quorum: int

    def document(self, log_key: VerifierKey) -> ArchiveKeys:
        """Return what clients are told, to be pinned."""
        return ArchiveKeys(
            origin=log_key.name,
            log_key=str(log_key),
            witness_keys=tuple(str(key) for key in self.keys),
            quorum=self.quorum,
        )


def load_signer(connection: Connection, instance_id: str, now_utc_ms: int) -> Signer:
    """Return the log's newest key; the first one is made here and kept in the database.

    The origin, which is the key's name, stems from the installation's id: no two logs share one.
    """
    columns = archive_log_keys.c
    secret = connection.execute(
        select(columns.secret).order_by(columns.n.desc()).limit(1)
    ).scalar_one_or_none()
    if secret is not None:
        return parse_private_key(secret)
    return add_log_key(connection, log_name(instance_id), 0, now_utc_ms)


def add_log_key(connection: Connection, origin: str, from_size: int, now_utc_ms: int) -> Signer:
    """Make a new key for the log with this origin, keep it, and return its signer."""
    secret = format_private_key(origin, KeyType.ED25519, os.urandom(SEED_BYTES))
    signer = parse_private_key(secret)
    count = len(log_keys(connection))
    connection.execute(
        insert(archive_log_keys).values(
            n=count + 1,
            verifier_key=str(signer.verifier_key),
            secret=secret,
            from_size=from_size,
            at_utc_ms=now_utc_ms,
        )
    )
    return signer


def log_keys(connection: Connection) -> tuple[LogKey, ...]:
    """Return every key of the log, oldest first."""
    columns = archive_log_keys.c
    rows = connection.execute(
        select(columns.verifier_key, columns.from_size).order_by(columns.n)
    ).all()
    return tuple(LogKey(VerifierKey.parse(row.verifier_key), row.from_size) for row in rows)


def read_policy(connection: Connection) -> WitnessPolicy | None:
    """Return the witnesses of this archive; None before the first one made itself known."""
    stored = connection.execute(
        select(properties.c.value).where(properties.c.name == _WITNESSES)
    ).scalar_one_or_none()
    if stored is None:
        return None
    document = msgspec.json.decode(stored, type=tuple[int, tuple[str, ...]])
    return WitnessPolicy(tuple(VerifierKey.parse(key) for key in document[1]), document[0])


def pin_witnesses(
    connection: Connection, keys: Sequence[VerifierKey], quorum: int
) -> WitnessPolicy:
    """Keep the witnesses of a new archive; raises WrongWitness when others are known already."""
    known, offered = read_policy(connection), WitnessPolicy(tuple(keys), quorum)
    if known is None:
        told = msgspec.json.encode((quorum, tuple(str(key) for key in keys))).decode()
        connection.execute(insert(properties).values(name=_WITNESSES, value=told))
        return offered
    if known != offered:
        raise WrongWitness("the second check answers with another key than before")
    return known
