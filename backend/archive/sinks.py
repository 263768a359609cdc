"""Owns the journal sinks as data: where copies go, in which form, and how a sink fares.

It never sends a mail, and it never shows a password again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from backend.archive.selection import sealed_size
from backend.archive.smtp import SECURITIES, SinkServer
from backend.storage.custody_tables import journal_sinks
from contract.ids import uuid7

FORM_REPORT, FORM_ORIGINAL = "report", "original"
PARTICIPANT = "{participant}"
_FIRST_PAUSE_MS = 5_000
_LONGEST_PAUSE_MS = 15 * 60_000


class SinkError(ValueError):
    """A sink can't be used as described; the text is a plain sentence that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """What an administrator says about a sink.

    `domain` is the firm's own for journal addresses and Message-IDs; a recipient may hold
    `{participant}` where `per_participant` asks for a copy each; mails older than
    `max_age_days` are not sent but named by the reconciliation (Mimecast drops them at 30).
    """

    name: str
    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    domain: str
    security: str = "starttls"
    username: str = ""
    password: str = ""
    ca_file: str = ""
    form: str = FORM_REPORT
    per_participant: bool = False
    max_age_days: int | None = None


@dataclass(frozen=True, slots=True)
class Sink:
    """One stored sink; it rests until `retry_at_utc_ms` after it failed."""

    sink_id: str
    firm_id: str
    settings: SinkSettings
    next_index: int
    failures: int
    retry_at_utc_ms: int
    detail: str

    @property
    def server(self) -> SinkServer:
        """Return how to reach it."""
        said = self.settings
        return SinkServer(
            host=said.host,
            port=said.port,
            security=said.security,
            username=said.username,
            password=said.password,
            ca_file=said.ca_file,
        )


def add_sink(
    connection: Connection,
    firm_id: str,
    settings: SinkSettings,
    now_utc_ms: int,
    *,
    from_now: bool = False,
) -> str:
    """Store a sink and return its id; it gets the whole archive, or what is sealed from now on.

    Raises SinkError for a setting that can't work, or a name taken.
    """
    _check(settings)
    known = connection.execute(
        select(journal_sinks.c.sink_id).where(
            journal_sinks.c.firm_id == firm_id, journal_sinks.c.name == settings.name
        )
    ).first()
    if known is not None:
        raise SinkError("A sink of this name exists: choose another name.")
    sink_id = uuid7(now_utc_ms, os.urandom(10))
    values = msgspec.to_builtins(settings)
    values["recipients"] = msgspec.json.encode(settings.recipients).decode()
    connection.execute(
        insert(journal_sinks).values(
            sink_id=sink_id,
            firm_id=firm_id,
            next_index=sealed_size(connection) if from_now else 0,
            **values,
        )
    )
    return sink_id


def stop_sink(connection: Connection, name: str) -> bool:
    """Send nothing more to a sink, keeping its record; false when there is none."""
    stopped = connection.execute(
        update(journal_sinks).where(journal_sinks.c.name == name).values(stopped=True)
    )
    return stopped.rowcount > 0


def active_sinks(connection: Connection) -> tuple[Sink, ...]:
    """Return every sink that is not stopped, by name."""
    columns = journal_sinks.c
    rows = connection.execute(select(journal_sinks).where(~columns.stopped).order_by(columns.name))
    return tuple(_sink(row) for row in rows)


def sink_named(connection: Connection, name: str) -> Sink:
    """Return a sink, stopped or not; raises SinkError when there is none."""
    row = connection.execute(
        select(journal_sinks).where(journal_sinks.c.name == name)
    ).one_or_none()
    if row is None:
        raise SinkError("There is no journal sink of this name.")
    return _sink(row)


def note_failure(connection: Connection, sink: Sink, detail: str, now_utc_ms: int) -> None:
    """Let a sink rest, twice as long after each failure in a row (5 s to 15 min)."""
    pause_ms = min(_FIRST_PAUSE_MS << min(sink.failures, 10), _LONGEST_PAUSE_MS)
    _set(
        connection,
        sink.sink_id,
        failures=sink.failures + 1,
        retry_at_utc_ms=now_utc_ms + pause_ms,
        detail=detail,
    )


def note_success(connection: Connection, sink: Sink) -> None:
    """Forget a sink's failures."""
    if sink.failures:
        _set(connection, sink.sink_id, failures=0, retry_at_utc_ms=0, detail="")


def _set(connection: Connection, sink_id: str, **changes: object) -> None:
    connection.execute(
        update(journal_sinks).where(journal_sinks.c.sink_id == sink_id).values(**changes)
    )


def _sink(row: Row[Any]) -> Sink:
    known = row._mapping
    values = {name: known[name] for name in SinkSettings.__dataclass_fields__}
    values["recipients"] = msgspec.json.decode(known["recipients"], type=tuple[str, ...])
    return Sink(
        sink_id=row.sink_id,
        firm_id=row.firm_id,
        settings=SinkSettings(**values),
        next_index=row.next_index,
        failures=row.failures,
        retry_at_utc_ms=row.retry_at_utc_ms,
        detail=row.detail,
    )


def _check(settings: SinkSettings) -> None:
    addresses = (settings.sender, *settings.recipients)
    split = any(PARTICIPANT in address for address in settings.recipients)
    faults = {
        "Give the sink a name and a host.": not (settings.name and settings.host),
        "The port must be between 1 and 65535.": not 0 < settings.port < 65_536,
        f"--security must be one of: {', '.join(SECURITIES)}.": settings.security not in SECURITIES,
        "Name at least one recipient.": not settings.recipients,
        "Sender and recipients must be mail addresses.": not all(map(_is_address, addresses)),
        "The domain must look like journal.firm.example.": not _is_domain(settings.domain),
        "--form must be report or original.": settings.form not in (FORM_REPORT, FORM_ORIGINAL),
        "A copy for each participant goes with the original form only.": settings.per_participant
        and settings.form != FORM_ORIGINAL,
        "{participant} needs a copy for each participant.": split and not settings.per_participant,
        "The greatest age must be a day or more.": settings.max_age_days is not None
        and settings.max_age_days < 1,
        "A password goes over TLS or STARTTLS only.": bool(settings.password)
        and settings.security == "none",
    }
    for fault, found in faults.items():
        if found:
            raise SinkError(fault)


def _is_address(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    printable = text.isascii() and text.isprintable() and not set(' <>,"') & set(text)
    return bool(local) and printable and "." in domain


def _is_domain(text: str) -> bool:
    labels = text.split(".")
    return (
        text.isascii()
        and len(labels) > 1
        and all(label and label.replace("-", "").isalnum() for label in labels)
    )
