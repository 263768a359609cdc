"""Owns the comparison of what a sink says it holds with what it was sent and is owed.

It never takes a sink's word for more than the Message-IDs it lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from backend.archive.journal_queue import ACCEPTED, DAY_MS, ERASED, READY
from backend.archive.mail import mail_names
from backend.archive.sinks import Sink
from backend.storage.custody_tables import journal_copies

OLD_DAYS = 30
_ID = re.compile(r"[^\s<>,;\"']+@[^\s<>,;\"']+")


class Unconfirmed(NamedTuple):
    """One mail a sink has not confirmed; `too_old_to_send` ones (30 days) need another way in."""

    leaf_index: int
    entry_id: str
    mail_id: str
    participant: str
    state: str
    detail: str
    attempts: int
    age_days: int
    too_old_to_send: bool


class Reconciliation(NamedTuple):
    """The outcome: how many mails a sink confirmed, which it has not, and ids nobody sent."""

    confirmed: int
    missing: tuple[Unconfirmed, ...]
    foreign: int


def listed_ids(text: str) -> frozenset[str]:
    """Return the Message-IDs in a sink's list, be it CSV, JSON or one a line."""
    return frozenset(f"<{found}>" for found in _ID.findall(text))


def reconcile(
    connection: Connection, sink: Sink, listed: Iterable[str] | None, now_utc_ms: int
) -> Reconciliation:
    """Compare; without a list the server's 250 counts, with one only what is or was on it.

    Notes what the list confirms.
    """
    if listed is not None:
        foreign = _note_listed(connection, sink, frozenset(listed), now_utc_ms)
    else:
        foreign = 0
    columns = journal_copies.c
    done = columns.accepted_at_utc_ms if listed is None else columns.listed_at_utc_ms
    mine = (columns.sink_id == sink.sink_id, columns.state != ERASED)
    rows = connection.execute(
        select(journal_copies, done.label("done_at_utc_ms"))
        .where(*mine)
        .order_by(columns.leaf_index, columns.participant)
    ).all()
    missing = tuple(
        Unconfirmed(
            leaf_index=row.leaf_index,
            entry_id=row.entry_id,
            mail_id=row.mail_id,
            participant=row.participant,
            state=row.state,
            detail=row.detail,
            attempts=row.attempts,
            age_days=(age_ms := now_utc_ms - row.archived_at_utc_ms) // DAY_MS,
            too_old_to_send=age_ms > OLD_DAYS * DAY_MS,
        )
        for row in rows
        if row.done_at_utc_ms is None
    )
    return Reconciliation(len(rows) - len(missing), missing, foreign)


def send_again(connection: Connection, sink: Sink, missing: Iterable[Unconfirmed]) -> int:
    """Queue anew what the sink accepted but does not hold; returns how many mails."""
    columns, again = journal_copies.c, 0
    for each in missing:
        if each.state != ACCEPTED:
            continue
        connection.execute(
            update(journal_copies)
            .where(
                columns.sink_id == sink.sink_id,
                columns.entry_id == each.entry_id,
                columns.participant == each.participant,
            )
            .values(state=READY, next_at_utc_ms=0, accepted_at_utc_ms=None)
        )
        again += 1
    return again


def _note_listed(
    connection: Connection, sink: Sink, listed: frozenset[str], now_utc_ms: int
) -> int:
    """Mark the mails on the list; returns how many listed ids are none of ours."""
    columns = journal_copies.c
    known: set[str] = set()
    rows = connection.execute(
        select(
            columns.entry_id, columns.participant, columns.mail_id, columns.listed_at_utc_ms
        ).where(columns.sink_id == sink.sink_id)
    ).all()
    for row in rows:
        names = mail_names(row.mail_id) & listed
        known |= names
        if names and row.listed_at_utc_ms is None:
            connection.execute(
                update(journal_copies)
                .where(
                    columns.sink_id == sink.sink_id,
                    columns.entry_id == row.entry_id,
                    columns.participant == row.participant,
                )
                .values(listed_at_utc_ms=now_utc_ms)
            )
    return len(listed - known)
