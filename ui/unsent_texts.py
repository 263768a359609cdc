"""Reads what the person wrote on this computer and the service has not taken yet, as plain text.

It never changes a draft or a waiting message.
"""

from __future__ import annotations

from app.core import Core
from contract.ids import ConversationId
from contract.states import OutboxState

_WORDS = {
    OutboxState.REFUSED: "Not sent",
    OutboxState.ACCEPTED: "Sent, the archive's proof is not checked yet",
}


async def unsent_texts(core: Core) -> str:
    """Return drafts and waiting messages with whom they are for; "" when there is nothing."""
    await core.opened()
    parts = []
    for home in sorted(await core.store.drafts.all_ids()):
        draft = await core.store.drafts.get(home)
        if draft is not None and draft.text.strip():
            parts.append(_part(await _title(core, home), "Draft", draft.text))
    for entry in await core.store.outbox.list_waiting():
        state = _WORDS.get(entry.state, "Waiting to be sent")
        parts.append(_part(await _title(core, entry.conversation_id), state, entry.text))
    return "\n\n".join(parts)


async def _title(core: Core, home: ConversationId) -> str:
    found = await core.store.inbox.conversation(home)
    return found.title if found is not None else "A conversation that is not on this computer"


def _part(title: str, state: str, text: str) -> str:
    return f"{title} ({state})\n{text}"
