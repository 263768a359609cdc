"""The commands that set journal sinks, retention classes and legal holds.

It never prints a password.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import msgspec
from sqlalchemy import Connection, select

from backend.archive.holds import all_holds, place_hold, release_holds
from backend.archive.retention import (
    RetentionClass,
    assign_class,
    known_classes,
    set_class,
    shipped_classes,
    withdraw_class,
)
from backend.archive.sinks import (
    SinkSettings,
    active_sinks,
    add_sink,
    stop_sink,
)
from backend.cli.printing import print_line
from backend.services import system_clock_utc_ms
from backend.storage.custody_tables import retention_assignments
from backend.storage.database import Database


def journal_command(arguments: argparse.Namespace, database: Database, firm_id: str) -> int:
    """Add, list or stop a journal sink; raises SinkError."""
    if arguments.act == "add":
        settings, from_now = _sink_settings(arguments), arguments.from_now
        sink_id = database.write_now(
            lambda c: add_sink(c, firm_id, settings, system_clock_utc_ms(), from_now=from_now)
        )
        print_line({"sink_id": sink_id})
        return 0
    if arguments.act == "stop":
        stopped = database.write_now(lambda c: stop_sink(c, arguments.name))
        print_line({"stopped": stopped})
        return 0 if stopped else 1
    for sink in database.read_now(active_sinks):
        told = msgspec.to_builtins(replace(sink.settings, password=""))
        told |= {"next_index": sink.next_index, "failures": sink.failures, "detail": sink.detail}
        print_line(told)
    return 0


def retention_command(arguments: argparse.Namespace, database: Database, firm_id: str) -> int:
    """List, load, set, assign or withdraw a retention class; raises RetentionError."""
    if arguments.act == "list":
        for line in database.read_now(lambda c: _retention(c, firm_id)):
            print_line(line)
        return 0
    now_utc_ms = system_clock_utc_ms()
    if arguments.act in ("load", "set"):
        classes = shipped_classes() if arguments.act == "load" else (_class(arguments),)
        may_shorten = arguments.act == "set" and arguments.may_shorten

        def set_all(connection: Connection) -> int:
            return sum(
                set_class(
                    connection, firm_id, each, arguments.by, now_utc_ms, may_shorten=may_shorten
                )
                for each in classes
            )

        print_line({"changed": database.write_now(set_all)})
        return 0
    change = assign_class if arguments.act == "assign" else withdraw_class
    place = (arguments.scope, arguments.scope_id, arguments.class_id)
    changed = database.write_now(lambda c: change(c, firm_id, *place, arguments.by, now_utc_ms))
    print_line({"changed": int(changed)})
    return 0


def hold_command(arguments: argparse.Namespace, database: Database, firm_id: str) -> int:
    """Add, release or list legal holds; raises HoldError."""
    now_utc_ms = system_clock_utc_ms()
    if arguments.act == "list":
        for hold in database.read_now(lambda c: all_holds(c, firm_id)):
            print_line(hold._asdict())
        return 0
    if arguments.act == "release":
        released = database.write_now(
            lambda c: release_holds(c, firm_id, arguments.matter, arguments.by, now_utc_ms)
        )
        print_line({"released": released})
        return 0 if released else 1
    scope, scope_id = _held(arguments)
    hold_id = database.write_now(
        lambda c: place_hold(
            c, firm_id, arguments.matter, scope, scope_id, arguments.by, now_utc_ms
        )
    )
    print_line({"hold_id": hold_id})
    return 0


def _sink_settings(arguments: argparse.Namespace) -> SinkSettings:
    password = ""
    if arguments.password_file is not None:
        password = arguments.password_file.read_text("utf-8").strip()
    return SinkSettings(
        name=arguments.name,
        host=arguments.host,
        port=arguments.port,
        security=arguments.security,
        username=arguments.username,
        password=password,
        ca_file=arguments.ca_file,
        sender=arguments.sender,
        recipients=tuple(arguments.rcpt),
        domain=arguments.domain,
        form=arguments.form,
        per_participant=arguments.per_participant,
        max_age_days=arguments.max_age_days,
    )


def _class(arguments: argparse.Namespace) -> RetentionClass:
    return RetentionClass(
        class_id=arguments.class_id,
        title=arguments.title,
        keep_months=arguments.keep_months,
        accessible_months=arguments.accessible_months,
        source=arguments.source,
    )


def _held(arguments: argparse.Namespace) -> tuple[str, str]:
    for scope in ("client", "conversation", "message", "entry"):
        scope_id: str | None = getattr(arguments, scope)
        if scope_id is not None:
            return scope, scope_id
    return "firm", ""


def _retention(connection: Connection, firm_id: str) -> list[dict[str, object]]:
    columns = retention_assignments.c
    rows = connection.execute(
        select(columns.class_id, columns.scope, columns.scope_id)
        .where(columns.firm_id == firm_id)
        .order_by(columns.class_id, columns.scope, columns.scope_id)
    )
    lines = [msgspec.to_builtins(each) for each in known_classes(connection, firm_id)]
    return lines + [dict(row._mapping) for row in rows]
