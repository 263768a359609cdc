"""Owns the search over messages: which of them an employee may see and asked for, newest first.

It never changes a row, and never finds what the employee is no member of now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from backend.inbox.rendering import read_messages
from backend.inbox.search_index import LIVE_ROWS
from contract import search_tags as tags
from contract.search import SearchMessages
from contract.search_terms import holds_name, match_expression, query_terms
from contract.wire import Me, Message

NEWEST = 1 << 62
CANDIDATES = 400
_MOST_TAGGED = 64
_MATCHING = text(
    "SELECT rowid FROM message_search WHERE message_search MATCH :expression AND rowid < :below"
    " ORDER BY rowid DESC LIMIT :most"
)
_SEEN = text(
    "SELECT r.value, m.message_id, m.author_id, m.author_name FROM json_each(:rows) r"
    " CROSS JOIN archive_entries e ON e.sequence = r.value % :live_rows"
    " JOIN messages m ON m.message_id = e.message_id"
    " JOIN conversation_members s ON s.conversation_id = m.conversation_id"
    " AND s.employee_id = :employee"
    " JOIN conversations c ON c.conversation_id = m.conversation_id"
    " WHERE m.firm_id = :firm AND m.deleted = 0"
    " AND m.place_at_utc_ms >= :after AND m.place_at_utc_ms < :before"
    " AND (:homes IS NULL OR m.conversation_id IN (SELECT value FROM json_each(:homes)))"
    " AND (:channels IS NULL OR c.channel IN (SELECT value FROM json_each(:channels)))"
    " AND NOT EXISTS (SELECT 1 FROM erased_messages x WHERE x.message_id = m.message_id)"
    " ORDER BY r.value DESC"
)
_HOMES = text(
    "SELECT DISTINCT t.conversation_id, t.contact_id FROM conversation_contacts t"
    " JOIN conversation_members s ON s.conversation_id = t.conversation_id"
    " AND s.employee_id = :employee"
    " WHERE t.contact_id IN (SELECT value FROM json_each(:contacts))"
)
_OWN_HOMES = text(
    "SELECT conversation_id FROM conversation_members WHERE employee_id = :employee LIMIT :most"
)


class Found(NamedTuple):
    """Messages by row of the index, and where to go on: None at the end."""

    message_ids: tuple[str, ...]
    below: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One question, made ready: an expression of the index and the values of the checks.

    `expression` is empty when nothing can be found.
    """

    expression: str
    values: dict[str, Any]
    authors: frozenset[str]
    author_name: str


def plan_search(connection: Connection, me: Me, asked: SearchMessages, now_utc_ms: int) -> Plan:
    """Return how a question is searched for; one that asks for nothing has no expression."""
    homes = _homes(connection, me, asked)
    pairs = _author_pairs(connection, me, asked, homes)
    terms = [each for each in (match_expression(asked.text),) if each is not None]
    if asked.has_file:
        terms.append(tags.files_expression())
    if asked.after_utc_ms is not None or asked.before_utc_ms is not None:
        terms.append(tags.days_expression(asked.after_utc_ms, asked.before_utc_ms, now_utc_ms))
    is_asked = terms or homes is not None or asked.author_ids or asked.channels
    is_asked = is_asked or query_terms(asked.author_name)
    if pairs:
        terms.append(tags.authors_expression((tags.number_of(home), who) for home, who in pairs))
    else:
        tagged = _own_homes(connection, me) if homes is None else homes
        if len(tagged) <= _MOST_TAGGED:
            numbers = [tags.number_of(home) for home in tagged]
            terms.append(tags.conversations_expression(numbers) if numbers else "")
    if not terms:
        terms.append(tags.days_expression(None, None, now_utc_ms))
    is_possible = homes != [] and all(terms) and bool(is_asked)
    return Plan(
        expression=" AND ".join(terms) if is_possible else "",
        values={
            "employee": me.employee_id,
            "firm": me.firm_id,
            "live_rows": LIVE_ROWS,
            "after": asked.after_utc_ms or 0,
            "before": NEWEST if asked.before_utc_ms is None else asked.before_utc_ms,
            "homes": None if homes is None else json.dumps(homes),
            "channels": json.dumps([each.value for each in asked.channels])
            if asked.channels
            else None,
        },
        authors=frozenset(asked.author_ids),
        author_name=asked.author_name if query_terms(asked.author_name) else "",
    )


def search_step(connection: Connection, plan: Plan, below: int, wanted: int) -> Found:
    """Look at the next candidates below a row; a page takes as many steps as it needs."""
    if not plan.expression:
        return Found((), None)
    bound = {"expression": plan.expression, "below": below, "most": CANDIDATES}
    rows = list(connection.execute(_MATCHING, bound).scalars())
    seen = connection.execute(_SEEN, {**plan.values, "rows": json.dumps(rows)}).all()
    fitting = [row for row in seen if _is_author(plan, row[2], row[3])]
    ids = tuple(str(row[1]) for row in fitting[:wanted])
    if len(fitting) > wanted:
        return Found(ids, int(fitting[wanted - 1][0]))
    return Found(ids, int(rows[-1]) if len(rows) == CANDIDATES else None)


def read_found(connection: Connection, me: Me, message_ids: Sequence[str]) -> tuple[Message, ...]:
    """Return found messages in their order; membership is looked at once more."""
    found = read_messages(connection, me.employee_id, message_ids)
    known: dict[str, Message] = {each.message_id: each for each in found}
    return tuple(known[each] for each in message_ids if each in known)


def _is_author(plan: Plan, author_id: str, author_name: str) -> bool:
    if author_id in plan.authors:
        return True
    if plan.author_name:
        return holds_name(author_name, plan.author_name)
    return not plan.authors


def _homes(connection: Connection, me: Me, asked: SearchMessages) -> list[str] | None:
    """Return the conversations a question names by itself or by who takes part, None: any."""
    homes: set[str] | None = None
    if asked.contact_ids:
        homes = {home for home, _ in _homes_of(connection, me, asked.contact_ids)}
    if asked.conversation_ids:
        named: set[str] = set(asked.conversation_ids)
        homes = named if homes is None else homes & named
    return None if homes is None else sorted(homes)


def _author_pairs(
    connection: Connection, me: Me, asked: SearchMessages, homes: list[str] | None
) -> list[tuple[str, str]]:
    """Return the (conversation, author) that can be terms of the index; none: too many to be."""
    if not asked.author_ids or asked.author_name:
        return []
    if homes is not None:
        pairs = [(home, author) for home in homes for author in asked.author_ids]
    elif me.employee_id in asked.author_ids:
        return []
    else:
        pairs = _homes_of(connection, me, asked.author_ids)
    return pairs if len(pairs) <= _MOST_TAGGED else []


def _homes_of(connection: Connection, me: Me, contacts: Iterable[str]) -> list[tuple[str, str]]:
    bound = {"employee": me.employee_id, "contacts": json.dumps(list(contacts))}
    return [(row[0], row[1]) for row in connection.execute(_HOMES, bound)]


def _own_homes(connection: Connection, me: Me) -> list[str]:
    """Return the employee's conversations, one more than can be terms when there are many."""
    bound = {"employee": me.employee_id, "most": _MOST_TAGGED + 1}
    return list(connection.execute(_OWN_HOMES, bound).scalars())
