"""Owns the turning of stored messages and conversations into wire values for one employee.

It never changes a row and never shows a conversation to someone who is not its member.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from backend.archive.entries import sealed_leaf
from backend.directory.denials import denied_contacts
from backend.directory.own_accounts import account_words, effective_mode
from backend.inbox.consent_tags import consent_tags
from backend.storage.account_tables import OPT_IN, member_modes
from backend.storage.bulk import Prepared
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
_m = messages.c
# In the order in which `_message` takes them.
_MESSAGE_COLUMNS: tuple[ColumnElement[Any], ...] = (
    *(_m.message_id, _m.conversation_id, _m.version, _m.revision, _m.direction, _m.kind, _m.text),
    *(_m.author_id, _m.author_name, _m.place_at_utc_ms, _m.place_index, _m.occurred_at_utc_ms),
    *(_m.origin, _m.state, _m.state_detail, _m.state_at_utc_ms, _m.quote_message_id),
    *(_m.edited_at_utc_ms, _m.versions_archived, _m.deleted, _m.change_note, _m.entry_id),
    archive_leaves.c.leaf_index,
    archive_entries.c.leaf_hash,
    archive_entries.c.archived_at_utc_ms,
    _quoted.c.author_name.label("quoted_author_name"),
    _quoted.c.text.label("quoted_text"),
    or_(
        exists().where(attachments.c.message_id == _m.message_id),
        exists().where(reactions.c.message_id == _m.message_id),
    ).label("adorned"),
)
# No column by itself, so that membership is looked up for each message found, and a list of ids
# never becomes a walk over all messages of all the employee's conversations.
_HOME = func.coalesce(_m.conversation_id, literal_column("''"))
# Looking an enumeration's member up costs a tenth of calling its class.
_DIRECTIONS = {each.value: each for each in Direction}
_KINDS = {each.value: each for each in MessageKind}
_ORIGINS = {each.value: each for each in Origin}
_STATES = {each.value: each for each in DeliveryState}


def message_query(employee_id: str | BindParameter[str]) -> Select[Any]:
    """Return the query of all messages the employee may see, ready to be narrowed."""
    return (
        select(*_MESSAGE_COLUMNS)
        .select_from(messages)
        .join(
            conversation_members,
            and_(
                conversation_members.c.conversation_id == _HOME,
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
    connection: Connection, employee_id: str, rows: Sequence[Sequence[Any]]
) -> tuple[Message, ...]:
    """Return the wire values of rows of `message_query`, in their order.

    A row may be the toolkit's or the driver's: its values alone are looked at, in their order.
    """
    adorned = [row[0] for row in rows if row[-1]]
    files = message_attachments(connection, adorned) if adorned else {}
    emojis = _reactions(connection, employee_id, adorned) if adorned else {}
    return tuple(_message(row, files.get(row[0], ()), emojis.get(row[0], ())) for row in rows)


def read_messages(
    connection: Connection, employee_id: str, message_ids: Iterable[str]
) -> tuple[Message, ...]:
    """Return those of the named messages that the employee may see, oldest first."""
    rows = _NAMED_MESSAGES.rows(connection, employee_id, list(message_ids))
    return render_messages(connection, employee_id, rows)


def _message(
    row: Sequence[Any], files: Sequence[Attachment], emojis: Sequence[Reaction]
) -> Message:
    # By position: the first sync renders a million of them, and names cost as much as the rest.
    (message_id, home, version, revision, direction, kind, text, author_id, author_name) = row[:9]
    (place_at, place_index, occurred_at, origin, state, detail, state_at, quote_id) = row[9:17]
    (edited_at, versions, deleted, change_note, *archived) = row[17:25]
    return Message(
        message_id=message_id,
        conversation_id=home,
        version=version,
        revision=revision,
        direction=_DIRECTIONS[direction],
        kind=_KINDS[kind],
        text=text,
        author_id=author_id,
        author_name=author_name,
        place_at_utc_ms=place_at,
        place_index=place_index,
        occurred_at_utc_ms=occurred_at,
        origin=_ORIGINS[origin],
        state=None if state is None else _STATES[state],
        state_detail=detail,
        state_at_utc_ms=state_at,
        quote=None if quote_id is None else _quote(quote_id, *row[25:27]),
        reactions=tuple(emojis),
        attachments=tuple(files),
        archive=_archive_ref(*archived),
        edited_at_utc_ms=edited_at,
        versions_archived=versions,
        deleted=bool(deleted),
        change_note=change_note,
    )


def _quote(message_id: str, author_name: str | None, text: str | None) -> Quote:
    return Quote(
        message_id=MessageId(message_id),
        author_name=author_name or "",
        text=(text or "")[:QUOTE_CHARS],
    )


def _archive_ref(
    entry_id: str, leaf_index: int | None, leaf_hash: bytes, archived_at_utc_ms: int
) -> ArchiveRef | None:
    """Return where the newest version stands in the log: None before it is sealed."""
    if leaf_index is None:
        return None
    return ArchiveRef(
        index=leaf_index,
        entry_id=entry_id,
        entry_hash=leaf_hash.hex(),
        archived_at_utc_ms=archived_at_utc_ms,
    )


def message_attachments(
    connection: Connection, message_ids: Sequence[str]
) -> dict[str, list[Attachment]]:
    """Return the files of each message in their order."""
    found: dict[str, list[Attachment]] = defaultdict(list)
    for row in _FILES.records(connection, list(message_ids)) if message_ids else ():
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
    for row in _REACTIONS.records(connection, list(message_ids)):
        counted[row.message_id][row.emoji].append(row.actor_id)
    found: dict[str, list[Reaction]] = defaultdict(list)
    for message_id, emojis in counted.items():
        found[message_id] = [
            Reaction(emoji=emoji, count=len(actors), mine=employee_id in actors)
            for emoji, actors in emojis.items()
        ]
    return found


def conversation_query(employee_id: str | BindParameter[str]) -> Select[Any]:
    """Return the query of all conversations the employee is a member of."""
    return (
        select(
            conversations,
            conversation_members.c.unread_count,
            conversation_members.c.read_upto_utc_ms,
            channel_accounts.c.label.label("account_number"),
            channel_accounts.c.shown_name,
            channel_accounts.c.consent_mode,
            channel_accounts.c.send_capability,
            member_modes.c.mode.label("my_mode"),
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
        .outerjoin(
            member_modes,
            and_(
                member_modes.c.employee_id == employee_id,
                member_modes.c.channel == conversations.c.channel,
            ),
        )
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
    rows = _ONE_CONVERSATION.records(connection, employee_id, conversation_id)
    rendered = render_conversations(connection, employee_id, rows)
    return rendered[0] if rendered else None


def _conversation(
    row: Row[Any],
    contact_ids: tuple[ContactId, ...],
    denied: frozenset[str],
    files: dict[str, list[Attachment]],
    consent_marks: Sequence[str],
) -> Conversation:
    capability, mode = None, effective_mode(row.mode, row.my_mode)
    if mode is Mode.GOVERNED and row.send_capability is not None:
        capability = msgspec.json.decode(row.send_capability, type=SendCapability)
    return Conversation(
        conversation_id=ConversationId(row.conversation_id),
        version=row.version,
        channel=Channel(row.channel),
        account_id=AccountId(row.account_id),
        title=row.title,
        mode=mode,
        group=row.is_group,
        contact_ids=contact_ids,
        color=row.color,
        initials=row.initials,
        account_label=account_words(row.shown_name, row.account_number),
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
        consent_first=row.consent_mode == OPT_IN,
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
    for conversation_id, contact_id in _CONTACTS.rows(connection, list(conversation_ids)):
        found[conversation_id] += (ContactId(contact_id),)
    return found


# Built once, after the queries they are made of: building one costs as much as running it.
_ME: BindParameter[str] = bindparam("me")
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_NAMED_MESSAGES = Prepared(
    message_query(_ME).where(_m.message_id.in_(_IDS)).order_by(_m.place_at_utc_ms, _m.place_index),
    *("me", "ids"),
)
_ONE_CONVERSATION = Prepared(
    conversation_query(_ME).where(conversations.c.conversation_id == bindparam("id")), "me", "id"
)
_FILES = Prepared(
    select(attachments).where(attachments.c.message_id.in_(_IDS)).order_by(attachments.c.position),
    "ids",
)
_REACTIONS = Prepared(
    select(reactions)
    .where(reactions.c.message_id.in_(_IDS))
    .order_by(reactions.c.at_utc_ms, reactions.c.actor_id, reactions.c.emoji),
    "ids",
)
_people = conversation_contacts.c
_CONTACTS = Prepared(
    select(_people.conversation_id, _people.contact_id)
    .where(_people.conversation_id.in_(_IDS))
    .order_by(_people.conversation_id, _people.position, _people.contact_id),
    "ids",
)
