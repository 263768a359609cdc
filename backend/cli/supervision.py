"""The commands for supervisors and Compliance: approvals, reviews, walls, facts, templates.

It never lets anybody do here what their role can't do over the API.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import NoResultFound

from backend.cli.printing import print_line
from backend.directory.client_accounts import set_accounts
from backend.directory.denials import CONTACT, EMPLOYEE
from backend.directory.gifts import record_gift
from backend.directory.people import read_me
from backend.directory.templates import read_templates, set_template
from backend.directory.wall_groups import WallError, set_group, set_group_wall, set_membership
from backend.governance.approval_queue import approval_page, read_approval
from backend.governance.approvals import decide_approval
from backend.governance.policy import policy_on_record
from backend.governance.reviews import review_page, take_step
from backend.governance.settings import SettingError, write_setting
from backend.refusals import Refused
from backend.services import system_clock_utc_ms
from backend.storage.database import Database
from backend.workspace_errors import WorkspaceError
from contract.supervision import (
    ApprovalState,
    ApprovalVerdict,
    ReviewCommand,
    ReviewKind,
    ReviewStep,
    Template,
)
from contract.wire import Me

_AT_ONCE = 500
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Work = Callable[[Connection], T]


def approvals_command(arguments: argparse.Namespace, database: Database, firm_id: str) -> int:
    """List held messages, or approve or reject one."""
    if arguments.act == "list":
        state = _one_of(ApprovalState, arguments.state)
        page, _ = database.read_now(
            lambda c: approval_page(c, _me(c, arguments), state, None, _AT_ONCE)
        )
        for approval in page.approvals:
            print_line(approval)
        return 0
    verdict = ApprovalVerdict(approve=arguments.act == "approve", note=arguments.note)

    def decide(connection: Connection) -> msgspec.Struct:
        policy = policy_on_record(connection, firm_id)
        if policy is None:
            raise WorkspaceError("No policy is in force yet: start the backend once.")
        me = _me(connection, arguments)
        decide_approval(
            connection, policy, me, arguments.approval_id, verdict, system_clock_utc_ms()
        )
        return read_approval(connection, me, arguments.approval_id)

    print_line(_written(database, decide))
    return 0


def reviews_command(arguments: argparse.Namespace, database: Database, _firm_id: str) -> int:
    """List the review queue, or log one step of a review."""
    if arguments.act == "list":
        kind = _one_of(ReviewKind, arguments.kind) if arguments.kind else None

        def look(connection: Connection) -> tuple[msgspec.Struct, ...]:
            me = _me(connection, arguments)
            page, _ = review_page(
                connection, me, closed=arguments.closed, kind=kind, after=None, limit=_AT_ONCE
            )
            return page.reviews

        for item in _told(lambda: database.read_now(look)):
            print_line(item)
        return 0
    command = ReviewCommand(step=_one_of(ReviewStep, arguments.step), note=arguments.note)
    item = _written(
        database,
        lambda c: take_step(
            c, _me(c, arguments), arguments.review_id, command, system_clock_utc_ms()
        ),
    )
    print_line(item)
    return 0


def walls_command(arguments: argparse.Namespace, database: Database, firm_id: str) -> int:
    """Make a group, change its members, or put a wall between two."""
    now_utc_ms = system_clock_utc_ms()

    def change(connection: Connection) -> bool:
        if arguments.act == "group":
            return set_group(
                connection, firm_id, arguments.group_id, arguments.name, arguments.by, now_utc_ms
            )
        if arguments.act in ("join", "leave"):
            return set_membership(
                connection,
                firm_id,
                group_id=arguments.group_id,
                member_kind=EMPLOYEE if arguments.employee else CONTACT,
                member_id=arguments.employee or arguments.contact,
                member=arguments.act == "join",
                actor_id=arguments.by,
                now_utc_ms=now_utc_ms,
            )
        return set_group_wall(
            connection,
            firm_id,
            from_group_id=arguments.from_group_id,
            to_group_id=arguments.to_group_id,
            both_ways=arguments.both_ways,
            up=arguments.act == "up",
            actor_id=arguments.by,
            now_utc_ms=now_utc_ms,
            reference=arguments.reference,
        )

    print_line({"changed": _written(database, change)})
    return 0


def facts_command(arguments: argparse.Namespace, database: Database, _firm_id: str) -> int:
    """Replace a client's account numbers, or record a gift."""
    now_utc_ms = system_clock_utc_ms()
    if arguments.act == "accounts":
        numbers = arguments.file.read_text("utf-8").splitlines()
        changed = _written(
            database,
            lambda c: set_accounts(c, arguments.contact_id, numbers, arguments.by, now_utc_ms),
        )
        print_line({"changed": changed})
        return 0
    if arguments.amount_minor <= 0 or len(arguments.currency) != 3:
        raise WorkspaceError("A gift has an amount above 0 and a currency such as USD.")
    gift_id = _written(
        database,
        lambda c: record_gift(
            c,
            contact_id=arguments.contact_id,
            employee_id=arguments.by,
            amount_minor=arguments.amount_minor,
            currency=arguments.currency,
            given_at_utc_ms=now_utc_ms,
            now_utc_ms=now_utc_ms,
        ),
    )
    print_line({"gift_id": gift_id})
    return 0


def templates_command(arguments: argparse.Namespace, database: Database, firm_id: str) -> int:
    """List the approved templates, or set those of a file."""
    if arguments.act == "list":
        for template in database.read_now(lambda c: read_templates(c, firm_id)):
            print_line(template)
        return 0
    try:
        given = msgspec.json.decode(arguments.file.read_bytes(), type=tuple[Template, ...])
    except msgspec.DecodeError as error:
        raise WorkspaceError(f"The file can't be read: {error}.") from error

    def load(connection: Connection) -> int:
        for template in given:
            try:
                set_template(connection, firm_id, template)
            except ValueError as error:
                raise WorkspaceError(f"Template {template.template_id}: {error}.") from error
        return len(given)

    print_line({"set": _written(database, load)})
    return 0


def setting_command(arguments: argparse.Namespace, database: Database, firm_id: str) -> int:
    """Set one of Compliance's figures."""
    _written(
        database,
        lambda c: write_setting(
            c, firm_id, arguments.name, arguments.value, arguments.by, system_clock_utc_ms()
        ),
    )
    print_line({arguments.name: arguments.value})
    return 0


def _me(connection: Connection, arguments: argparse.Namespace) -> Me:
    me = read_me(connection, arguments.employee_id)
    if me is None:
        raise WorkspaceError("There is no such employee.")
    return me


def _one_of(kind: type[E], text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise WorkspaceError(f"It must be one of: {allowed}.") from None


def _written(database: Database, work: Work[T]) -> T:
    return _told(lambda: database.write_now(work))


def _told(do: Callable[[], T]) -> T:
    """Run something; what it refuses is told in its own words."""
    try:
        return do()
    except Refused as error:
        raise WorkspaceError(error.detail) from error
    except (SettingError, WallError) as error:
        raise WorkspaceError(str(error)) from error
    except NoResultFound as error:
        raise WorkspaceError("There is no such client.") from error
