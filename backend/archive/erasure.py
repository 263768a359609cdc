"""Owns the only way a body leaves the archive: under an order that is itself an entry.

It never touches a leaf, so every proof stays; and never erases what a legal hold keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from backend.archive.holds import StandingHolds
from backend.archive.retention import Schedule, archive_change
from backend.archive.witness_times import WitnessTimes
from backend.inbox.erasing import erase_messages
from backend.storage.custody_tables import archive_erasures
from backend.storage.tables import archive_bodies, archive_entries, jobs, messages
from contract.states import DeliveryState

ERASURE, EXPIRY = "erasure", "expiry"
# What the custody of the archive itself rests on is kept for good.
KEPT_FOR_GOOD = frozenset(
    {ERASURE, EXPIRY, "hold", "hold_release", "retention", "export", "statement"}
)
_CHUNK = 500


class ErasureRefused(Exception):
    """Nothing was erased; the text is a plain sentence that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrder:
    """Who orders the erasure of which messages or single entries, and on which ground.

    `basis` quotes the order or request; `within_retention` says that it overrides a period
    that still runs, as only a court or an authority can.
    """

    firm_id: str
    actor_id: str
    basis: str
    message_ids: tuple[str, ...] = ()
    entry_ids: tuple[str, ...] = ()
    within_retention: bool = False
    kind: str = ERASURE


class Erased(NamedTuple):
    """What an order took: the entry that holds the order, and how many bodies and messages."""

    order_entry_id: str
    entries: int
    messages: int


class Doomed(NamedTuple):
    """One entry that an order names."""

    entry_id: str
    kind: str
    conversation_id: str
    message_id: str
    archived_at_utc_ms: int


def erase(connection: Connection, order: ErasureOrder, now_utc_ms: int) -> Erased:
    """Carry an order out in the caller's transaction; the members are told by events.

    Bodies and salts go, the messages' words and files' names go, leaves and proofs stay. The
    files' bytes go by sweep_files, after the commit. Raises ErasureRefused.
    """
    if not order.basis.strip():
        raise ErasureRefused("Name the ground for the erasure.")
    doomed = _doomed(connection, order)
    if not doomed:
        raise ErasureRefused("There is nothing to erase: the ids are unknown or erased already.")
    _check_holds(connection, order, doomed)
    if order.kind == ERASURE:
        _check_period(connection, order, doomed, now_utc_ms)
    whole = sorted({entry.message_id for entry in doomed if entry.message_id})
    _check_settled(connection, whole)
    order_entry_id = archive_change(
        connection,
        order.kind,
        order.firm_id,
        order.actor_id,
        {
            "basis": order.basis,
            "entries": [entry.entry_id for entry in doomed],
            "messages": whole,
            "within_retention": order.within_retention,
        },
        now_utc_ms,
    )
    _take_bodies(connection, order, doomed, order_entry_id, now_utc_ms)
    erase_messages(connection, whole, now_utc_ms)
    return Erased(order_entry_id, len(doomed), len(whole))


def _doomed(connection: Connection, order: ErasureOrder) -> list[Doomed]:
    """Return the entries that still have a body; a message goes with all its entries."""
    entries = archive_entries.c
    query = (
        select(
            entries.entry_id,
            entries.kind,
            entries.conversation_id,
            entries.message_id,
            entries.archived_at_utc_ms,
        )
        .join(archive_bodies, archive_bodies.c.entry_id == entries.entry_id)
        .where(entries.firm_id == order.firm_id)
        .order_by(entries.sequence)
    )
    named = list(order.message_ids)
    singles = []
    for entry_id in order.entry_ids:
        row = connection.execute(query.where(entries.entry_id == entry_id)).one_or_none()
        if row is None:
            continue
        if row.kind in KEPT_FOR_GOOD:
            raise ErasureRefused("What the archive's own custody rests on can't be erased.")
        if row.message_id:
            named.append(row.message_id)
        else:
            singles.append(Doomed(*row))
    found = [
        Doomed(*row)
        for message_id in dict.fromkeys(named)
        for row in connection.execute(query.where(entries.message_id == message_id))
        if message_id
    ]
    return found + singles


def _check_holds(connection: Connection, order: ErasureOrder, doomed: Sequence[Doomed]) -> None:
    holds = StandingHolds(connection, order.firm_id)
    schedule = Schedule(connection, order.firm_id)
    for entry in doomed:
        clients = schedule.clients(entry.conversation_id) if entry.conversation_id else ()
        if holds.matters(entry.entry_id, entry.conversation_id, entry.message_id, clients):
            raise ErasureRefused("A legal hold keeps this: release the hold first.")


def _check_period(
    connection: Connection, order: ErasureOrder, doomed: Sequence[Doomed], now_utc_ms: int
) -> None:
    if order.within_retention:
        return
    schedule, times = Schedule(connection, order.firm_id), WitnessTimes(connection)
    for entry in doomed:
        begun = times.archived_at(entry.entry_id, entry.archived_at_utc_ms)
        until = schedule.kept_until(*entry[1:4], now_utc_ms if begun is None else begun)
        if until is not None and until > now_utc_ms:
            raise ErasureRefused(
                "Its retention period still runs: only an order that overrides it "
                "(--within-retention) can erase it."
            )


def _check_settled(connection: Connection, message_ids: Sequence[str]) -> None:
    for message_id in message_ids:
        under_way = connection.execute(
            select(jobs.c.job_id)
            .join(messages, messages.c.message_id == jobs.c.message_id)
            .where(
                jobs.c.message_id == message_id,
                (jobs.c.state != "done") | (messages.c.state == DeliveryState.UNKNOWN.value),
            )
            .limit(1)
        ).first()
        if under_way is not None:
            raise ErasureRefused(
                "A message is still on its way: settle its delivery first, then erase it."
            )


def _take_bodies(
    connection: Connection,
    order: ErasureOrder,
    doomed: Sequence[Doomed],
    order_entry_id: str,
    now_utc_ms: int,
) -> None:
    # The freed pages are overwritten; the key's holder could read them otherwise.
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    for at in range(0, len(doomed), _CHUNK):
        ids = [entry.entry_id for entry in doomed[at : at + _CHUNK]]
        connection.execute(
            insert(archive_erasures),
            [
                {
                    "entry_id": entry_id,
                    "order_entry_id": order_entry_id,
                    "firm_id": order.firm_id,
                    "erased_at_utc_ms": now_utc_ms,
                }
                for entry_id in ids
            ],
        )
        connection.execute(delete(archive_bodies).where(archive_bodies.c.entry_id.in_(ids)))
