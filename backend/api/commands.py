"""Owns the operations by which the employee changes something, each in one transaction.

It never answers before the commit, and a command told twice is carried out once.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api.answers import reply_answer
from backend.api.operation import JSON, Call, json_answer
from backend.archive.probe import probe_archive
from backend.inbox import conversations
from backend.inbox.events import flush_events, stream_position
from backend.inbox.idempotency import Reply, store_reply, stored_reply
from backend.inbox.rendering import read_messages
from backend.inbox.resolution import resolve_unknown
from backend.inbox.submission import Submission, submit
from backend.inbox.uploads import announce_upload, upload_state
from backend.refusals import not_found
from contract.ids import ConversationId
from contract.wire import (
    CreateAttachment,
    Done,
    MarkRead,
    ResolveUnknown,
    SubmitMessage,
    TypingNotice,
    UploadState,
)


async def submit_message(call: Call) -> Response:
    """Decide on, archive and queue a message."""
    submission = Submission(
        conversation_id=call.path("conversation_id"),
        command=call.command(SubmitMessage),
        key=call.key,
    )
    services = call.services
    reply = await services.database.write(
        lambda connection: submit(
            connection, services.policy, call.me, submission, services.now_utc_ms()
        )
    )
    return reply_answer(reply)


async def mark_read(call: Call) -> Response:
    """Move the read mark of a conversation forward."""
    command, conversation_id = call.command(MarkRead), call.path("conversation_id")
    now_utc_ms = call.services.now_utc_ms()

    def work(connection: Connection) -> Done:
        me = call.me.employee_id
        if not conversations.is_member(connection, conversation_id, me):
            raise not_found("conversation")
        conversations.mark_read(connection, conversation_id, me, command.upto_utc_ms, now_utc_ms)
        seqs = flush_events(connection)
        return Done(seq=seqs.get(me) or stream_position(connection, me))

    return await _once(call, work, now_utc_ms)


async def typing(call: Call) -> Response:
    """Tell the channel that the employee types; nothing of it is kept."""
    command, conversation_id = call.command(TypingNotice), call.path("conversation_id")
    allowed = await call.services.database.read(
        lambda connection: conversations.is_member(connection, conversation_id, call.me.employee_id)
    )
    if not allowed:
        raise not_found("conversation")
    if call.services.on_typing is not None:
        call.services.on_typing(
            ConversationId(conversation_id), call.me.employee_id, command.typing
        )
    return json_answer(Done())


async def resolve(call: Call) -> Response:
    """Carry out the employee's word on a message whose delivery is unknown."""
    command, message_id = call.command(ResolveUnknown), call.path("message_id")
    now_utc_ms = call.services.now_utc_ms()

    def work(connection: Connection) -> msgspec.Struct:
        resolve_unknown(connection, call.me, message_id, command.action, now_utc_ms)
        (message,) = read_messages(connection, call.me.employee_id, [message_id])
        return message

    return await _once(call, work, now_utc_ms)


async def create_attachment(call: Call) -> Response:
    """Announce an upload; the same key again tells how far that upload came."""
    command = call.command(CreateAttachment)
    now_utc_ms = call.services.now_utc_ms()
    max_bytes = call.services.settings.attachment_max_bytes
    answer = await _once(
        call,
        lambda connection: announce_upload(connection, call.me, command, max_bytes, now_utc_ms),
        now_utc_ms,
        status=201,
    )
    attachment_id = msgspec.json.decode(answer.body, type=UploadState).attachment_id
    state = await call.services.database.read(
        lambda connection: upload_state(connection, call.me, attachment_id)
    )
    return json_answer(state, 201)


async def archive_probe(call: Call) -> Response:
    """Archive a synthetic entry and read it back."""
    now_utc_ms = call.services.now_utc_ms()
    me = call.me
    return await _once(
        call,
        lambda connection: probe_archive(connection, me.firm_id, me.employee_id, now_utc_ms),
        now_utc_ms,
    )


async def _once(
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
