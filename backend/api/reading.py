"""Owns the operations that only read: what the backend is, and what the employee may see.

It never changes a row.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api.cursors import (
    ContactCursor,
    ConversationCursor,
    MessageCursor,
    SnapshotCursor,
    decode_cursor,
    encode_cursor,
)
from backend.api.operation import JSON, Call, json_answer
from backend.api.paging import DEFAULT_PAGE, check_history, page_limit
from backend.delivery.troubles import troubles_of
from backend.directory.people import contact_page, read_contacts
from backend.inbox.events import changed_since
from backend.inbox.pages import conversation_page, message_page
from backend.inbox.rendering import read_conversation, read_messages
from backend.inbox.snapshot import Snapshot, SnapshotPosition, read_snapshot
from backend.refusals import not_found
from backend.services import BACKEND_VERSION
from contract.ids import ConversationId
from contract.wire import (
    API_VERSION,
    MAX_TEXT_CHARS,
    CapabilitiesDocument,
    ContactPage,
    ConversationPage,
    Health,
    Limits,
    MessagePage,
    PositionPage,
    SnapshotPage,
)

SYNC_PAGE_MAX = 2_000
_END_OF_TIME_UTC_MS = 2**52  # what a float still holds exactly
FEATURES = ("events_sse", "events_poll", "resumable_upload", "archive_probe", "sync_positions")


async def health(call: Call) -> Response:
    """Answer whether the database answers and which parts are not well."""
    await call.services.database.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
    problems = call.services.health_problems()
    status = "degraded" if problems else "ok"
    return json_answer(Health(status=status, backend_version=BACKEND_VERSION, problems=problems))


async def capabilities(call: Call) -> Response:
    """Answer what this backend is and asks of its clients."""
    settings = call.services.settings
    document = CapabilitiesDocument(
        api_version=API_VERSION,
        backend_version=BACKEND_VERSION,
        min_client_version=settings.client_versions.minimum,
        workspace=settings.workspace,
        auth=call.services.auth.scheme,
        instance_id=settings.instance_id,
        history_id=settings.history_id,
        features=FEATURES,
        limits=Limits(
            attachment_max_bytes=settings.attachment_max_bytes,
            text_max_chars=MAX_TEXT_CHARS,
            page_max=settings.page_max,
            undo_send_s=settings.undo_send_s,
            heartbeat_s=settings.heartbeat_s,
            sync_page_max=SYNC_PAGE_MAX,
        ),
        archive=call.services.archive.keys,
        policy_keys=settings.policy_keys,
        newest_client_version=settings.client_versions.newest,
        client_page=settings.client_versions.page,
        client_note=settings.client_versions.note,
    )
    return json_answer(document)


async def me(call: Call) -> Response:
    """Answer who is signed in, and what is wrong with their channels."""
    troubles = await call.services.database.read(lambda c: troubles_of(c, call.me.employee_id))
    return json_answer(msgspec.structs.replace(call.me, troubles=troubles))


async def policy_bundle(call: Call) -> Response:
    """Answer the bundle's published files; 304 when the client has them."""
    policy = call.services.policy
    headers = {"ETag": policy.etag, "Cache-Control": "no-cache"}
    asked = call.request.headers.get("If-None-Match", "")
    if policy.etag in (tag.strip().removeprefix("W/") for tag in asked.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(policy.packed, headers=headers, media_type=JSON)


async def snapshot(call: Call) -> Response:
    """Answer one page of the first sync."""
    cursor = decode_cursor(call.request.query_params.get("cursor", ""), SnapshotCursor)
    limit = call.whole_number("limit", DEFAULT_PAGE, 1, SYNC_PAGE_MAX)
    position = None
    if cursor is not None:
        position = SnapshotPosition(
            cursor.seq,
            cursor.totals,
            cursor.stage,
            cursor.text_key,
            cursor.activity_key,
            cursor.place_key,
        )

    def read(connection: Connection) -> Response:
        # Encoded where it was read: the loop has other clients to serve.
        return _snapshot_answer(read_snapshot(connection, call.me, position, limit))

    return await call.services.database.read(read)


def _snapshot_answer(page: Snapshot) -> Response:
    following = page.following
    return json_answer(
        SnapshotPage(
            seq=page.seq,
            at_seq=page.at_seq,
            next_cursor="" if following is None else encode_cursor(SnapshotCursor(*following)),
            total_messages=page.total_messages,
            total_conversations=page.total_conversations,
            contacts=page.contacts,
            conversations=page.conversations,
            messages=page.messages,
        )
    )


async def positions(call: Call) -> Response:
    """Answer which conversations changed after a stream position, and which others there are."""
    check_history(call)
    after = call.whole_number("after", 0, 0, 2**62)
    newest, seqs = await call.services.database.read(
        lambda connection: changed_since(connection, call.me.employee_id, after)
    )
    changed = {ConversationId(home): seq for home, seq in seqs.items() if seq > after}
    others = tuple(ConversationId(home) for home, seq in seqs.items() if seq <= after)
    return json_answer(PositionPage(seq=newest, changed=changed, others=others))


async def conversations(call: Call) -> Response:
    """Answer a page of conversations, newest activity first."""
    cursor = decode_cursor(call.request.query_params.get("cursor", ""), ConversationCursor)
    after = None if cursor is None else (cursor.activity_utc_ms, cursor.conversation_id)
    limit = page_limit(call)
    found = await call.services.database.read(
        lambda connection: conversation_page(connection, call.me, after, limit)
    )
    following = ""
    if len(found) == limit:
        last = found[-1]
        following = encode_cursor(
            ConversationCursor(last.last_activity_utc_ms, last.conversation_id)
        )
    return json_answer(ConversationPage(conversations=found, next_cursor=following))


async def conversation(call: Call) -> Response:
    """Answer one conversation."""
    found = await call.services.database.read(
        lambda connection: read_conversation(
            connection, call.me.employee_id, call.path("conversation_id")
        )
    )
    if found is None:
        raise not_found("conversation")
    return json_answer(found)


async def conversation_messages(call: Call) -> Response:
    """Answer a page of a conversation's messages, newest first, maybe from before a time."""
    cursor = decode_cursor(call.request.query_params.get("cursor", ""), MessageCursor)
    before = call.whole_number("before_utc_ms", _END_OF_TIME_UTC_MS, 0, _END_OF_TIME_UTC_MS)
    after = (before, 0) if cursor is None else (cursor.place_at_utc_ms, cursor.place_index)
    limit, conversation_id = page_limit(call), call.path("conversation_id")
    found = await call.services.database.read(
        lambda connection: message_page(connection, call.me, after, limit, conversation_id)
    )
    following = ""
    if len(found) == limit:
        following = encode_cursor(MessageCursor(found[-1].place_at_utc_ms, found[-1].place_index))
    return json_answer(MessagePage(messages=found, next_cursor=following))


async def message(call: Call) -> Response:
    """Answer one message."""
    found = await call.services.database.read(
        lambda connection: read_messages(connection, call.me.employee_id, [call.path("message_id")])
    )
    if not found:
        raise not_found("message")
    return json_answer(found[0])


async def contacts(call: Call) -> Response:
    """Answer a page of the employee's book, by name."""
    cursor = decode_cursor(call.request.query_params.get("cursor", ""), ContactCursor)
    after = None if cursor is None else (cursor.name, cursor.contact_id)
    limit = page_limit(call)
    found = await call.services.database.read(
        lambda connection: contact_page(connection, call.me.employee_id, after=after, limit=limit)
    )
    following = ""
    if len(found) == limit:
        following = encode_cursor(ContactCursor(found[-1].display_name, found[-1].contact_id))
    return json_answer(ContactPage(contacts=found, next_cursor=following))


async def contact(call: Call) -> Response:
    """Answer one contact of the book."""
    found = await call.services.database.read(
        lambda connection: read_contacts(connection, call.me.employee_id, [call.path("contact_id")])
    )
    if not found:
        raise not_found("contact")
    return json_answer(found[0])
