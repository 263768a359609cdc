"""Owns the reading of a request's bearer token, and whether a long call's still holds.

It never decides what the token's owner may see.
"""

from __future__ import annotations

from starlette.requests import Request

from backend.api.operation import Call


def bearer_of(request: Request) -> str:
    """Return the bearer token of a request (RFC 6750), empty when it brings none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def still_signed_in(call: Call) -> bool:
    """Tell whether the token a call began with is neither revoked nor expired meanwhile."""
    owner = await call.services.auth.employee_of(bearer_of(call.request))
    return owner == call.me.employee_id
