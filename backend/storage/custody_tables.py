"""Owns the tables of the archive's custody: retention, holds, erasures, journal and WORM copies.

It never runs a query; its triggers let a body go only under an archived order.
"""

from __future__ import annotations

from sqlalchemy import Index, Table, UniqueConstraint

from backend.storage.columns import (
    firm,
    flag,
    maybe_number,
    maybe_text,
    metadata,
    number,
    ref,
    text,
)

# -- retention -----------------------------------------------------------------------------------

# `source` quotes the rule the period comes from; `accessible_months` is how long it stays at hand.
retention_classes = Table(
    "retention_classes",
    metadata,
    text("class_id", key=True),
    firm(),
    text("title"),
    number("keep_months"),
    number("accessible_months", default=0),
    text("source"),
)
# What a class applies to; `scope_id` is empty for the whole firm. The longest period wins.
retention_assignments = Table(
    "retention_assignments",
    metadata,
    text("scope", key=True),
    text("scope_id", key=True),
    ref("class_id", "retention_classes.class_id", key=True),
    firm(),
    number("assigned_at_utc_ms"),
)
# While `released_at_utc_ms` is null nothing in its scope may go; `matter` is the case's reference.
legal_holds = Table(
    "legal_holds",
    metadata,
    text("hold_id", key=True),
    firm(),
    text("matter"),
    text("scope"),
    text("scope_id"),
    text("placed_by"),
    number("placed_at_utc_ms"),
    maybe_text("released_by"),
    maybe_number("released_at_utc_ms"),
    Index("legal_holds_by_scope", "scope", "scope_id"),
)
# An entry whose body and salt are gone, with the archived order (`erasure`, `expiry`) for it.
archive_erasures = Table(
    "archive_erasures",
    metadata,
    ref("entry_id", "archive_entries.entry_id", key=True),
    ref("order_entry_id", "archive_entries.entry_id"),
    firm(),
    number("erased_at_utc_ms"),
)
# The messages nobody is shown any more; their rows stay empty so that no copy comes in again.
erased_messages = Table(
    "erased_messages",
    metadata,
    ref("message_id", "messages.message_id", key=True),
    firm(),
    number("erased_at_utc_ms"),
)

# -- copies elsewhere ----------------------------------------------------------------------------

# `security` is none, starttls or tls; `form` is report (RFC 5322 journal) or original; a failing
# sink rests until `retry_at_utc_ms`. Every sealed entry before `next_index` is queued.
journal_sinks = Table(
    "journal_sinks",
    metadata,
    text("sink_id", key=True),
    firm(),
    text("name"),
    text("host"),
    number("port"),
    text("security"),
    text("username", default=""),
    text("password", default=""),
    text("ca_file", default=""),
    text("sender"),
    text("recipients"),
    text("domain"),
    text("form"),
    flag("per_participant"),
    maybe_number("max_age_days"),
    number("next_index", default=0),
    number("failures", default=0),
    number("retry_at_utc_ms", default=0),
    text("detail", default=""),
    flag("stopped"),
    UniqueConstraint("firm_id", "name"),
)
# One mail to one sink; `participant` is empty unless the sink takes a copy for each.
# `state` is ready, accepted (the sink's server answered 250), too_old or erased.
journal_copies = Table(
    "journal_copies",
    metadata,
    ref("sink_id", "journal_sinks.sink_id", key=True),
    ref("entry_id", "archive_entries.entry_id", key=True),
    text("participant", key=True, default=""),
    firm(),
    number("leaf_index"),
    text("mail_id"),
    number("archived_at_utc_ms"),
    text("state", default="ready"),
    number("attempts", default=0),
    number("next_at_utc_ms", default=0),
    maybe_number("accepted_at_utc_ms"),
    maybe_number("listed_at_utc_ms"),
    text("detail", default=""),
    Index("journal_copies_due", "sink_id", "state", "next_at_utc_ms"),
    Index("journal_copies_by_mail", "mail_id"),
    Index("journal_copies_by_entry", "entry_id"),
)
# What lies under Object Lock; `name` is the object's key below the bucket.
worm_copies = Table(
    "worm_copies",
    metadata,
    text("bucket", key=True),
    text("name", key=True),
    firm(),
    ref("entry_id", "archive_entries.entry_id"),
    text("version_id"),
    text("sha256"),
    number("retain_until_utc_ms"),
    number("stored_at_utc_ms"),
    Index("worm_copies_by_entry", "entry_id"),
)

_REFUSE = "BEGIN SELECT RAISE(ABORT, 'archive entries only grow'); END"
_ORDERED = "EXISTS (SELECT 1 FROM archive_erasures WHERE entry_id = {row}.entry_id)"
_MESSAGE_ERASED = "EXISTS (SELECT 1 FROM erased_messages WHERE message_id = OLD.message_id)"

# The only way for a body, or for the words of a justification, to go.
CUSTODY_TRIGGERS = (
    "DROP TRIGGER IF EXISTS archive_bodies_refuse_DELETE",
    "CREATE TRIGGER archive_bodies_refuse_DELETE BEFORE DELETE ON archive_bodies "
    f"WHEN NOT {_ORDERED.format(row='OLD')} {_REFUSE}",
    "CREATE TRIGGER IF NOT EXISTS archive_bodies_refuse_return BEFORE INSERT ON archive_bodies "
    f"WHEN {_ORDERED.format(row='NEW')} {_REFUSE}",
    """CREATE TRIGGER IF NOT EXISTS archive_erasures_need_order BEFORE INSERT ON archive_erasures
    WHEN NOT EXISTS (SELECT 1 FROM archive_entries WHERE entry_id = NEW.order_entry_id
    AND kind IN ('erasure', 'expiry'))
    BEGIN SELECT RAISE(ABORT, 'archive entries only grow'); END""",
    "CREATE TRIGGER IF NOT EXISTS archive_erasures_refuse_UPDATE "
    f"BEFORE UPDATE ON archive_erasures {_REFUSE}",
    "CREATE TRIGGER IF NOT EXISTS archive_erasures_refuse_DELETE "
    f"BEFORE DELETE ON archive_erasures {_REFUSE}",
    "DROP TRIGGER IF EXISTS decisions_refuse_UPDATE",
    "CREATE TRIGGER decisions_refuse_UPDATE BEFORE UPDATE ON decisions "
    f"WHEN NOT ({_MESSAGE_ERASED} AND NEW.justification = '' "
    "AND NEW.decision_id IS OLD.decision_id AND NEW.message_id IS OLD.message_id "
    "AND NEW.revision IS OLD.revision AND NEW.employee_id IS OLD.employee_id "
    "AND NEW.action IS OLD.action AND NEW.decision_hash IS OLD.decision_hash "
    "AND NEW.decision IS OLD.decision AND NEW.firm_id IS OLD.firm_id "
    "AND NEW.hint_decision_hash IS OLD.hint_decision_hash AND NEW.drift IS OLD.drift "
    f"AND NEW.decided_at_utc_ms IS OLD.decided_at_utc_ms) {_REFUSE}",
)
