"""Owns the turning of stored messages and conversations into wire values for one employee.

It never changes a row and never shows a conversation to someone who is not its member.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, and_, func, select

from backend.archive.entries import sealed_leaf
from backend.directory.denials import denied_contacts
from backend.inbox.consent_tags import consent_tags
from backend.storage.custody_tables import erased_messages
from backend.storage.supervision_tables import conversation_facts
from backend.storage.tables import (
    archive_entries,
    archive_leaves,
    attachments,
    channel_accounts,
    conversation_contacts,
    conversation_members,
    conversations,
    messages,
    reactions,
)
from contract.ids import AccountId, AttachmentId, ContactId, ConversationId, MessageId
from contract.states import DeliveryState
from contract.wire import (
    ArchiveRef,
    Attachment,
    Channel,
    Conversation,
    Direction,
    Message,
    MessageKind,
    Mode,
    Origin,
    Preview,
    Quote,
    Reaction,
    SendCapability,
)

PREVIEW_CHARS = 240
QUOTE_CHARS = 400
_quoted = messages.alias("quoted")
_preview = messages.alias("preview")


def message_query(employee_id: str) -> Select[Any]:
    """Return the query of all messages the employee may see, ready to be narrowed."""
    return (
        select(
            messages,
            archive_leaves.c.leaf_index,
            archive_entries.c.leaf_hash,
            archive_entries.c.archived_at_utc_ms,
            _quoted.c.author_name.label("quoted_author_name"),
            _quoted.c.text.label("quoted_text"),
        )
        .join(
            conversation_members,
            and_(
                conversation_members.c.conversation_id == messages.c.conversation_id,
                conversation_members.c.employee_id == employee_id,
            ),
        )
        .join(archive_entries, archive_entries.c.entry_id == messages.c.entry_id)
        .outerjoin(
            archive_leaves,
            and_(archive_leaves.c.sequence == archive_entries.c.sequence, sealed_leaf()),
        )
        .outerjoin(_quoted, _quoted.c.message_id == messages.c.quote_message_id)
        .where(messages.c.message_id.not_in(select(erased_messages.c.message_id)))
    )


def render_messages(
    connection: Connection, employee_id: str, rows: Sequence[Row[Any]]
) -> tuple[Message, ...]:
    """Return the wire values of rows of `message_query`, in their order."""
    ids = [row.message_id for row in rows]
    files = message_attachments(connection, ids)
    emojis = _reactions(connection, employee_id, ids)
    return tuple(
        _message(row, tuple(files[row.message_id]), tuple(emojis[row.message_id])) for row in rows
    )


def read_messages(
    connection: Connection, employee_id: str, message_ids: Iterable[str]
) -> tuple[Message, ...]:
    """Return those of the named messages that the employee may see, oldest first."""
    query = message_query(employee_id).where(messages.c.message_id.in_(list(message_ids)))
    rows = connection.execute(
        query.order_by(messages.c.place_at_utc_ms, messages.c.place_index)
    ).all()
    return render_messages(connection, employee_id, rows)


def _message(row: Row[Any], files: tuple[Attachment, ...], emojis: tuple[Reaction, ...]) -> Message:
    quote = None
    if row.quote_message_id is not None:
        quote = Quote(
            message_id=MessageId(row.quote_message_id),
            author_name=row.quoted_author_name or "",
            text=(row.quoted_text or "")[:QUOTE_CHARS],
        )
    return Message(
        message_id=MessageId(row.message_id),
        conversation_id=ConversationId(row.conversation_id),
        version=row.version,
        revision=row.revision,
        direction=Direction(row.direction),
        kind=MessageKind(row.kind),
        text=row.text,
        author_id=row.author_id,
        author_name=row.author_name,
        place_at_utc_ms=row.place_at_utc_ms,
        place_index=row.place_index,
        occurred_at_utc_ms=row.occurred_at_utc_ms,
        origin=Origin(row.origin),
        state=None if row.state is None else DeliveryState(row.state),
        state_detail=row.state_detail,
        state_at_utc_ms=row.state_at_utc_ms,
        quote=quote,
        reactions=emojis,
        attachments=files,
        archive=_archive_ref(row),
        edited_at_utc_ms=row.edited_at_utc_ms,
        versions_archived=row.versions_archived,
        deleted=row.deleted,
    )


def _archive_ref(row: Row[Any]) -> ArchiveRef | None:
    """Return where the newest version stands in the log: None before it is sealed."""
    if row.leaf_index is None:
        return None
    return ArchiveRef(
        index=row.leaf_index,
        entry_id=row.entry_id,
        entry_hash=row.leaf_hash.hex(),
        archived_at_utc_ms=row.archived_at_utc_ms,
    )


def message_attachments(
    connection: Connection, message_ids: Sequence[str]
) -> dict[str, list[Attachment]]:
    """Return the files of each message in their order."""
    found: dict[str, list[Attachment]] = defaultdict(list)
    columns = attachments.c
    for row in connection.execute(
        select(attachments).where(columns.message_id.in_(message_ids)).order_by(columns.position)
    ):
        found[row.message_id].append(
            Attachment(
                attachment_id=AttachmentId(row.attachment_id),
                name=row.name,
                media_type=row.media_type,
                size_bytes=row.size_bytes,
                sha256=row.sha256,
                scan=row.scan,
            )
        )
    return found


def _reactions(
    connection: Connection, employee_id: str, message_ids: Sequence[str]
) -> dict[str, list[Reaction]]:
    counted: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    columns = reactions.c
    for row in connection.execute(
        select(reactions)
        .where(columns.message_id.in_(message_ids))
        .order_by(columns.at_utc_ms, columns.actor_id, columns.emoji)
    ):
        counted[row.message_id][row.emoji].append(row.actor_id)
    found: dict[str, list[Reaction]] = defaultdict(list)
    for message_id, emojis in counted.items():
        found[message_id] = [
            Reaction(emoji=emoji, count=len(actors), mine=employee_id in actors)
            for emoji, actors in emojis.items()
        ]
    return found


def conversation_query(employee_id: str) -> Select[Any]:
    """Return the query of all conversations the employee is a member of."""
    return (
        select(
            conversations,
            conversation_members.c.unread_count,
            conversation_members.c.read_upto_utc_ms,
            channel_accounts.c.label.label("account_label"),
            channel_accounts.c.send_capability,
            func.coalesce(conversation_facts.c.version, 0).label("facts_version"),
            _preview.c.direction.label("preview_direction"),
            _preview.c.text.label("preview_text"),
            _preview.c.place_at_utc_ms.label("preview_at_utc_ms"),
            _preview.c.author_name.label("preview_author_name"),
        )
        .join(
            conversation_members,
            and_(
                conversation_members.c.conversation_id == conversations.c.conversation_id,
                conversation_members.c.employee_id == employee_id,
            ),
        )
        .join(channel_accounts, channel_accounts.c.account_id == conversations.c.account_id)
        .outerjoin(_preview, _preview.c.message_id == conversations.c.preview_message_id)
        .outerjoin(
            conversation_facts,
            conversation_facts.c.conversation_id == conversations.c.conversation_id,
        )
    )


def render_conversations(
    connection: Connection, employee_id: str, rows: Sequence[Row[Any]]
) -> tuple[Conversation, ...]:
    """Return the wire values of rows of `conversation_query`, in their order."""
    contact_ids = _contacts_of(connection, [row.conversation_id for row in rows])
    people = {contact_id for ids in contact_ids.values() for contact_id in ids}
    denied = denied_contacts(connection, employee_id, people)
    files = message_attachments(
        connection,
        [row.preview_message_id for row in rows if row.preview_message_id and not row.preview_text],
    )
    agreed = consent_tags(connection, [row.conversation_id for row in rows])
    return tuple(
        _conversation(
            row,
            contact_ids[row.conversation_id],
            denied,
            files,
            agreed.get(row.conversation_id, []),
        )
        for row in rows
    )


def read_conversation(
    connection: Connection, employee_id: str, conversation_id: str
) -> Conversation | None:
    """Return one conversation as the employee sees it, or None when it is not theirs."""
    query = conversation_query(employee_id).where(
        conversations.c.conversation_id == conversation_id
    )
    rendered = render_conversations(connection, employee_id, connection.execute(query).all())
    return rendered[0] if rendered else None


def _conversation(
    row: Row[Any],
    contact_ids: tuple[ContactId, ...],
    denied: frozenset[str],
    files: dict[str, list[Attachment]],
    consent_marks: Sequence[str],
) -> Conversation:
    capability = None
    if row.mode == Mode.GOVERNED and row.send_capability is not None:
        capability = msgspec.json.decode(row.send_capability, type=SendCapability)
    return Conversation(
        conversation_id=ConversationId(row.conversation_id),
        version=row.version,
        channel=Channel(row.channel),
        account_id=AccountId(row.account_id),
        title=row.title,
        mode=Mode(row.mode),
        group=row.is_group,
        contact_ids=contact_ids,
        color=row.color,
        initials=row.initials,
        account_label=row.account_label,
        tags=(*consent_marks, *msgspec.json.decode(row.tags, type=tuple[str, ...])),
        last_activity_utc_ms=row.last_activity_utc_ms,
        preview=_preview_of(row, files),
        unread_count=row.unread_count,
        read_upto_utc_ms=row.read_upto_utc_ms,
        awaiting=row.awaiting,
        window_closes_at_utc_ms=row.window_closes_at_utc_ms,
        message_count=row.message_count,
        archived_count=row.archived_count,
        kept_until_utc_ms=row.kept_until_utc_ms,
        send=capability,
        walled=any(contact_id in denied for contact_id in contact_ids),
        window_messages_left=row.window_messages_left,
        facts_version=row.facts_version,
    )


def _preview_of(row: Row[Any], files: dict[str, list[Attachment]]) -> Preview | None:
    if row.preview_message_id is None:
        return None
    text = row.preview_text
    if not text:
        text = ", ".join(file.name for file in files[row.preview_message_id])
    return Preview(
        message_id=MessageId(row.preview_message_id),
        direction=Direction(row.preview_direction),
        text=text[:PREVIEW_CHARS],
        at_utc_ms=row.preview_at_utc_ms,
        author_name=row.preview_author_name,
    )


def _contacts_of(
    connection: Connection, conversation_ids: Sequence[str]
) -> dict[str, tuple[ContactId, ...]]:
    found: dict[str, tuple[ContactId, ...]] = defaultdict(tuple)
    columns = conversation_contacts.c
    for row in connection.execute(
        select(columns.conversation_id, columns.contact_id)
        .where(columns.conversation_id.in_(conversation_ids))
        .order_by(columns.conversation_id, columns.position, columns.contact_id)
    ):
        found[row.conversation_id] += (ContactId(row.contact_id),)
    return found
