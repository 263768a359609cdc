"""What a person would look at: conversations by name, a text's row, the sentences on screen.

It never changes anything.
"""

from __future__ import annotations

from app.core import Core
from app.domain.inbox import InboxQuery
from app.domain.status import Link
from app.domain.timeline import TimelineRow
from contract.ids import ConversationId
from contract.states import DeliveryState
from contract.wire import Direction
from tests.support.waiting import eventually
from ui.models.status_words import banners

DONE = frozenset(
    {DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ}
)


async def conversation_of(core: Core, title: str) -> ConversationId:
    """Return the id of the conversation with this title one may write in, once it is synced."""

    async def look() -> list[ConversationId]:
        after = None
        while True:
            page = await core.store.inbox.page(InboxQuery(), 100, after)
            for row in page.rows:
                if row.conversation.title == title and row.conversation.send is not None:
                    return [row.conversation.conversation_id]
            after = page.next_key
            if after is None:
                return []

    return (await eventually(look, f"the conversation with {title}"))[0]


async def rows_of(core: Core, conversation_id: ConversationId) -> tuple[TimelineRow, ...]:
    """Return the newest 400 rows of a timeline."""
    return (await core.store.timeline.around(conversation_id, None, 400, 0)).rows


async def row_of(core: Core, conversation_id: ConversationId, text: str) -> TimelineRow | None:
    """Return the row of a text; fails when the timeline shows it twice."""
    found = [row for row in await rows_of(core, conversation_id) if row.message.text == text]
    assert len(found) < 2, f"{text!r} is shown twice"
    return found[0] if found else None


async def sent_texts(core: Core, conversation_id: ConversationId) -> list[str]:
    """Return the employee's texts as the timeline shows them."""
    rows = await rows_of(core, conversation_id)
    return [row.message.text for row in rows if row.message.direction is Direction.OUT]


async def all_done(
    core: Core, conversation_id: ConversationId, *texts: str, timeout_s: float = 60.0
) -> None:
    """Wait until the channel has each text and nothing of them waits here."""

    async def look() -> bool:
        rows = [await row_of(core, conversation_id, text) for text in texts]
        return all(
            row is not None and row.outbox is None and row.message.state in DONE for row in rows
        )

    await eventually(look, f"{texts} to be delivered", timeout_s=timeout_s)


async def linked(core: Core, link: Link) -> None:
    """Wait for a state of the connection."""

    async def look() -> bool:
        return core.status.link is link and not core.status.syncing

    await eventually(look, f"the link to be {link}")


def on_screen(core: Core) -> str:
    """Return every sentence of the banners above the inbox."""
    return "\n".join(f"{strip.lead} {strip.text}" for strip in banners(core.status))


async def shown(core: Core, words: str) -> None:
    """Wait until the banners above the inbox say these words."""

    async def look() -> bool:
        return words in on_screen(core)

    await eventually(look, f"{words!r} on screen, which says: {on_screen(core)}")
