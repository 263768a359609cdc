"""Makes messages as an app submits them, and submits them over HTTP as an employee.

It never waits for what becomes of a message.
"""

from __future__ import annotations

import os
import time

import httpx
import msgspec

from contract.ids import AttachmentId, MessageId, idempotency_key, uuid7
from contract.wire import SubmitMessage


def new_command(text: str, *files: AttachmentId) -> SubmitMessage:
    """Return a new message's submission, composed now."""
    now_utc_ms = time.time_ns() // 1_000_000
    return SubmitMessage(
        message_id=MessageId(uuid7(now_utc_ms, os.urandom(10))),
        revision=0,
        text=text,
        salt=os.urandom(32).hex(),
        composed_at_utc_ms=now_utc_ms,
        attachment_ids=files,
    )


def chat_on(employee: httpx.Client, channel: str) -> str:
    """Return the employee's first conversation on a channel, empty while there is none."""
    found = employee.get("/v1/conversations").json()["conversations"]
    return next((each["conversation_id"] for each in found if each["channel"] == channel), "")


def submit_on(employee: httpx.Client, channel: str, text: str, *files: AttachmentId) -> MessageId:
    """Submit a message on a channel; the backend must archive it."""
    command = new_command(text, *files)
    answer = employee.post(
        f"/v1/conversations/{chat_on(employee, channel)}/messages",
        content=msgspec.json.encode(command),
        headers={"Idempotency-Key": idempotency_key(command.message_id, 0)},
    )
    assert answer.status_code in (201, 202), answer.text
    return command.message_id
