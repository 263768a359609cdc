"""Owns the stored replies to commands: the same key with the same bytes gets the same reply.

It never expires a key and never stores a reply outside the command's own transaction.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from backend.refusals import Refused
from backend.storage.bulk import Prepared, insert_rows
from backend.storage.tables import idempotency
from contract.problems import ProblemCode
from contract.wire import Me

_columns = idempotency.c
_KNOWN = Prepared(
    select(_columns.request_hash, _columns.status, _columns.media_type, _columns.body).where(
        _columns.employee_id == bindparam("employee"), _columns.key == bindparam("named")
    ),
    *("employee", "named"),
)
_COLUMNS = (
    *("employee_id", "key", "firm_id"),
    *("request_hash", "status", "media_type", "body", "at_utc_ms"),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command, as it is sent and kept; `replayed` tells that it was kept before."""

    status: int
    media_type: str
    body: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class CommandKey:
    """One command of one employee: its key and the hash of what was asked."""

    key: str
    request_hash: str

    @classmethod
    def of(cls, key: str, path: str, body: bytes) -> CommandKey:
        """Return the identity of a command from its header, path and body."""
        asked = path.encode("utf-8", "surrogatepass") + b"\n" + body
        return cls(key, hashlib.sha256(asked).hexdigest())


def stored_reply(connection: Connection, me: Me, command: CommandKey) -> Reply | None:
    """Return the reply given before; raises Refused when the key came with other bytes."""
    row = _KNOWN.record(connection, me.employee_id, command.key)
    if row is None:
        return None
    if row.request_hash != command.request_hash:
        raise Refused(
            ProblemCode.IDEMPOTENCY_KEY_REUSED,
            "This key was used for another request: make a new one.",
        )
    return Reply(row.status, row.media_type, row.body, replayed=True)


def store_reply(
    connection: Connection, me: Me, command: CommandKey, reply: Reply, now_utc_ms: int
) -> Reply:
    """Keep a reply for the key, in the command's transaction, and return it."""
    asked = (me.employee_id, command.key, me.firm_id, command.request_hash)
    row = (*asked, reply.status, reply.media_type, reply.body, now_utc_ms)
    insert_rows(connection, idempotency, _COLUMNS, [row])
    return reply
