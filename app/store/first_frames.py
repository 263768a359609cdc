"""Writes the row that the next start shows before the store is open.

It never brings back what a purge took: a row that went meanwhile is not written over.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.domain.changes import ChangeSet
from app.domain.first_frame import INBOX_ROWS, TIMELINE_ROWS, FirstFrame, OpenedConversation
from app.domain.inbox import InboxQuery
from app.store.cache_tables import CACHE_VERSION
from app.store.contacts import ContactReads
from app.store.databases import Databases
from app.store.first_frame import FIRST_FRAME, encode_first_frame
from app.store.inbox import InboxReads
from app.store.timeline import TimelineReads
from contract.ids import ConversationId, EmployeeId
from contract.wire import Me

_TRIES = 3
_REPLACE = text("UPDATE meta SET value = :value WHERE key = :key")
_MAKE_ROOM = text("INSERT OR IGNORE INTO meta (key, value) VALUES (:key, x'')")


class FirstFrames:
    """Reads what the window would show now and keeps it for the next start."""

    def __init__(
        self,
        databases: Databases,
        inbox: InboxReads,
        timeline: TimelineReads,
        contacts: ContactReads,
    ) -> None:
        self._databases = databases
        self._inbox = inbox
        self._timeline = timeline
        self._contacts = contacts

    async def keep(
        self, conversation_id: ConversationId | None, me: Me | None, now_utc_ms: int
    ) -> bool:
        """Keep the inbox's first rows and the given conversation's newest ones.

        A purge takes the row in its own commit; one that came between the reading and the
        writing finds no row to write to, and all is read again. Returns False when that went on.
        Raises what the store raises.
        """
        for _ in range(_TRIES):
            value = encode_first_frame(
                await self._frame(conversation_id, me, now_utc_ms), CACHE_VERSION
            )
            if await self._replace(value):
                return True
            await self._databases.write_cache(_make_room)
        return False

    async def _frame(
        self, conversation_id: ConversationId | None, me: Me | None, now_utc_ms: int
    ) -> FirstFrame:
        page = await self._inbox.page(InboxQuery(now_utc_ms=now_utc_ms), INBOX_ROWS)
        return FirstFrame(
            rows=page.rows,
            counts=await self._inbox.counts(now_utc_ms, now_utc_ms),
            me_id=EmployeeId("") if me is None else me.employee_id,
            me_name="" if me is None else me.display_name,
            me_initials="" if me is None else me.initials,
            opened=None if conversation_id is None else await self._opened(conversation_id),
        )

    async def _opened(self, conversation_id: ConversationId) -> OpenedConversation | None:
        talk = await self._inbox.conversation(conversation_id)
        if talk is None:
            return None
        contacts = [await self._contacts.get(each) for each in talk.contact_ids]
        window = await self._timeline.around(conversation_id, None, TIMELINE_ROWS, 0)
        known = tuple(each for each in contacts if each is not None)
        return OpenedConversation(talk, known, window.rows, window.has_older)

    async def _replace(self, value: bytes) -> bool:
        def work(connection: Connection) -> tuple[bool, ChangeSet]:
            bound = {"key": FIRST_FRAME, "value": value}
            return connection.execute(_REPLACE, bound).rowcount == 1, ChangeSet()

        return await self._databases.write_cache(work)


def _make_room(connection: Connection) -> tuple[None, ChangeSet]:
    connection.execute(_MAKE_ROOM, {"key": FIRST_FRAME})
    return None, ChangeSet()
