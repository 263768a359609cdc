"""Owns the retention classes, what they apply to, and the day until which an entry is kept.

It never deletes anything, and an entry without a class is kept for good.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from backend.archive.entries import append_entry, new_salt
from backend.storage.custody_tables import retention_assignments, retention_classes
from backend.storage.tables import conversation_contacts
from contract.ids import EntryId
from contract.receipts.canonical import canonical_json

SCOPES = ("firm", "kind", "client", "conversation", "message")
MAX_MONTHS = 1_200


class RetentionError(ValueError):
    """A class or assignment can't be set; the text is a plain sentence that says what to do."""


class RetentionClass(msgspec.Struct, frozen=True, kw_only=True):
    """How long records of one class are kept, and how long of that at hand, in months."""

    class_id: str
    title: str
    keep_months: int
    accessible_months: int = 0
    source: str = ""


def shipped_classes() -> tuple[RetentionClass, ...]:
    """Return the classes that come with Parley, each with the rule it follows."""
    import resources

    path = Path(resources.__file__).parent / "retention" / "classes.json"
    return msgspec.json.decode(path.read_bytes(), type=tuple[RetentionClass, ...])


def known_classes(connection: Connection, firm_id: str) -> tuple[RetentionClass, ...]:
    """Return the firm's classes by id."""
    columns = retention_classes.c
    rows = connection.execute(
        select(
            columns.class_id,
            columns.title,
            columns.keep_months,
            columns.accessible_months,
            columns.source,
        )
        .where(columns.firm_id == firm_id)
        .order_by(columns.class_id)
    )
    return tuple(RetentionClass(**row._mapping) for row in rows)


def set_class(
    connection: Connection,
    firm_id: str,
    given: RetentionClass,
    actor_id: str,
    now_utc_ms: int,
    *,
    may_shorten: bool = False,
) -> bool:
    """Set a class and archive the change; false when it is so already.

    Raises RetentionError for a period out of range, or one shorter than now.
    """
    if not given.class_id or not 0 < given.keep_months <= MAX_MONTHS:
        raise RetentionError(f"A class needs an id and 1 to {MAX_MONTHS} months.")
    if not 0 <= given.accessible_months <= given.keep_months:
        raise RetentionError("Records are at hand for no longer than they are kept.")
    known = {each.class_id: each for each in known_classes(connection, firm_id)}
    before = known.get(given.class_id)
    if before == given:
        return False
    values = msgspec.to_builtins(given)
    if before is None:
        connection.execute(insert(retention_classes).values(firm_id=firm_id, **values))
    else:
        if given.keep_months < before.keep_months and not may_shorten:
            raise RetentionError("This would shorten the period: confirm it with --may-shorten.")
        connection.execute(
            update(retention_classes)
            .where(
                retention_classes.c.class_id == given.class_id,
                retention_classes.c.firm_id == firm_id,
            )
            .values(**values)
        )
    archive_change(connection, "retention", firm_id, actor_id, {"class": values}, now_utc_ms)
    return True


def assign_class(
    connection: Connection,
    firm_id: str,
    scope: str,
    scope_id: str,
    class_id: str,
    actor_id: str,
    now_utc_ms: int,
) -> bool:
    """Let a class apply to the firm, an entry kind, a client, a conversation or a message.

    Archives the change; false when it applies already. Raises RetentionError.
    """
    _check_scope(scope, scope_id)
    if class_id not in {each.class_id for each in known_classes(connection, firm_id)}:
        raise RetentionError("There is no retention class of this id: set it first.")
    if (scope, scope_id, class_id) in _assignments(connection, firm_id):
        return False
    connection.execute(
        insert(retention_assignments).values(
            scope=scope,
            scope_id=scope_id,
            class_id=class_id,
            firm_id=firm_id,
            assigned_at_utc_ms=now_utc_ms,
        )
    )
    said = {"assigned": class_id, "scope": scope, "scope_id": scope_id}
    archive_change(connection, "retention", firm_id, actor_id, said, now_utc_ms)
    return True


