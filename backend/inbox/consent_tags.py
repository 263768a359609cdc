"""The tags a conversation wears because of its clients' consents.

It never decides whether a message may go: policy does that from the consents themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import BindParameter, Connection, bindparam, or_, select

from backend.storage.bulk import Prepared
from backend.storage.tables import consents, conversation_contacts, conversations
from contract.wire import ConsentKind, ConsentStatus

OPTED_OUT = "opted_out"
PENDING = "pending"
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_TAGGED = Prepared(
    select(conversations.c.conversation_id, consents.c.kind, consents.c.status)
    .join(
        conversation_contacts,
        conversation_contacts.c.conversation_id == conversations.c.conversation_id,
    )
    .join(consents, consents.c.contact_id == conversation_contacts.c.contact_id)
    .where(
        conversations.c.conversation_id.in_(_IDS),
        or_(consents.c.channel == "", consents.c.channel == conversations.c.channel),
        or_(
            consents.c.status == ConsentStatus.OPTED_OUT,
            (consents.c.status == ConsentStatus.PENDING)
            & (consents.c.kind == ConsentKind.RECORDING),
        ),
    ),
    "ids",
)


def consent_tags(connection: Connection, conversation_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the consent tags per conversation: `opted_out` first, else `pending`.

    A consent counts when it holds for the conversation's channel or for all channels.
    """
    statuses: dict[str, set[str]] = defaultdict(set)
    for conversation_id, _, status in _TAGGED.rows(connection, list(conversation_ids)):
        statuses[conversation_id].add(status)
    return {
        conversation_id: [OPTED_OUT if ConsentStatus.OPTED_OUT in found else PENDING]
        for conversation_id, found in statuses.items()
    }
