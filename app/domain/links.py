"""Links of the scheme `parley:` that lead to a conversation or to a message.

It never follows one, and whatever is not exactly such a link is none.

    parley://conversation/<id>    parley://message/<id>
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from contract.ids import ConversationId, MessageId

SCHEME = "parley"
_LONGEST = 200
# Ids are opaque here: letters, digits, hyphen and underscore alone, so nothing to decode.
_FORM = re.compile(
    r"parley:(?://)?(?P<kind>conversation|message)/(?P<id>[a-z0-9][a-z0-9_-]{0,63})/?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ParleyLink:
    """Where a link leads: exactly one of the two is set."""

    conversation_id: ConversationId | None = None
    message_id: MessageId | None = None


def is_link(text: str) -> bool:
    """Tell whether a text claims to be a link of this scheme, well formed or not."""
    return text[: len(SCHEME) + 1].lower() == f"{SCHEME}:"


def parse_link(text: str) -> ParleyLink | None:
    """Return where a link leads, None for anything else; nothing is unescaped or mended."""
    found = _FORM.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    if found["kind"].lower() == "conversation":
        return ParleyLink(conversation_id=ConversationId(found["id"]))
    return ParleyLink(message_id=MessageId(found["id"]))


def link_to_conversation(conversation_id: ConversationId) -> str:
    """Return the link to a conversation."""
    return f"{SCHEME}://conversation/{conversation_id}"


def link_to_message(message_id: MessageId) -> str:
    """Return the link to a message."""
    return f"{SCHEME}://message/{message_id}"
