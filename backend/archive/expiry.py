"""Owns the expiry of entries whose retention period ended, under an archived expiry order.

It never takes a message before the last of its versions may go, and no entry under a hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, select

from backend.archive.erasure import (
    EXPIRY,
    KEPT_FOR_GOOD,
    Doomed,
    Erased,
    ErasureOrder,
    ErasureRefused,
    erase,
)
from backend.archive.holds import StandingHolds
from backend.archive.retention import Schedule, add_months
from backend.archive.witness_times import WitnessTimes
from backend.storage.tables import archive_bodies, archive_entries, jobs

BASIS = "retention period ended"
_DAY_MS = 86_400_000  # months differ in length; the exact day is looked at for each entry


class Expired(NamedTuple):
    """What one run found: messages and single entries past their period, and those on hold."""

    message_ids: tuple[str, ...]
    entry_ids: tuple[str, ...]
    held: int


def find_expired(connection: Connection, firm_id: str, now_utc_ms: int, limit: int) -> Expired:
    """Return up to `limit` messages and entries that may go, the oldest first; changes nothing."""
    schedule, holds = Schedule(connection, firm_id), StandingHolds(connection, firm_id)
    times = WitnessTimes(connection)
    message_ids: list[str] = []
    entry_ids: list[str] = []
    held = 0
    for group in _groups(connection, firm_id, schedule, now_utc_ms):
        if len(message_ids) + len(entry_ids) >= limit:
            break
        if not all(_is_over(schedule, times, entry, now_utc_ms) for entry in group):
            continue
        if any(_is_held(schedule, holds, entry) for entry in group):
            held += 1
        elif group[0].message_id:
            message_ids.append(group[0].message_id)
        else:
            entry_ids.append(group[0].entry_id)
    return Expired(tuple(message_ids), tuple(entry_ids), held)


def expire(
    connection: Connection, firm_id: str, actor_id: str, now_utc_ms: int, limit: int = 500
) -> Erased | None:
    """Erase what expired, up to `limit` at a time; None when there is nothing.

    The run is an entry of kind `expiry` that names all it took.
    """
    found = find_expired(connection, firm_id, now_utc_ms, limit)
    if not (found.message_ids or found.entry_ids):
        return None
    order = ErasureOrder(
        firm_id=firm_id,
        actor_id=actor_id,
        basis=BASIS,
        message_ids=found.message_ids,
        entry_ids=found.entry_ids,
        kind=EXPIRY,
    )
    try:
        return erase(connection, order, now_utc_ms)
    except ErasureRefused as refused:
        raise AssertionError("what was found expired could not be erased") from refused


def _groups(
    connection: Connection, firm_id: str, schedule: Schedule, now_utc_ms: int
) -> Iterator[list[Doomed]]:
    """Yield the entries of each message, or single ones, that are old enough to be looked at."""
    months = schedule.shortest_months
    if months is None:
        return
    entries = archive_entries.c
    under_way = select(jobs.c.message_id).where(jobs.c.state != "done")
    rows = connection.execute(
        select(
            entries.entry_id,
            entries.kind,
            entries.conversation_id,
            entries.message_id,
            entries.archived_at_utc_ms,
        )
        .join(archive_bodies, archive_bodies.c.entry_id == entries.entry_id)
        .where(
            entries.firm_id == firm_id,
            entries.kind.not_in(KEPT_FOR_GOOD),
            entries.archived_at_utc_ms <= add_months(now_utc_ms, -months) + 4 * _DAY_MS,
            entries.message_id.not_in(under_way),
        )
        .order_by(entries.sequence)
    )
    seen: set[str] = set()
    for row in rows:
        entry = Doomed(*row)
        if not entry.message_id:
            yield [entry]
        elif entry.message_id not in seen:
            seen.add(entry.message_id)
            yield _entries_of(connection, entry.message_id)


def _entries_of(connection: Connection, message_id: str) -> list[Doomed]:
    entries = archive_entries.c
    rows = connection.execute(
        select(
            entries.entry_id,
            entries.kind,
            entries.conversation_id,
            entries.message_id,
            entries.archived_at_utc_ms,
        )
        .join(archive_bodies, archive_bodies.c.entry_id == entries.entry_id)
        .where(entries.message_id == message_id)
        .order_by(entries.sequence)
    )
    return [Doomed(*row) for row in rows]


def _is_over(schedule: Schedule, times: WitnessTimes, entry: Doomed, now_utc_ms: int) -> bool:
    until = schedule.kept_until(*entry[1:])
    if until is None or until > now_utc_ms:
        return False
    begun = times.archived_at(entry.entry_id, entry.archived_at_utc_ms)
    if begun is None:
        return False
    credible = schedule.kept_until(*entry[1:4], begun)
    return credible is not None and credible <= now_utc_ms


def _is_held(schedule: Schedule, holds: StandingHolds, entry: Doomed) -> bool:
    clients = schedule.clients(entry.conversation_id) if entry.conversation_id else ()
    return bool(holds.matters(entry.entry_id, entry.conversation_id, entry.message_id, clients))
