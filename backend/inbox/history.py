"""Owns the recording of messages that happened before: imports and the sample workspace.

It never creates a delivery job and never overwrites a message already known.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from backend.archive.entries import new_salt
from backend.inbox.conversations import conversation_row
from backend.inbox.inbound import StoredFile, attach_files
from backend.inbox.messages import NewMessage, add_message, find_by_external_id
from contract.ids import MessageId, uuid7
from contract.receipts.bodies import attachment_commitments, message_body
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState
from contract.wire import Direction, MessageKind, Origin

KIND_NATIVE = "native"
_ENTRY_KINDS = {Origin.IMPORTED: "import", Origin.NATIVE: KIND_NATIVE}


def record_history(
    connection: Connection,
    *,
    conversation_id: str,
    direction: Direction,
    author_id: str,
    author_name: str,
    text: str,
    at_utc_ms: int,
    now_utc_ms: int,
    external_id: str,
    origin: Origin = Origin.IMPORTED,
    kind: MessageKind = MessageKind.TEXT,
    state: DeliveryState | None = None,
    quote_message_id: MessageId | None = None,
    attachments: Sequence[StoredFile] = (),
    provenance: Mapping[str, str] | None = None,
) -> MessageId:
    """Archive a message made elsewhere; returns its id, the known one of an `external_id`.

    A native one stands where it came in; `state` is its last; `provenance` goes into the entry.
    """
    row = conversation_row(connection, conversation_id)
    if known := find_by_external_id(connection, row.account_id, external_id):
        return known
    salt, files = new_salt(), [file.sha256 for file in attachments]
    new = NewMessage(
        message_id=MessageId(uuid7(at_utc_ms, os.urandom(10))),
        firm_id=row.firm_id,
        conversation_id=conversation_id,
        account_id=row.account_id,
        direction=direction,
        text=text,
        author_id=author_id,
        author_name=author_name,
        place_at_utc_ms=at_utc_ms if origin is not Origin.NATIVE else now_utc_ms,
        occurred_at_utc_ms=at_utc_ms,
        entry_kind=_ENTRY_KINDS.get(origin) or f"message_{direction}",
        body=_body(text, quote_message_id, files, author_name, external_id, provenance),
        salt=salt,
        kind=kind,
        origin=origin,
        state=state,
        quote_message_id=quote_message_id,
        external_id=external_id,
        attachment_commitments=attachment_commitments(salt, files),
    )
    add_message(connection, new, now_utc_ms)
    attach_files(connection, row.firm_id, new.message_id, attachments, now_utc_ms)
    return new.message_id


def _body(
    text: str,
    quote: str | None,
    files: Sequence[str],
    author: str,
    external_id: str,
    provenance: Mapping[str, str] | None,
) -> bytes:
    if provenance is None:
        return message_body(text, quote or "", files)
    return canonical_json(
        {
            "attachments": list(files),
            "author": author,
            "external_id": external_id,
            "import": dict(provenance),
            "quote": quote or "",
            "text": text,
        }
    )
