"""Owns the operations that change a message which is out: edit, take back, react.

It never answers before the commit, and a command told twice is carried out once.
"""

from __future__ import annotations

from starlette.responses import Response

from backend.api.answers import reply_answer
from backend.api.once import once_then_message
from backend.api.operation import Answer, Call, Operation
from backend.inbox.changing import edit, react, take_back
from backend.inbox.submission import Submission, sealed_reply
from backend.refusals import Refused
from contract import api, wire
from contract.changes import SetReaction, TakeBack
from contract.problems import ProblemCode

_CODE = ProblemCode


async def edit_message(call: Call) -> Response:
    """Decide on, record and queue new words; the seal is waited for, two seconds at most."""
    command = call.command(wire.SubmitMessage)
    if command.message_id != call.path("message_id"):
        raise Refused(_CODE.BAD_REQUEST, "The path names another message than the command.")
    submission = Submission(conversation_id="", command=command, key=call.key)
    services = call.services
    reply, sealed = await services.archive.sealed_after(
        submission.key.key,
        lambda connection: edit(
            connection, services.policy, call.me, submission, services.now_utc_ms()
        ),
        lambda reply: reply.replayed,
    )
    return reply_answer(sealed_reply(reply, sealed))


async def take_back_message(call: Call) -> Response:
    """Take a message of one's own back."""
    command, message_id = call.command(TakeBack), call.path("message_id")
    now_utc_ms = call.services.now_utc_ms()
    return await once_then_message(
        call, lambda c: take_back(c, call.me, message_id, command, now_utc_ms), now_utc_ms
    )


async def set_reaction(call: Call) -> Response:
    """Set, or with an empty emoji remove, one's reaction."""
    command, message_id = call.command(SetReaction), call.path("message_id")
    now_utc_ms = call.services.now_utc_ms()
    return await once_then_message(
        call, lambda c: react(c, call.me, message_id, command, now_utc_ms), now_utc_ms
    )


CHANGES = (
    Operation(
        method="POST",
        path=api.MESSAGE_EDIT,
        name="edit_message",
        summary="Give a sent message new words; its Idempotency-Key is message_id.revision",
        handler=edit_message,
        answers={
            201: Answer("Archived", wire.Submitted),
            202: Answer("Committed, awaiting the archive's seal", wire.Submitted),
        },
        body=wire.SubmitMessage,
        command=True,
        problems=(_CODE.POLICY_DENIED, _CODE.READ_ONLY, _CODE.CONFLICT),
    ),
    Operation(
        method="POST",
        path=api.MESSAGE_TAKE_BACK,
        name="take_back_message",
        summary="Have a sent message deleted at the client; the archive keeps it",
        handler=take_back_message,
        answers={200: Answer("The message as it is now", wire.Message)},
        body=TakeBack,
        command=True,
        problems=(_CODE.READ_ONLY, _CODE.CONFLICT),
    ),
    Operation(
        method="POST",
        path=api.MESSAGE_REACTION,
        name="set_reaction",
        summary="Set or remove one's reaction to a message",
        handler=set_reaction,
        answers={200: Answer("The message as it is now", wire.Message)},
        body=SetReaction,
        command=True,
        problems=(_CODE.READ_ONLY, _CODE.CONFLICT),
    ),
)
