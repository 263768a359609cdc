"""The commands about who answers on an account, unknown senders, modes, native capture and texts.

It never lets anybody do here what they can't do over the API, and it shows no address.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import NoResultFound

from backend.cli.firm_opening import FirmDesk, open_firm_desk
from backend.cli.printing import print_line
from backend.directory.account_changes import (
    account_people,
    add_native_account,
    change_account,
    set_member,
    set_owner,
)
from backend.directory.administration import AdministrationRefused
from backend.directory.consent_texts import add_text, texts_of
from backend.directory.modes import read_modes, set_mode
from backend.directory.native_capture import native_accounts, set_limit
from backend.directory.people import read_me
from backend.directory.staff import require_employee
from backend.inbox.triage import decide_triage
from backend.inbox.triage_queue import read_triage, triage_page
from backend.refusals import Refused
from backend.services import system_clock_utc_ms
from contract.ids import ContactId, EmployeeId
from contract.triage import TriageAction, TriageCommand, TriageState
from contract.wire import Channel, Me, Mode

_AT_ONCE = 500
T = TypeVar("T")


def run_account_admin(arguments: argparse.Namespace) -> int:
    """Carry out one command; returns the exit status.

    Raises AdministrationRefused, WorkspaceError, DatabaseError, or ValueError.
    """
    with open_firm_desk(arguments) as desk:
        try:
            _COMMANDS[arguments.admin_command, arguments.act](arguments, desk)
        except Refused as error:
            raise AdministrationRefused(error.detail) from error
        except NoResultFound as error:
            raise AdministrationRefused("There is no such account or employee.") from error
    return 0


def _change(arguments: argparse.Namespace, desk: FirmDesk) -> None:
    given = {
        "label": arguments.label,
        "shown_name": arguments.shown_name,
        "language": arguments.language,
        "pooled": None if arguments.kind is None else arguments.kind == "pooled",
        "consent_mode": arguments.consent,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    now_utc_ms = system_clock_utc_ms()
    changed = desk.write(
        lambda c: change_account(c, arguments.account, desk.by, now_utc_ms, **changes)
    )
    print_line({"account": arguments.account, "changed": changed})


def _people(arguments: argparse.Namespace, desk: FirmDesk) -> None:
    change = set_member if arguments.act in ("join", "leave") else set_owner
    wanted, now_utc_ms = arguments.act in ("join", "own"), system_clock_utc_ms()

    def work(connection: Connection) -> bool:
        require_employee(connection, arguments.employee)
        return change(
            connection, arguments.account, arguments.employee, wanted, desk.by, now_utc_ms
        )

    print_line({"account": arguments.account, "changed": desk.write(work)})


def _accounts(_arguments: argparse.Namespace, desk: FirmDesk) -> None:
    for line in desk.read(lambda c: account_people(c, desk.firm_id)):
        print_line(line)


def _triage_list(arguments: argparse.Namespace, desk: FirmDesk) -> None:
    state = TriageState(arguments.state)
    page, _ = desk.read(lambda c: triage_page(c, _me(c, arguments), state, None, _AT_ONCE))
    for item in page.items:
        print_line(item)


def _triage(arguments: argparse.Namespace, desk: FirmDesk) -> None:
    command = TriageCommand(
        action=TriageAction(arguments.act),
        employee_id=EmployeeId(getattr(arguments, "employee", "")),
        contact_id=ContactId(getattr(arguments, "client", "")),
        note=arguments.note,
    )

    def work(connection: Connection) -> msgspec.Struct:
        me, home = _me(connection, arguments), arguments.conversation_id
        decide_triage(connection, me, home, command, system_clock_utc_ms())
        return read_triage(connection, me, home)

    print_line(desk.write(work))


def _set_mode(arguments: argparse.Namespace, desk: FirmDesk) -> None:
    channel, mode = _channel(arguments.channel), Mode(arguments.mode)
    now_utc_ms = system_clock_utc_ms()
    changed = desk.write(
        lambda c: set_mode(c, arguments.employee, channel, mode, desk.by, now_utc_ms)
    )
    print_line({"employee": arguments.employee, "channel": channel, "changed": changed})


def _modes(_arguments: argparse.Namespace, desk: FirmDesk) -> None:
    for line in desk.read(lambda c: read_modes(c, desk.firm_id)):
        print_line(line)


def _natives(_arguments: argparse.Namespace, desk: FirmDesk) -> None:
    now_utc_ms = system_clock_utc_ms()
    for account in desk.read(lambda c: native_accounts(c, desk.firm_id)):
        print_line(account._asdict() | {"silent": account.is_silent(now_utc_ms)})


def _add_native(arguments: argparse.Namespace, desk: FirmDesk) -> None:
    channel, now_utc_ms = _channel(arguments.channel), system_clock_utc_ms()

    def work(connection: Connection) -> None:
        require_employee(connection, arguments.employee)
        add_native_account(
            connection,
            desk.firm_id,
            arguments.account,
            channel,
            arguments.label,
            arguments.employee,
            desk.by,
            now_utc_ms,
        )

    desk.write(work)
    print_line({"account": arguments.account})


def _limit(arguments: argparse.Namespace, desk: FirmDesk) -> None:
    hours, now_utc_ms = arguments.hours or None, system_clock_utc_ms()
    if arguments.hours < 0:
        raise AdministrationRefused("A limit has 0 hours (the firm's figure) or more.")
    desk.write(lambda c: set_limit(c, arguments.account, hours, desk.by, now_utc_ms))
    print_line({"account": arguments.account, "hours": arguments.hours})


def _add_text(arguments: argparse.Namespace, desk: FirmDesk) -> None:
    body = arguments.file.read_text("utf-8")
    channel = _channel(arguments.channel) if arguments.channel else None
    text = desk.write(
        lambda c: add_text(
            c,
            desk.firm_id,
            kind=arguments.kind,
            channel=channel,
            language=arguments.language,
            body=body,
            review=arguments.review,
            actor_id=desk.by,
            now_utc_ms=system_clock_utc_ms(),
        )
    )
    print_line({"version": text.version_id})


def _texts(_arguments: argparse.Namespace, desk: FirmDesk) -> None:
    for text in desk.read(lambda c: texts_of(c, desk.firm_id)):
        print_line({"version": text.version_id, "review": text.review, "body": text.body})


def _me(connection: Connection, arguments: argparse.Namespace) -> Me:
    me = read_me(connection, arguments.employee_id)
    if me is None:
        raise AdministrationRefused("There is no such employee.")
    return me


def _channel(name: str) -> Channel:
    try:
        return Channel(name)
    except ValueError:
        known = ", ".join(channel.value for channel in Channel)
        raise AdministrationRefused(f"The channel is one of: {known}.") from None


_COMMANDS: dict[tuple[str, str], Callable[[argparse.Namespace, FirmDesk], None]] = {
    ("account", "set"): _change,
    ("account", "join"): _people,
    ("account", "leave"): _people,
    ("account", "own"): _people,
    ("account", "disown"): _people,
    ("account", "list"): _accounts,
    ("triage", "list"): _triage_list,
    ("triage", "claim"): _triage,
    ("triage", "assign"): _triage,
    ("triage", "dismiss"): _triage,
    ("mode", "set"): _set_mode,
    ("mode", "list"): _modes,
    ("native", "list"): _natives,
    ("native", "add"): _add_native,
    ("native", "limit"): _limit,
    ("consent-text", "add"): _add_text,
    ("consent-text", "list"): _texts,
}
