"""Owns the record of gifts to clients, archived one by one, and what the year holds so far.

It never says what a client may be given: the policy bundle does (FINRA 3220).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, insert, select

from backend.archive.entries import append_act
from backend.storage.bulk import Prepared
from backend.storage.supervision_tables import gifts_given
from backend.storage.tables import contacts
from contract.ids import uuid7

_GIVEN = Prepared(
    select(gifts_given.c.contact_id, gifts_given.c.amount_minor, gifts_given.c.currency)
    .where(
        gifts_given.c.contact_id.in_(bindparam("ids", expanding=True)),
        gifts_given.c.given_at_utc_ms >= bindparam("since"),
        gifts_given.c.given_at_utc_ms <= bindparam("now"),
    )
    .order_by(gifts_given.c.given_at_utc_ms, gifts_given.c.gift_id),
    *("ids", "since", "now"),
)


def record_gift(
    connection: Connection,
    *,
    contact_id: str,
    employee_id: str,
    amount_minor: int,
    currency: str,
    given_at_utc_ms: int,
    now_utc_ms: int,
) -> str:
    """Archive and keep one gift; `amount_minor` counts cents or the like, `currency` is ISO 4217.

    Raises sqlalchemy.exc.NoResultFound for an unknown contact, ValueError for no amount.
    """
    if amount_minor <= 0 or len(currency) != 3:
        raise ValueError("a gift has an amount and a currency of three letters")
    firm_id: str = connection.execute(
        select(contacts.c.firm_id).where(contacts.c.contact_id == contact_id)
    ).scalar_one()
    archived = append_act(
        connection,
        kind="gift",
        actor_id=employee_id,
        told={"amount_minor": amount_minor, "contact": contact_id, "currency": currency.upper()},
        occurred_at_utc_ms=given_at_utc_ms,
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
    gift_id = uuid7(now_utc_ms, os.urandom(10))
    connection.execute(
        insert(gifts_given).values(
            gift_id=gift_id,
            firm_id=firm_id,
            contact_id=contact_id,
            employee_id=employee_id,
            amount_minor=amount_minor,
            currency=currency.upper(),
            given_at_utc_ms=given_at_utc_ms,
            entry_id=archived.entry_id,
        )
    )
    return gift_id


def gifts_of_year(
    connection: Connection, contact_ids: Collection[str], now_utc_ms: int
) -> tuple[tuple[str, int, str], ...]:
    """Return (contact, amount in minor units, currency) of each gift since 1 January, UTC."""
    year = datetime.fromtimestamp(now_utc_ms / 1000, UTC).year
    since_utc_ms = int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)
    rows = _GIVEN.rows(connection, list(contact_ids), since_utc_ms, now_utc_ms)
    return tuple((contact_id, amount, currency) for contact_id, amount, currency in rows)
