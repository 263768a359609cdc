"""Owns the tables of supervision: approvals, incidents, reviews, meters, group walls, templates.

It never runs a query and knows no rule of the business.
"""

from __future__ import annotations

from sqlalchemy import Index, Table, UniqueConstraint

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

# -- what Compliance has set ---------------------------------------------------------------------

# Figures of the firm: hours until an approval expires, samples per thousand; absent: the default.
policy_settings = Table(
    "policy_settings",
    metadata,
    text("firm_id", key=True),
    text("name", key=True),
    number("value"),
)
# A text that the channel approved for use outside its reply window.
templates = Table(
    "templates",
    metadata,
    text("template_id", key=True),
    firm(),
    text("channel"),
    text("language"),
    text("name"),
    text("body"),
    number("parameters", default=0),
    flag("withdrawn"),
)

# -- held messages ---------------------------------------------------------------------------------

# `findings` is JSON of contract.wire.WireFinding: what the sender saw, and the supervisor sees.
approvals = Table(
    "approvals",
    metadata,
    text("approval_id", key=True),
    firm(),
    ref("message_id", "messages.message_id"),
    ref("conversation_id", "conversations.conversation_id"),
    text("author_id"),
    text("state", default="pending"),
    blob("findings"),
    number("held_at_utc_ms"),
    number("expires_at_utc_ms"),
    maybe_text("decided_by"),
    maybe_number("decided_at_utc_ms"),
    text("note", default=""),
    Index("approvals_by_state", "firm_id", "state", "held_at_utc_ms"),
    Index("approvals_by_message", "message_id"),
)

# -- evaluations after the first -------------------------------------------------------------------

# The evaluations at an approval, before delivery and at a fire time; `cause` names which.
# `entry_id` is the archive entry that holds `decision_hash`, empty when nothing came of it.
later_decisions = Table(
    "later_decisions",
    metadata,
    text("later_id", key=True),
    firm(),
    text("message_id"),
    text("cause"),
    text("action"),
    text("decision_hash"),
    blob("decision"),
    text("entry_id", default=""),
    number("decided_at_utc_ms"),
    Index("later_decisions_by_message", "message_id"),
)
# A hint that differed; `kind` is stale (other bundle or facts) or incident (equal ones).
hint_differences = Table(
    "hint_differences",
    metadata,
    text("decision_id", key=True),
    firm(),
    text("kind"),
    blob("hint"),
    blob("ours"),
    text("entry_id", default=""),
    number("at_utc_ms"),
    Index("hint_differences_by_kind", "firm_id", "kind", "at_utc_ms"),
)

# -- reviews ---------------------------------------------------------------------------------------

# `subject` names what is looked at, once per kind; `rule_ids` is a JSON list.
review_items = Table(
    "review_items",
    metadata,
    text("review_id", key=True),
    firm(),
    text("kind"),
    text("subject"),
    text("message_id", default=""),
    text("conversation_id", default=""),
    text("employee_id", default=""),
    text("decision_id", default=""),
    text("rule_ids", default="[]"),
    text("detail", default=""),
    number("created_at_utc_ms"),
    flag("closed"),
    UniqueConstraint("firm_id", "kind", "subject"),
    Index("review_items_open", "firm_id", "closed", "created_at_utc_ms", "review_id"),
)
review_steps = Table(
    "review_steps",
    metadata,
    ref("review_id", "review_items.review_id", key=True),
    number("n", key=True),
    firm(),
    text("reviewer_id"),
    text("step"),
    text("note", default=""),
    number("at_utc_ms"),
    text("entry_id"),
)

# -- meters ----------------------------------------------------------------------------------------

# Retail clients reached with one text (`reach_key`), by anybody, on any channel.
retail_reach = Table(
    "retail_reach",
    metadata,
    text("message_id", key=True),
    text("contact_id", key=True),
    firm(),
    text("reach_key"),
    number("at_utc_ms"),
    Index("retail_reach_by_key", "firm_id", "reach_key", "at_utc_ms"),
)
gifts_given = Table(
    "gifts_given",
    metadata,
    text("gift_id", key=True),
    firm(),
    ref("contact_id", "contacts.contact_id"),
    text("employee_id"),
    number("amount_minor"),
    text("currency"),
    number("given_at_utc_ms"),
    text("entry_id"),
    Index("gifts_given_by_contact", "contact_id", "given_at_utc_ms"),
)

# -- facts -----------------------------------------------------------------------------------------

# Account numbers of clients as keyed hashes; the number itself is stored nowhere.
client_accounts = Table(
    "client_accounts",
    metadata,
    ref("contact_id", "contacts.contact_id", key=True),
    text("account_hash", key=True),
    firm(),
    Index("client_accounts_by_firm", "firm_id"),
)
# Rises with every change of walls, consents or accounts that concern the conversation.
conversation_facts = Table(
    "conversation_facts",
    metadata,
    ref("conversation_id", "conversations.conversation_id", key=True),
    firm(),
    number("version", default=0),
)
# Walls between groups of employees and contacts; `member_kind` is employee or contact.
wall_groups = Table(
    "wall_groups",
    metadata,
    text("group_id", key=True),
    firm(),
    text("name"),
)
wall_members = Table(
    "wall_members",
    metadata,
    ref("group_id", "wall_groups.group_id", key=True),
    text("member_kind", key=True),
    text("member_id", key=True),
    firm(),
    Index("wall_members_by_member", "member_kind", "member_id"),
)
# From one group to another; `both_ways` denies the other direction, too.
group_walls = Table(
    "group_walls",
    metadata,
    ref("from_group_id", "wall_groups.group_id", key=True),
    ref("to_group_id", "wall_groups.group_id", key=True),
    firm(),
    flag("both_ways"),
    text("reference", default=""),
)
# The one confirmation of an opt-out on one contact point of an account (TCPA).
optout_confirmations = Table(
    "optout_confirmations",
    metadata,
    ref("message_id", "messages.message_id", key=True),
    firm(),
    ref("conversation_id", "conversations.conversation_id"),
    number("opted_out_at_utc_ms"),
    number("send_before_utc_ms"),
    Index("optout_confirmations_by_conversation", "conversation_id"),
)
