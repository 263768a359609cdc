"""Keeps what was begun of an import over restarts, beside the drafts, in the encrypted outbox file.

It never keeps the file itself nor anything that was written in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.domain.clock import Clock
from app.domain.drafts import Draft
from app.domain.imports import NO_CONTACT, Person, ReadAs, Unfinished, Who
from contract.ids import ContactId, ConversationId

if TYPE_CHECKING:
    from app.store.drafts import DraftStore

# No conversation bears this id: the backend's are UUIDs.
KEPT_ID = ConversationId("import-from-phone")


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    path: str
    sha256: str
    chat_key: str
    zone: str
    people: dict[str, tuple[str, str, str]]
    order: str = ""
    upload_id: str = ""
    import_id: str = ""
    new: int = 0
    confirmed: bool = False


class ImportKeeping:
    """At most one import is begun at a time."""

    def __init__(self, drafts: DraftStore, clock: Clock) -> None:
        self._drafts = drafts
        self._clock = clock

    async def keep(self, begun: Unfinished | None) -> None:
        """Keep what was begun in place of what was kept; None keeps nothing."""
        told = "" if begun is None else msgspec.json.encode(_kept(begun)).decode()
        now = self._clock.now_utc_ms()
        await self._drafts.save(Draft(KEPT_ID, told, saved_at_utc_ms=now))

    async def kept(self) -> Unfinished | None:
        """Return what was kept, None for nothing or what another version kept."""
        draft = await self._drafts.get(KEPT_ID)
        if draft is None or not draft.text:
            return None
        try:
            return _begun(msgspec.json.decode(draft.text, type=_Kept))
        except (msgspec.DecodeError, ValueError):
            return None


def _kept(begun: Unfinished) -> _Kept:
    return _Kept(
        path=str(begun.path),
        sha256=begun.sha256,
        chat_key=begun.chat_key,
        zone=begun.read_as.zone,
        people={
            name: (person.who.value, person.contact_id, person.name)
            for name, person in begun.people.items()
        },
        order=begun.read_as.order.value if begun.read_as.order is not None else "",
        upload_id=begun.upload_id,
        import_id=begun.import_id,
        new=begun.new,
        confirmed=begun.confirmed,
    )


def _begun(kept: _Kept) -> Unfinished:
    from contract.imports.day_order import DayOrder

    return Unfinished(
        path=Path(kept.path),
        sha256=kept.sha256,
        chat_key=kept.chat_key,
        people={
            name: Person(Who(who), ContactId(contact_id) if contact_id else NO_CONTACT, called)
            for name, (who, contact_id, called) in kept.people.items()
        },
        read_as=ReadAs(kept.zone, DayOrder(kept.order) if kept.order else None),
        upload_id=kept.upload_id,
        import_id=kept.import_id,
        new=kept.new,
        confirmed=kept.confirmed,
    )
