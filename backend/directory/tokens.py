"""Owns the issuing and revoking of employees' access tokens, archived with each.

It never keeps a token: a row holds its SHA-256, and whoever issues it sees it once.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from sqlalchemy import Connection, delete, insert, select

from backend.directory.administration import AdministrationRefused, note_act
from backend.directory.staff import require_employee
from backend.storage.tables import access_tokens

MOST_DAYS = 366
_DAY_MS = 86_400_000
_PREFIX = "parley_"
_RANDOM_BYTES = 32
_ID_CHARS = 12


class IssuedToken(msgspec.Struct, frozen=True, kw_only=True):
    """A new token, told this one time; `token_id` names it ever after."""

    token: str
    token_id: str
    employee_id: str
    expires_at_utc_ms: int


class TokenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A token as a list shows it."""

    token_id: str
    employee_id: str
    expires_at_utc_ms: int | None
    expired: bool


def issue_token(
    connection: Connection, firm_id: str, employee_id: str, days: int, by: str, now_utc_ms: int
) -> IssuedToken:
    """Make a token that is good for `days` (1–366); raises AdministrationRefused."""
    if not 1 <= days <= MOST_DAYS:
        raise AdministrationRefused(f"A token is good for 1 to {MOST_DAYS} days.")
    require_employee(connection, employee_id)
    token = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    digest = hashlib.sha256(token.encode("ascii")).hexdigest()
    expires_at_utc_ms = now_utc_ms + days * _DAY_MS
    connection.execute(
        insert(access_tokens).values(
            token_hash=digest,
            firm_id=firm_id,
            employee_id=employee_id,
            expires_at_utc_ms=expires_at_utc_ms,
        )
    )
    issued = IssuedToken(
        token=token,
        token_id=digest[:_ID_CHARS],
        employee_id=employee_id,
        expires_at_utc_ms=expires_at_utc_ms,
    )
    about = {"employee": employee_id, "token": issued.token_id}
    note_act(connection, firm_id, by, "token_issued", about, now_utc_ms)
    return issued


def revoke_tokens(
    connection: Connection,
    firm_id: str,
    employee_id: str,
    by: str,
    now_utc_ms: int,
    *,
    token_id: str = "",
) -> tuple[str, ...]:
    """Let an employee's tokens (or the one named) count no more; returns their ids."""
    require_employee(connection, employee_id)
    columns = access_tokens.c
    query = select(columns.token_hash).where(columns.employee_id == employee_id)
    if token_id:
        query = query.where(columns.token_hash.startswith(token_id, autoescape=True))
    found = connection.execute(query).scalars().all()
    if token_id and len(found) != 1:
        raise AdministrationRefused(f"{employee_id} has no one token {token_id!r}.")
    connection.execute(delete(access_tokens).where(columns.token_hash.in_(found)))
    for digest in found:
        about = {"employee": employee_id, "token": digest[:_ID_CHARS]}
        note_act(connection, firm_id, by, "token_revoked", about, now_utc_ms)
    return tuple(digest[:_ID_CHARS] for digest in found)


def tokens(connection: Connection, now_utc_ms: int) -> tuple[TokenLine, ...]:
    """Return all tokens, by employee."""
    columns = access_tokens.c
    return tuple(
        TokenLine(
            token_id=row.token_hash[:_ID_CHARS],
            employee_id=row.employee_id,
            expires_at_utc_ms=row.expires_at_utc_ms,
            expired=row.expires_at_utc_ms is not None and row.expires_at_utc_ms <= now_utc_ms,
        )
        for row in connection.execute(
            select(access_tokens).order_by(columns.employee_id, columns.token_hash)
        )
    )
