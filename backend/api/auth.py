"""Owns telling whose a bearer token is: the per-start secret or a token of the table.

It never keeps a token and never tells why one is refused.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from sqlalchemy import or_, select

from backend.storage.database import Database
from backend.storage.tables import access_tokens
from contract.ids import EmployeeId


class SecretAuthenticator:
    """The embedded backend: one secret per start, one employee."""

    scheme = "secret"

    def __init__(self, secret: str, employee_id: EmployeeId) -> None:
        if not secret:
            raise ValueError("the per-start secret must not be empty")
        self._digest = token_hash(secret)
        self._employee_id = employee_id

    async def employee_of(self, token: str) -> EmployeeId | None:
        """Return the employee when the token is the secret."""
        same = hmac.compare_digest(token_hash(token), self._digest)
        return self._employee_id if same else None


class TokenAuthenticator:
    """Bearer tokens kept as hashes in the database, each with its time of expiry."""

    scheme = "bearer"

    def __init__(self, database: Database, now_utc_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_utc_ms = now_utc_ms

    async def employee_of(self, token: str) -> EmployeeId | None:
        """Return the employee of a known token that has not expired."""
        columns = access_tokens.c
        query = select(columns.employee_id).where(
            columns.token_hash == token_hash(token),
            or_(
                columns.expires_at_utc_ms.is_(None),
                columns.expires_at_utc_ms > self._now_utc_ms(),
            ),
        )
        found = await self._database.read(
            lambda connection: connection.execute(query).scalar_one_or_none()
        )
        return None if found is None else EmployeeId(found)


def token_hash(token: str) -> str:
    """Return the SHA-256 (hex) under which a token is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