def withdraw_class(
    connection: Connection,
    firm_id: str,
    scope: str,
    scope_id: str,
    class_id: str,
    actor_id: str,
    now_utc_ms: int,
) -> bool:
    """End an assignment and archive that; false when there is none."""
    columns = retention_assignments.c
    gone = connection.execute(
        delete(retention_assignments).where(
            columns.firm_id == firm_id,
            columns.scope == scope,
            columns.scope_id == scope_id,
            columns.class_id == class_id,
        )
    )
    if not gone.rowcount:
        return False
    said = {"scope": scope, "scope_id": scope_id, "withdrawn": class_id}
    archive_change(connection, "retention", firm_id, actor_id, said, now_utc_ms)
    return True


def archive_change(
    connection: Connection,
    kind: str,
    firm_id: str,
    actor_id: str,
    said: Mapping[str, object],
    now_utc_ms: int,
    *,
    entry_id: str | None = None,
) -> str:
    """Archive an administrator's act on the archive itself; returns the entry's id."""
    recorded = append_entry(
        connection,
        kind=kind,
        actor_id=actor_id,
        conversation_id="",
        message_id="",
        revision=0,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json(msgspec.to_builtins(said)),
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
        entry_id=None if entry_id is None else EntryId(entry_id),
    )
    return recorded.entry_id


class Schedule:
    """A firm's assignments, read once, to ask for many entries; the longest period wins."""

    def __init__(self, connection: Connection, firm_id: str) -> None:
        self._connection = connection
        months = {each.class_id: each.keep_months for each in known_classes(connection, firm_id)}
        self._months: dict[tuple[str, str], int] = defaultdict(int)
        for scope, scope_id, class_id in _assignments(connection, firm_id):
            place = (scope, scope_id)
            self._months[place] = max(self._months[place], months[class_id])
        self._clients: dict[str, tuple[str, ...]] = {}

    @property
    def shortest_months(self) -> int | None:
        """Return the shortest period assigned anywhere, None when nothing is assigned."""
        return min(self._months.values(), default=None)

    def kept_until(
        self, kind: str, conversation_id: str, message_id: str, archived_at_utc_ms: int
    ) -> int | None:
        """Return when an entry's period ends, in UTC milliseconds; None when it never does."""
        places = [("firm", ""), ("kind", kind)]
        if conversation_id:
            places.append(("conversation", conversation_id))
            places += [("client", client) for client in self.clients(conversation_id)]
        if message_id:
            places.append(("message", message_id))
        months = max(self._months.get(place, 0) for place in places)
        return add_months(archived_at_utc_ms, months) if months else None

    def clients(self, conversation_id: str) -> tuple[str, ...]:
        """Return the clients of a conversation."""
        if conversation_id not in self._clients:
            columns = conversation_contacts.c
            self._clients[conversation_id] = tuple(
                self._connection.execute(
                    select(columns.contact_id)
                    .where(columns.conversation_id == conversation_id)
                    .distinct()
                ).scalars()
            )
        return self._clients[conversation_id]


def add_months(at_utc_ms: int, months: int) -> int:
    """Return the same time of day `months` later, on the month's last day where it is shorter."""
    at = datetime.fromtimestamp(at_utc_ms / 1000, UTC)
    years, month0 = divmod(at.month - 1 + months, 12)
    year, month = at.year + years, month0 + 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    later = at.replace(year=year, month=month, day=day, microsecond=0)
    return int(later.timestamp()) * 1000 + at_utc_ms % 1000


def _assignments(connection: Connection, firm_id: str) -> frozenset[tuple[str, str, str]]:
    columns = retention_assignments.c
    rows = connection.execute(
        select(columns.scope, columns.scope_id, columns.class_id).where(columns.firm_id == firm_id)
    )
    return frozenset((row.scope, row.scope_id, row.class_id) for row in rows)


def _check_scope(scope: str, scope_id: str) -> None:
    if scope not in SCOPES:
        raise RetentionError(f"The scope must be one of: {', '.join(SCOPES)}.")
    if bool(scope_id) == (scope == "firm"):
        raise RetentionError("Name what the class applies to; the firm alone has no id.")
