"""Owns the definition of every table of the backend.

It never runs a query and knows no rule of the business.

All times are UTC milliseconds; every table of the business carries its firm.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from backend.storage import (
    account_tables,
    attachment_tables,
    channel_tables,
    delivery_tables,
    import_tables,
    publication_tables,
    supervision_tables,
)
from backend.storage.archive_tables import (
    archive_bodies,
    archive_checkpoints,
    archive_cosignatures,
    archive_entries,
    archive_head,
    archive_leaves,
    archive_log_keys,
    archive_nodes,
    archive_statements,
)
from backend.storage.columns import (
    blob,
    firm,
    flag,
    maybe_number,
    maybe_text,
    metadata,
    number,
    ref,
    text,
)
from backend.storage.directory_tables import (
    access_tokens,
    account_members,
    channel_accounts,
    consents,
    contact_points,
    contacts,
    employee_contacts,
    employees,
    firms,
    walls,
)

SCHEMA_VERSION = 5

__all__ = [
    "SCHEMA_VERSION",
    "access_tokens",
    "account_members",
    "account_tables",
    "archive_bodies",
    "archive_checkpoints",
    "archive_cosignatures",
    "archive_entries",
    "archive_head",
    "archive_leaves",
    "archive_log_keys",
    "archive_nodes",
    "archive_statements",
    "attachment_parts",
    "attachment_tables",
    "attachments",
    "attempts",
    "channel_accounts",
    "channel_tables",
    "consents",
    "contact_points",
    "contacts",
    "conversation_contacts",
    "conversation_members",
    "conversation_positions",
    "conversations",
    "decisions",
    "delivery_tables",
    "employee_contacts",
    "employees",
    "event_counters",
    "events",
    "firms",
    "idempotency",
    "import_tables",
    "inbound_raw",
    "jobs",
    "message_versions",
    "messages",
    "metadata",
    "policy_bundles",
    "properties",
    "publication_tables",
    "reactions",
    "supervision_tables",
    "walls",
]

# -- inbox -------------------------------------------------------------------------------------

# `thread_key` is the contact_point_id of a direct chat or the channel's id of a group.
conversations = Table(
    "conversations",
    metadata,
    text("conversation_id", key=True),
    firm(),
    number("version", default=1),
    text("channel"),
    ref("account_id", "channel_accounts.account_id"),
    text("thread_key"),
    text("title"),
    text("mode", default="governed"),
    flag("is_group"),
    number("color", default=0),
    text("initials", default=""),
    text("tags", default="[]"),
    number("last_activity_utc_ms", default=0),
    maybe_text("preview_message_id"),
    flag("awaiting"),
    maybe_number("window_closes_at_utc_ms"),
    maybe_number("window_messages_left"),
    number("message_count", default=0),
    number("archived_count", default=0),
    maybe_number("kept_until_utc_ms"),
    UniqueConstraint("account_id", "thread_key"),
    Index("conversations_by_activity", "firm_id", "last_activity_utc_ms", "conversation_id"),
)
conversation_members = Table(
    "conversation_members",
    metadata,
    ref("conversation_id", "conversations.conversation_id", key=True),
    ref("employee_id", "employees.employee_id", key=True),
    firm(),
    number("unread_count", default=0),
    number("read_upto_utc_ms", default=0),
    Index("conversation_members_by_employee", "employee_id", "conversation_id"),
)
conversation_contacts = Table(
    "conversation_contacts",
    metadata,
    ref("conversation_id", "conversations.conversation_id", key=True),
    ref("contact_point_id", "contact_points.contact_point_id", key=True),
    ref("contact_id", "contacts.contact_id"),
    firm(),
    number("position", default=0),
    Index("conversation_contacts_by_contact", "contact_id"),
)
# The newest version of each message; `external_id` is the channel's id of it.
messages = Table(
    "messages",
    metadata,
    text("message_id", key=True),
    firm(),
    ref("conversation_id", "conversations.conversation_id"),
    ref("account_id", "channel_accounts.account_id"),
    number("version", default=1),
    number("revision", default=0),
    text("direction"),
    text("kind", default="text"),
    text("text"),
    text("author_id"),
    text("author_name"),
    number("place_at_utc_ms"),
    number("place_index"),
    number("occurred_at_utc_ms"),
    text("origin", default="live"),
    maybe_text("state"),
    text("state_detail", default=""),
    number("state_at_utc_ms", default=0),
    maybe_text("quote_message_id"),
    text("entry_id"),
    maybe_number("edited_at_utc_ms"),
    number("versions_archived", default=1),
    flag("deleted"),
    maybe_text("external_id"),
    text("change_note", default=""),
    Index("messages_by_place", "conversation_id", "place_at_utc_ms", "place_index"),
    Index("messages_by_firm_place", "firm_id", "place_at_utc_ms", "place_index"),
    Index("messages_by_external_id", "account_id", "external_id"),
)
# Every version's archive entry, so that each original can be rebuilt; `n` starts at 1.
message_versions = Table(
    "message_versions",
    metadata,
    ref("message_id", "messages.message_id", key=True),
    number("n", key=True),
    firm(),
    text("kind"),
    ref("entry_id", "archive_entries.entry_id"),
    number("at_utc_ms"),
)
reactions = Table(
    "reactions",
    metadata,
    ref("message_id", "messages.message_id", key=True),
    text("actor_id", key=True),
    text("emoji", key=True),
    firm(),
    number("at_utc_ms"),
)
# `owner_id` is the employee who uploads it, empty for a client's file.
attachments = Table(
    "attachments",
    metadata,
    text("attachment_id", key=True),
    firm(),
    text("owner_id"),
    Column("message_id", Text, ForeignKey("messages.message_id"), nullable=True),
    number("position", default=0),
    text("name"),
    text("media_type"),
    number("size_bytes"),
    text("sha256"),
    text("scan", default=""),
    number("offset_bytes", default=0),
    flag("complete"),
    number("created_at_utc_ms"),
    Index("attachments_by_message", "message_id"),
)
# One encrypted blob file per uploaded part: bytes start_byte … end_byte - 1 of the attachment.
attachment_parts = Table(
    "attachment_parts",
    metadata,
    ref("attachment_id", "attachments.attachment_id", key=True),
    number("start_byte", key=True),
    firm(),
    number("end_byte"),
)

# -- governance ----------------------------------------------------------------------------------

decisions = Table(
    "decisions",
    metadata,
    text("decision_id", key=True),
    firm(),
    text("message_id"),
    number("revision"),
    text("employee_id"),
    text("action"),
    text("decision_hash"),
    blob("decision"),
    text("justification", default=""),
    maybe_text("hint_decision_hash"),
    text("drift", default=""),
    number("decided_at_utc_ms"),
    Index("decisions_by_message", "message_id"),
)
# `packed` is the whole bundle, server-only rules included: it never leaves the backend.
policy_bundles = Table(
    "policy_bundles",
    metadata,
    text("version", key=True),
    firm(),
    text("bundle_hash"),
    blob("packed"),
    number("published_at_utc_ms"),
)

# -- delivery ------------------------------------------------------------------------------------

# A conversation's lane runs in the order of `lane_order` (the archive sequence of the submission).
# `state` is ready, leased or done; a leased job whose lease ran out belongs to a dead worker.
jobs = Table(
    "jobs",
    metadata,
    text("job_id", key=True),
    firm(),
    ref("conversation_id", "conversations.conversation_id"),
    ref("account_id", "channel_accounts.account_id"),
    ref("message_id", "messages.message_id"),
    number("revision"),
    number("lane_order"),
    text("state", default="ready"),
    maybe_text("lease_owner"),
    maybe_number("lease_until_utc_ms"),
    number("not_before_utc_ms", default=0),
    number("attempts", default=0),
    number("created_at_utc_ms"),
    Index("jobs_by_lane", "state", "conversation_id", "lane_order"),
    Index("jobs_by_message", "message_id"),
)
# `key` is what the channel sees as idempotency key or opaque id; `outcome` is empty while open.
attempts = Table(
    "attempts",
    metadata,
    text("attempt_id", key=True),
    firm(),
    ref("job_id", "jobs.job_id"),
    number("n"),
    text("key"),
    number("started_at_utc_ms"),
    maybe_number("ended_at_utc_ms"),
    text("outcome", default=""),
    text("detail", default=""),
    UniqueConstraint("job_id", "n"),
    Index("attempts_by_key", "key"),
)
inbound_raw = Table(
    "inbound_raw",
    metadata,
    ref("account_id", "channel_accounts.account_id", key=True),
    text("dedupe_key", key=True),
    firm(),
    number("arrival"),
    blob("raw"),
    number("received_at_utc_ms"),
    flag("parsed"),
    text("applied", default="[]"),
    Index("inbound_raw_by_arrival", "parsed", "arrival"),
)

# -- streams and commands --------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    ref("employee_id", "employees.employee_id", key=True),
    number("seq", key=True),
    firm(),
    number("at_utc_ms"),
    blob("body"),
)
event_counters = Table(
    "event_counters",
    metadata,
    ref("employee_id", "employees.employee_id", key=True),
    firm(),
    number("seq", default=0),
)
# The position of the newest event that concerned a conversation, also when it is kept no more.
conversation_positions = Table(
    "conversation_positions",
    metadata,
    ref("employee_id", "employees.employee_id", key=True),
    ref("conversation_id", "conversations.conversation_id", key=True),
    firm(),
    number("seq"),
)
# A submission's key never expires; the stored reply is the one replayed.
idempotency = Table(
    "idempotency",
    metadata,
    ref("employee_id", "employees.employee_id", key=True),
    text("key", key=True),
    firm(),
    text("request_hash"),
    number("status"),
    text("media_type"),
    blob("body"),
    number("at_utc_ms"),
)
# The installation's own values, such as its instance id and the cursors of pumps.
properties = Table("properties", metadata, text("name", key=True), text("value"))
