"""Owns the finding of capture gaps: what may have been said and not recorded, for Compliance.

It never mends one: it makes sure that somebody looks at it (MiFID II 2017/565 article 76(2)).
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, delete, insert, select

from backend.delivery.accounts import pauses
from backend.directory.native_capture import native_accounts
from backend.governance.review_items import NewReview, add_review
from backend.storage.supervision_tables import review_items
from backend.storage.tables import (
    archive_entries,
    channel_accounts,
    firms,
    inbound_raw,
    properties,
)
from contract.supervision import ReviewKind

_LOOKED_TO = "review.looked_to"
_TELLING = {
    "alert": "A client program found the archive's proofs not as they should be.",
    "channel_alert": "A channel's account could not be used: messages waited, or never came in.",
    "unmatched": "A channel reported something about a message that is not in the archive.",
}
_UNREAD_MS = 10 * 60_000


def find_gaps(connection: Connection, now_utc_ms: int) -> tuple[NewReview, ...]:
    """Return the gaps that nobody was asked to look at yet; changes nothing."""
    known = set(
        connection.execute(
            select(review_items.c.subject).where(review_items.c.kind == ReviewKind.CAPTURE_GAP)
        ).scalars()
    )
    found = (
        *_paused(connection),
        *_unread(connection, now_utc_ms),
        *_silent(connection, now_utc_ms),
        *_told(connection, _looked_to(connection)),
    )
    return tuple(gap for gap in found if gap.subject not in known)


def enter_gaps(connection: Connection, now_utc_ms: int) -> int:
    """Enter the gaps into the review queue; returns how many were new."""
    entered = sum(
        add_review(connection, gap, now_utc_ms) for gap in find_gaps(connection, now_utc_ms)
    )
    newest = connection.execute(
        select(archive_entries.c.sequence).order_by(archive_entries.c.sequence.desc()).limit(1)
    ).scalar()
    connection.execute(delete(properties).where(properties.c.name == _LOOKED_TO))
    connection.execute(insert(properties).values(name=_LOOKED_TO, value=str(newest or 0)))
    return entered


def _paused(connection: Connection) -> Iterator[NewReview]:
    columns = channel_accounts.c
    rows = connection.execute(select(columns.account_id, columns.firm_id))
    firms = {row.account_id: row.firm_id for row in rows}
    for pause in pauses(connection):
        if pause.account_id in firms:
            yield NewReview(
                firm_id=firms[pause.account_id],
                kind=ReviewKind.CAPTURE_GAP,
                subject=f"pause:{pause.account_id}:{pause.since_utc_ms}",
                detail=f"Account {pause.account_id} is paused: {pause.reason}",
            )


def _unread(connection: Connection, now_utc_ms: int) -> Iterator[NewReview]:
    columns = inbound_raw.c
    rows = connection.execute(
        select(columns.account_id, columns.dedupe_key, columns.firm_id).where(
            columns.parsed.is_(False), columns.received_at_utc_ms < now_utc_ms - _UNREAD_MS
        )
    )
    for row in rows:
        yield NewReview(
            firm_id=row.firm_id,
            kind=ReviewKind.CAPTURE_GAP,
            subject=f"unread:{row.account_id}:{row.dedupe_key}",
            detail=f"Something that account {row.account_id} received can't be read yet.",
        )


def _silent(connection: Connection, now_utc_ms: int) -> Iterator[NewReview]:
    """Name the native accounts of which nothing was captured for too long, once per silence."""
    for firm_id in connection.execute(select(firms.c.firm_id)).scalars().all():
        for account in native_accounts(connection, firm_id):
            if not account.is_silent(now_utc_ms):
                continue
            yield NewReview(
                firm_id=firm_id,
                kind=ReviewKind.CAPTURE_GAP,
                subject=f"silent:{account.account_id}:{account.quiet_since_utc_ms}",
                detail=f"Nothing was captured of native account {account.account_id} for more "
                f"than {account.silent_after_h} hours.",
            )


def _told(connection: Connection, after_sequence: int) -> Iterator[NewReview]:
    columns = archive_entries.c
    rows = connection.execute(
        select(columns.entry_id, columns.kind, columns.firm_id).where(
            columns.sequence > after_sequence, columns.kind.in_(list(_TELLING))
        )
    )
    for row in rows:
        yield NewReview(
            firm_id=row.firm_id,
            kind=ReviewKind.CAPTURE_GAP,
            subject=f"entry:{row.entry_id}",
            detail=_TELLING[row.kind],
        )


def _looked_to(connection: Connection) -> int:
    value = connection.execute(
        select(properties.c.value).where(properties.c.name == _LOOKED_TO)
    ).scalar_one_or_none()
    return -1 if value is None else int(value)
