"""Owns the carrying out of a command once per key, in one transaction with its stored reply.

It never knows what the command does.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api.answers import reply_answer
from backend.api.operation import JSON, Call
from backend.inbox.idempotency import Reply, store_reply, stored_reply


async def once(
    call: Call,
    work: Callable[[Connection], msgspec.Struct],
    now_utc_ms: int,
    status: int = 200,
) -> Response:
    """Run a command and store its reply in one transaction; a known key gets the stored one."""

    def whole(connection: Connection) -> Reply:
        known = stored_reply(connection, call.me, call.key)
        if known is not None:
            return known
        reply = Reply(status, JSON, msgspec.json.encode(work(connection)))
        return store_reply(connection, call.me, call.key, reply, now_utc_ms)

    return reply_answer(await call.services.database.write(whole))
