"""Owns the operations by which the employee changes something, each in one transaction.

It never answers before the commit, and a command told twice is carried out once.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api.answers import reply_answer
from backend.api.once import once, once_then_message
from backend.api.operation import Call, json_answer
from backend.archive.probe import ProbeFailed, check_probe, write_probe
from backend.governance.hearing import may_hear
from backend.inbox import conversations
from backend.inbox.changing import queue_read
from backend.inbox.events import flush_events, stream_position
from backend.inbox.rendering import read_conversation
from backend.inbox.resolution import resolve_unknown
from backend.inbox.submission import Submission, sealed_reply, submit
from backend.inbox.uploads import announce_upload, upload_state
from backend.refusals import not_found
from contract.ids import ConversationId
from contract.wire import (
    CreateAttachment,
    Done,
    MarkRead,
    Me,
    ResolveUnknown,
    SubmitMessage,
    TypingNotice,
    UploadState,
)


async def submit_message(call: Call) -> Response:
    """Decide on, record and queue a message; the seal is waited for, two seconds at most."""
    submission = Submission(
        conversation_id=call.path("conversation_id"),
        command=call.command(SubmitMessage),
        key=call.key,
        most_file_bytes=call.services.settings.attachment_max_bytes,
    )
    services = call.services
    reply, sealed = await services.archive.sealed_after(
        submission.key.key,
        lambda connection: submit(
            connection, services.policy, call.me, submission, services.now_utc_ms()
        ),
        lambda reply: reply.replayed,
    )
    return reply_answer(sealed_reply(reply, sealed))


async def mark_read(call: Call) -> Response:
    """Move the read mark of a conversation forward."""
    command, conversation_id = call.command(MarkRead), call.path("conversation_id")
    now_utc_ms = call.services.now_utc_ms()

    def work(connection: Connection) -> Done:
        me = call.me.employee_id
        if not conversations.is_member(connection, conversation_id, me):
            raise not_found("conversation")
        conversations.mark_read(connection, conversation_id, me, command.upto_utc_ms, now_utc_ms)
        if _may_tell(connection, call.me, conversation_id):
            queue_read(connection, conversation_id, command.upto_utc_ms)
        seqs = flush_events(connection)
        return Done(seq=seqs.get(me) or stream_position(connection, me))

    return await once(call, work, now_utc_ms)


async def typing(call: Call) -> Response:
    """Tell the channel that the employee types; nothing of it is kept.

    A client behind a wall, or one who opted out or is to be asked first, is not told; the
    employee's answer is the same.
    """
    command, conversation_id = call.command(TypingNotice), call.path("conversation_id")
    allowed = await call.services.database.read(lambda c: _may_tell(c, call.me, conversation_id))
    if allowed and call.services.on_typing is not None:
        call.services.on_typing(
            ConversationId(conversation_id), call.me.employee_id, command.typing
        )
    return json_answer(Done())


def _may_tell(connection: Connection, me: Me, conversation_id: str) -> bool:
    """Tell whether a client may hear that the employee types or read; raises Refused."""
    conversation = read_conversation(connection, me.employee_id, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    return may_hear(connection, me, conversation)


async def resolve(call: Call) -> Response:
    """Carry out the employee's word on a message whose delivery is unknown."""
    command, message_id = call.command(ResolveUnknown), call.path("message_id")
    now_utc_ms = call.services.now_utc_ms()

    def work(connection: Connection) -> None:
        resolve_unknown(connection, call.me, message_id, command.action, now_utc_ms)

    return await once_then_message(call, work, now_utc_ms)


async def create_attachment(call: Call) -> Response:
    """Announce an upload; the same key again tells how far that upload came."""
    command = call.command(CreateAttachment)
    now_utc_ms = call.services.now_utc_ms()
    max_bytes = call.services.settings.attachment_max_bytes
    answer = await once(
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
    """Archive a synthetic entry, wait for its seal and read it back with its receipt."""
    services, me = call.services, call.me
    keys = services.archive.keys
    # The same key means the same entry, so that a repeated probe is answered alike.
    entry_id = "probe-" + sha256(f"{me.employee_id}|{call.key.key}".encode()).hexdigest()
    _, sealed = await services.archive.sealed_after(
        entry_id,
        lambda c: write_probe(c, me.firm_id, me.employee_id, entry_id, services.now_utc_ms()),
        lambda written: not written,
    )
    if sealed is None or keys is None:
        raise ProbeFailed("the archive's second check is pending")
    proven = sealed
    return json_answer(await services.database.read(lambda c: check_probe(c, proven, keys)))
