"""Owns the recording of what was written in a channel's consumer app and heard from the channel.

It never takes such a message for one that passed the firm's policy: it is native, or history.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from backend.channels import events
from backend.channels.contract import Account
from backend.delivery.chats import chat_of
from backend.delivery.saying import FILE_GONE
from backend.directory.native_capture import author_of, note_capture
from backend.inbox.history import record_history
from backend.inbox.inbound import StoredFile
from backend.inbox.triage import look_after
from contract.states import DeliveryState
from contract.wire import Direction, MessageKind, Origin

_HISTORY_MS = 24 * 3_600_000


def record_echo(
    connection: Connection,
    account: Account,
    event: events.MessageEcho,
    files: Sequence[StoredFile],
    now_utc_ms: int,
) -> None:
    """Record what was written in the consumer app: the employee's, or told later the client's."""
    point, conversation_id = chat_of(connection, account, event, now_utc_ms)
    author_id, author_name = author_of(connection, account.account_id, conversation_id)
    if event.by_client:
        author_id, author_name = point.contact_id, point.display_name
    text, kind = event.text, event.kind
    if not text and not files and event.attachments:
        text, kind = FILE_GONE, MessageKind.UNSUPPORTED
    record_history(
        connection,
        conversation_id=conversation_id,
        direction=Direction.IN if event.by_client else Direction.OUT,
        author_id=author_id,
        author_name=author_name,
        text=text,
        kind=kind,
        at_utc_ms=event.at_utc_ms or now_utc_ms,
        now_utc_ms=now_utc_ms,
        external_id=event.external_id,
        origin=_origin(event, now_utc_ms),
        state=None if event.by_client else DeliveryState.SENT,
        attachments=files,
    )
    look_after(connection, conversation_id, now_utc_ms)
    note_capture(connection, account.account_id, event.at_utc_ms, now_utc_ms)


def _origin(event: events.MessageEcho, now_utc_ms: int) -> Origin:
    """Tell what was heard as it was written from what the app's history told afterwards."""
    late = event.at_utc_ms and now_utc_ms - event.at_utc_ms > _HISTORY_MS
    return Origin.IMPORTED if late or event.by_client else Origin.NATIVE
