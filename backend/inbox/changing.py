"""Owns what an employee changes about messages that are out: edits, taking back, reactions.

It never tells a vendor, and never lets a change go that the channel or policy forbids.

Each is archived first, a refused edit too; what the vendor is to be told waits for the seal in
`message_changes`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from backend.archive.entries import Recorded, append_entry, new_salt
from backend.governance.decisions import Verdict, decide
from backend.governance.hearing import NOT_TO_CLIENT, may_hear
from backend.governance.policy import RunningPolicy
from backend.inbox.idempotency import Reply, store_reply, stored_reply
from backend.inbox.messages import add_version, message_row
from backend.inbox.reacting import set_reaction
from backend.inbox.rendering import read_conversation, read_messages
from backend.inbox.submission import Submission, check_form, verdict_reply
from backend.refusals import Refused, not_found
from backend.storage.change_tables import DELETE, EDIT, REACT, READ, message_changes
from backend.storage.tables import messages
from contract.changes import SetReaction, TakeBack
from contract.ids import EntryId, idempotency_key
from contract.problems import ProblemCode
from contract.receipts.bodies import submission_body
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState
from contract.wire import (
    MAX_TEXT_CHARS,
    Conversation,
    Direction,
    Me,
    Message,
    Mode,
    Origin,
    SendCapability,
)

MAX_EMOJI_CHARS = 16
_OUT = frozenset(
    {DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ}
)
_JOINER = "\u200d"
# What dresses a sign (variation, joiner, skin, keycap), and the two letters that make a flag.
_ADORNMENT = re.compile("[\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_WORD = re.compile(r"[\w<>&\"'/\\]")


def edit(
    connection: Connection,
    policy: RunningPolicy,
    me: Me,
    submission: Submission,
    now_utc_ms: int,
) -> Reply:
    """Decide on, archive and queue the new words of a message of one's own that went out.

    The command is the message's own with a higher revision and another text. The reply says 202
    as that of a submission does; an edit that policy refuses is archived, changes nothing and is
    answered with `policy_denied`. Raises Refused when it can't be edited.
    """
    known = stored_reply(connection, me, submission.key)
    if known is not None:
        return known
    command = submission.command
    check_form(submission)
    message, send, conversation = _own(connection, me, command.message_id)
    if not send.edits:
        raise Refused(ProblemCode.CONFLICT, "This channel does not let a sent message be changed.")
    _check_age(message, send.edit_max_age_s, "changed", now_utc_ms)
    longest = min(MAX_TEXT_CHARS, send.text_max_chars)
    if len(command.text) > longest:
        raise Refused(
            ProblemCode.TOO_LARGE, f"This channel takes at most {longest} characters: shorten it."
        )
    row = message_row(connection, command.message_id)
    if command.revision <= row.revision:
        raise Refused(ProblemCode.CONFLICT, "The message was changed meanwhile: look at it anew.")
    if (command.quote_message_id or None) != row.quote_message_id or command.attachment_ids:
        raise Refused(ProblemCode.BAD_REQUEST, "Only the text of a message can be changed.")
    verdict = decide(connection, policy, me, conversation, command, (), now_utc_ms)
    if verdict.state is DeliveryState.HELD:
        # No approval is asked for an edit: the words can be sent as a new message.
        verdict = replace(verdict, state=DeliveryState.BLOCKED)
    _write_edit(connection, me, submission, row, verdict, now_utc_ms)
    (fresh,) = read_messages(connection, me.employee_id, [command.message_id])
    reply = verdict_reply(fresh, verdict)
    return store_reply(connection, me, submission.key, reply, now_utc_ms)


def take_back(
    connection: Connection, me: Me, message_id: str, command: TakeBack, now_utc_ms: int
) -> Message:
    """Archive that an employee takes a message of their own back, and have the client's deleted.

    Raises Refused when it can't be taken back.
    """
    message, send, _ = _own(connection, me, message_id)
    if not send.deletes:
        raise Refused(ProblemCode.CONFLICT, "This channel does not let a sent message be deleted.")
    _check_age(message, send.delete_max_age_s, "deleted", now_utc_ms)
    if command.revision < message.revision:
        raise Refused(ProblemCode.CONFLICT, "The message was changed meanwhile: look at it anew.")
    archived = add_version(
        connection,
        message_id,
        kind="deleted",
        actor_id=me.employee_id,
        body=canonical_json({"deleted": True}),
        salt=new_salt(),
        occurred_at_utc_ms=command.asked_at_utc_ms,
        now_utc_ms=now_utc_ms,
        changes={"deleted": True, "change_note": ""},
    )
    _queue(connection, message_row(connection, message_id), DELETE, "", archived)
    (fresh,) = read_messages(connection, me.employee_id, [message_id])
    return fresh


def react(
    connection: Connection, me: Me, message_id: str, command: SetReaction, now_utc_ms: int
) -> Message:
    """Archive an employee's reaction and have the client shown it; raises Refused."""
    emoji = command.emoji
    if not _is_one_emoji(emoji):
        raise Refused(ProblemCode.BAD_REQUEST, "A reaction is one emoji.")
    message, send, conversation = _governed(connection, me, message_id)
    if not send.reactions:
        raise Refused(ProblemCode.CONFLICT, "This channel takes no reactions.")
    if not may_hear(connection, me, conversation):
        raise Refused(ProblemCode.READ_ONLY, NOT_TO_CLIENT)
    row = message_row(connection, message_id)
    if message.deleted or row.external_id is None:
        raise Refused(ProblemCode.CONFLICT, "The client does not have this message.")
    archived = set_reaction(
        connection,
        message_id,
        me.employee_id,
        emoji,
        occurred_at_utc_ms=command.asked_at_utc_ms,
        now_utc_ms=now_utc_ms,
    )
    if archived is not None:
        _queue(connection, row, REACT, emoji, archived)
    (fresh,) = read_messages(connection, me.employee_id, [message_id])
    return fresh


