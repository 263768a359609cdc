"""Owns the queue of journal mails: what each sink is owed, what it took, what failed and when.

It never forgets a mail that was not accepted, and sends none.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from backend.archive.letters import draft_letter
from backend.archive.mail import mail_id
from backend.archive.selection import COMMUNICATIONS, Record, Selection, sealed_records, sealed_size
from backend.archive.sinks import FORM_REPORT, Sink
from backend.storage.custody_tables import journal_copies, journal_sinks

READY, ACCEPTED, TOO_OLD, ERASED = "ready", "accepted", "too_old", "erased"
DAY_MS = 86_400_000
_PAGE = 500
_FIRST_PAUSE_MS = 30_000
_LONGEST_PAUSE_MS = 3_600_000


class Copy(NamedTuple):
    """One mail that is owed to a sink."""

    entry_id: str
    participant: str
    archived_at_utc_ms: int
    attempts: int


def enqueue(connection: Connection, sink: Sink) -> bool:
    """Queue what was sealed since the last time, a page of it; true when there is more."""
    end = min(sealed_size(connection), sink.next_index + _PAGE)
    chosen = Selection(first_index=sink.next_index, end_index=end, kinds=COMMUNICATIONS)
    rows = [
        row
        for record in sealed_records(connection, chosen, _PAGE)
        for row in _rows(connection, sink, record)
    ]
    if rows:
        connection.execute(sqlite_insert(journal_copies).on_conflict_do_nothing(), rows)
    if end > sink.next_index:
        connection.execute(
            update(journal_sinks)
            .where(journal_sinks.c.sink_id == sink.sink_id)
            .values(next_index=end)
        )
    return end < sealed_size(connection)


def due_copies(connection: Connection, sink: Sink, now_utc_ms: int, limit: int) -> tuple[Copy, ...]:
    """Return the mails whose time has come, the longest waiting first."""
    columns = journal_copies.c
    rows = connection.execute(
        select(columns.entry_id, columns.participant, columns.archived_at_utc_ms, columns.attempts)
        .where(
            columns.sink_id == sink.sink_id,
            columns.state == READY,
            columns.next_at_utc_ms <= now_utc_ms,
        )
        .order_by(columns.next_at_utc_ms, columns.leaf_index, columns.participant)
        .limit(limit)
    )
    return tuple(Copy(*row) for row in rows)


def next_due_utc_ms(connection: Connection, sink: Sink) -> int | None:
    """Return when the next mail of a sink is due, or None when it is owed nothing."""
    columns = journal_copies.c
    due = connection.execute(
        select(func.min(columns.next_at_utc_ms)).where(
            columns.sink_id == sink.sink_id, columns.state == READY
        )
    ).scalar()
    return None if due is None else max(due, sink.retry_at_utc_ms)


def note_accepted(connection: Connection, sink: Sink, copy: Copy, now_utc_ms: int) -> None:
    """Note that the sink's server took a mail."""
    _note(connection, sink, copy, state=ACCEPTED, accepted_at_utc_ms=now_utc_ms, detail="")


def note_refused(
    connection: Connection, sink: Sink, copy: Copy, detail: str, now_utc_ms: int
) -> None:
    """Put a mail off, twice as long after each try (30 s to 1 h); it is never given up."""
    pause_ms = min(_FIRST_PAUSE_MS << min(copy.attempts, 10), _LONGEST_PAUSE_MS)
    _note(connection, sink, copy, next_at_utc_ms=now_utc_ms + pause_ms, detail=detail)


def note_settled(connection: Connection, sink: Sink, copy: Copy, state: str) -> None:
    """Note that a mail will not be sent: `too_old` for the sink, or its entry was erased."""
    _note(connection, sink, copy, state=state, detail=state)


def too_old(sink: Sink, copy: Copy, now_utc_ms: int) -> bool:
    """Tell whether the sink would drop a mail of this age."""
    days = sink.settings.max_age_days
    return days is not None and now_utc_ms - copy.archived_at_utc_ms > days * DAY_MS


def journal_confirmed_at(connection: Connection, entry_id: str) -> int | None:
    """Return when the last of the sinks owed an entry took it; None while one has not."""
    columns = journal_copies.c
    known = connection.execute(
        select(columns.accepted_at_utc_ms).where(columns.entry_id == entry_id)
    ).scalars()
    times = [0 if time is None else time for time in known]
    return max(times) if times and all(times) else None


def _rows(connection: Connection, sink: Sink, record: Record) -> list[dict[str, object]]:
    said = sink.settings
    report = said.form == FORM_REPORT
    return [
        {
            "sink_id": sink.sink_id,
            "entry_id": record.entry_id,
            "participant": participant,
            "firm_id": record.firm_id,
            "leaf_index": record.leaf_index,
            "mail_id": mail_id(
                record.entry_id, said.domain, report=report, participant=participant
            ),
            "archived_at_utc_ms": record.archived_at_utc_ms,
        }
        for participant in _participants(connection, sink, record)
    ]


def _participants(connection: Connection, sink: Sink, record: Record) -> list[str]:
    """Return the mail addresses that get a copy each, or one empty text for a single copy."""
    if not sink.settings.per_participant:
        return [""]
    draft = draft_letter(connection, record)
    if draft is None:
        return [""]
    parties = (draft.letter.sender, *draft.letter.recipients)
    return list(dict.fromkeys(party.mail_address(sink.settings.domain) for party in parties))


def _note(connection: Connection, sink: Sink, copy: Copy, **changes: object) -> None:
    columns = journal_copies.c
    connection.execute(
        update(journal_copies)
        .where(
            columns.sink_id == sink.sink_id,
            columns.entry_id == copy.entry_id,
            columns.participant == copy.participant,
        )
        .values(attempts=copy.attempts + 1, **changes)
    )
