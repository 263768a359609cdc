"""Owns the carrying out of a command once per key, in one transaction with its stored reply.

It never knows what the command does.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api.answers import reply_answer
from backend.api.operation import JSON, Call, json_answer
from backend.inbox.idempotency import Reply, store_reply, stored_reply
from backend.inbox.rendering import read_messages
from backend.refusals import not_found
from contract.wire import Done


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


async def once_then_message(
    call: Call, work: Callable[[Connection], object], now_utc_ms: int
) -> Response:
    """Run a command on the path's message once, and answer with the message as it is now.

    The stored reply holds none of its words, which may be erased. Raises Refused when the message
    is the employee's no more.
    """

    def done(connection: Connection) -> Done:
        work(connection)
        return Done()

    await once(call, done, now_utc_ms)
    message_id = call.path("message_id")
    found = await call.services.database.read(
        lambda c: read_messages(c, call.me.employee_id, [message_id])
    )
    if not found:
        raise not_found("message")
    return json_answer(found[0])