def _is_one_emoji(emoji: str) -> bool:
    """Tell whether a text is one sign: nobody writes words past policy with squared letters."""
    if len(emoji) > MAX_EMOJI_CHARS or _WORD.search(emoji) or emoji != emoji.strip():
        return False
    signs = _ADORNMENT.sub("", _FLAG.sub("F", emoji))
    return len(signs) <= 1 + min(3, emoji.count(_JOINER))


def queue_read(connection: Connection, conversation_id: str, upto_utc_ms: int) -> None:
    """Have the vendor told that the newest client's message up to a time was read, once."""
    columns, told = messages.c, message_changes.c
    row = connection.execute(
        select(messages)
        .where(
            columns.conversation_id == conversation_id,
            columns.place_at_utc_ms <= upto_utc_ms,
            columns.direction == Direction.IN.value,
            columns.external_id.is_not(None),
            columns.origin == Origin.LIVE.value,
        )
        .order_by(columns.place_at_utc_ms.desc(), columns.place_index.desc())
        .limit(1)
    ).one_or_none()
    change_id = "" if row is None else f"{READ}.{row.message_id}"
    known = select(told.change_id).where(told.change_id == change_id)
    if row is None or connection.execute(known).first() is not None:
        return
    connection.execute(
        insert(message_changes).values(
            change_id=change_id,
            firm_id=row.firm_id,
            message_id=row.message_id,
            conversation_id=conversation_id,
            account_id=row.account_id,
            kind=READ,
            lane_order=row.place_index,
            created_at_utc_ms=row.place_at_utc_ms,
        )
    )


def _governed(
    connection: Connection, me: Me, message_id: str
) -> tuple[Message, SendCapability, Conversation]:
    """Return a message of a conversation in which the employee may write; raises Refused."""
    found = read_messages(connection, me.employee_id, [message_id])
    home = found and read_conversation(connection, me.employee_id, found[0].conversation_id)
    if not found or not home:
        raise not_found("message")
    if home.mode is Mode.NATIVE or home.send is None:
        raise Refused(
            ProblemCode.READ_ONLY, "This conversation is read-only: change it in the channel's app."
        )
    return found[0], home.send, home


def _own(
    connection: Connection, me: Me, message_id: str
) -> tuple[Message, SendCapability, Conversation]:
    """Return a message that the employee wrote and the vendor took; raises Refused."""
    message, send, home = _governed(connection, me, message_id)
    if message.direction is not Direction.OUT or message.author_id != me.employee_id:
        raise Refused(ProblemCode.FORBIDDEN, "Only who wrote a message can change it.")
    row = message_row(connection, message_id)
    if message.deleted or message.state not in _OUT or row.external_id is None:
        raise Refused(
            ProblemCode.CONFLICT, "The client does not have this message, so it can't be changed."
        )
    return message, send, home


def _check_age(message: Message, max_age_s: int | None, done: str, now_utc_ms: int) -> None:
    if max_age_s is not None and now_utc_ms - message.place_at_utc_ms > max_age_s * 1000:
        hours = max_age_s // 3600
        raise Refused(
            ProblemCode.CONFLICT, f"On this channel a message can be {done} for {hours} hours only."
        )


def _write_edit(
    connection: Connection,
    me: Me,
    submission: Submission,
    row: Row[Any],
    verdict: Verdict,
    now_utc_ms: int,
) -> None:
    command = submission.command
    entry_id = EntryId(idempotency_key(command.message_id, command.revision))
    body, salt = submission_body(command, ()), bytes.fromhex(command.salt)
    if verdict.state is DeliveryState.BLOCKED:
        append_entry(
            connection,
            kind="edit_refused",
            actor_id=me.employee_id,
            conversation_id=row.conversation_id,
            message_id=row.message_id,
            revision=command.revision,
            occurred_at_utc_ms=command.composed_at_utc_ms,
            salt=salt,
            body=body,
            decision_hash=verdict.decision_hash,
            firm_id=me.firm_id,
            now_utc_ms=now_utc_ms,
            entry_id=entry_id,
        )
        return
    archived = add_version(
        connection,
        command.message_id,
        kind="edited",
        actor_id=me.employee_id,
        body=body,
        salt=salt,
        occurred_at_utc_ms=command.composed_at_utc_ms,
        now_utc_ms=now_utc_ms,
        changes={
            "text": command.text,
            "edited_at_utc_ms": command.composed_at_utc_ms,
            "change_note": "",
        },
        revision=command.revision,
        entry_id=entry_id,
        decision_hash=verdict.decision_hash,
    )
    _queue(connection, row, EDIT, command.text, archived)


def _queue(
    connection: Connection, row: Row[Any], kind: str, value: str, archived: Recorded
) -> None:
    connection.execute(
        insert(message_changes).values(
            change_id=f"{kind}.{archived.entry_id}",
            firm_id=row.firm_id,
            message_id=row.message_id,
            conversation_id=row.conversation_id,
            account_id=row.account_id,
            kind=kind,
            value=value,
            entry_id=archived.entry_id,
            lane_order=archived.sequence,
            created_at_utc_ms=archived.archived_at_utc_ms,
        )
    )
