"""The commands that make a firm's workspace and look after its employees and clients.

It never prints an access token again once it was issued, and never a client's whole address.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from backend.archive.signing import load_signer, read_policy
from backend.cli.account_arguments import ACCOUNT_GROUPS
from backend.cli.firm_opening import FirmDesk, open_firm_desk
from backend.cli.keys import told_key
from backend.cli.printing import print_line
from backend.directory.administration import AdministrationRefused
from backend.directory.client_book import ClientConsent, NewClient, add_client, clients
from backend.directory.client_versions import client_versions_of, keep_client_versions
from backend.directory.firm_settings import (
    FirmSettingRefused,
    checked_public_url,
    firm_of,
    keep_public_url,
    public_url_of,
)
from backend.directory.points import PointAddress
from backend.directory.staff import NewEmployee, add_employee, change_roles, staff
from backend.directory.tokens import issue_token, revoke_tokens, tokens
from backend.firm_workspace import make_firm
from backend.governance.policy import policy_on_record
from backend.governance.publication import known_keys
from backend.services import system_clock_utc_ms
from backend.workspace import instance_id_of
from backend.workspace_errors import WorkspaceError
from contract.policy.bundle import Side
from contract.policy.signing import read_signature
from contract.wire import Channel, ConsentKind, ConsentStatus, Role

E = TypeVar("E", bound=StrEnum)
_NO_WITNESS_YET = "The witness's key is made at the backend's first start: look again then."
# By which kind of id each channel's module knows a client, unless the command says another.
_ID_TYPES = {
    Channel.WHATSAPP: "phone",
    Channel.WECHAT: "openid",
    Channel.SIGNAL: "uuid",
    Channel.TELEGRAM: "telegram_id",
    Channel.LINE: "line_id",
    Channel.SMS: "phone",
    Channel.IMESSAGE: "phone",
    Channel.MATRIX: "matrix_id",
}


def run_firm_admin(arguments: argparse.Namespace) -> int:
    """Carry out one command; returns the exit status. Raises WorkspaceError or DatabaseError."""
    try:
        if arguments.admin_command == "channel":
            from backend.cli.channel_admin import run_channel

            return run_channel(arguments)
        if arguments.admin_command in ACCOUNT_GROUPS:
            from backend.cli.account_admin import run_account_admin

            return run_account_admin(arguments)
        if (arguments.admin_command, arguments.act) == ("firm", "create"):
            return _create(arguments)
        with open_firm_desk(arguments) as desk:
            return _COMMANDS[arguments.admin_command, arguments.act](arguments, desk)
    except (AdministrationRefused, FirmSettingRefused) as error:
        raise WorkspaceError(str(error)) from error


def _create(arguments: argparse.Namespace) -> int:
    os.umask(0o077)
    public_url = checked_public_url(arguments.public_url)
    workspace = make_firm(
        arguments.data_dir, told_key(arguments).key, arguments.firm_id, arguments.name
    )
    try:
        workspace.database.write_now(lambda c: keep_public_url(c, public_url))
    finally:
        workspace.database.close_now()
        workspace.lock.close()
    print_line({"firm": arguments.firm_id, "policy": workspace.policy.version})
    return 0


def _set(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    desk.write(lambda c: keep_public_url(c, arguments.public_url))
    print_line({"public_url": desk.read(public_url_of), "holds": "from the backend's next start"})
    return 0


def _clients(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    given = {
        name: getattr(arguments, name)
        for name in ("minimum", "newest", "page", "note")
        if getattr(arguments, name) is not None
    }
    versions = msgspec.structs.replace(desk.read(client_versions_of), **given)
    desk.write(lambda c: keep_client_versions(c, versions))
    print_line(
        {name: getattr(versions, name) for name in versions.__struct_fields__}
        | {"holds": "from the backend's next start"}
    )
    return 0


def _show(_arguments: argparse.Namespace, desk: FirmDesk) -> int:
    firm_id, name = desk.read(firm_of)
    instance_id = desk.write(instance_id_of)
    signer = desk.write(lambda c: load_signer(c, instance_id, system_clock_utc_ms()))
    witnesses = desk.read(read_policy)
    version, key = desk.read(lambda c: _policy_in_force(c, firm_id))
    print_line(
        {
            "firm": firm_id,
            "name": name,
            "public_url": desk.read(public_url_of),
            "clients": msgspec.to_builtins(desk.read(client_versions_of)),
            "instance_id": instance_id,
            "policy": version,
            "client_settings": {
                "LogVerifierKey": str(signer.verifier_key),
                "WitnessVerifierKeys": [str(key) for key in witnesses.keys] if witnesses else [],
                "PolicyVerifierKey": key,
            },
            "note": "" if witnesses else _NO_WITNESS_YET,
        }
    )
    return 0


def _policy_in_force(connection: Connection, firm_id: str) -> tuple[str, str]:
    """Return the version of the policy in force, and a key that clients can check it by."""
    policy = policy_on_record(connection, firm_id)
    if policy is None:
        return "", ""
    known = [one.key for one in known_keys(connection)]
    return policy.version, str(read_signature(policy.files, known, Side.SERVER).signers[0])


def _add_employee(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    new = NewEmployee(
        employee_id=arguments.employee_id,
        display_name=arguments.name,
        roles=_roles(arguments),
        time_zone=arguments.time_zone,
        language=arguments.language,
    )
    desk.write(lambda c: add_employee(c, desk.firm_id, new, desk.by, system_clock_utc_ms()))
    print_line({"employee": new.employee_id})
    return 0


def _change_roles(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    roles, now_utc_ms = _roles(arguments), system_clock_utc_ms()
    desk.write(
        lambda c: change_roles(c, desk.firm_id, arguments.employee_id, roles, desk.by, now_utc_ms)
    )
    print_line({"employee": arguments.employee_id, "roles": roles})
    return 0


def _issue(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    now_utc_ms = system_clock_utc_ms()
    print_line(
        desk.write(
            lambda c: issue_token(
                c, desk.firm_id, arguments.employee_id, arguments.days, desk.by, now_utc_ms
            )
        )
    )
    return 0


def _revoke(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    now_utc_ms = system_clock_utc_ms()
    revoked = desk.write(
        lambda c: revoke_tokens(
            c,
            desk.firm_id,
            arguments.employee_id,
            desk.by,
            now_utc_ms,
            token_id=arguments.token_id,
        )
    )
    print_line({"employee": arguments.employee_id, "revoked": revoked})
    return 0


def _add_contact(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    new = NewClient(
        contact_id=arguments.contact_id,
        display_name=arguments.name,
        points=tuple(_point(text) for text in arguments.point),
        employees=tuple(arguments.employee),
        consents=tuple(_consent(text) for text in arguments.consent),
        chats=tuple(arguments.chat),
        organisation=arguments.organisation,
        city=arguments.city,
        time_zone=arguments.time_zone,
        language=arguments.language,
        retail=arguments.retail,
    )
    added = desk.write(lambda c: add_client(c, desk.firm_id, new, desk.by, system_clock_utc_ms()))
    print_line({"contact": added})
    return 0


def _list(arguments: argparse.Namespace, desk: FirmDesk) -> int:
    if arguments.admin_command == "contact":
        lines: tuple[object, ...] = desk.read(clients)
    elif arguments.act == "tokens":
        now_utc_ms = system_clock_utc_ms()
        lines = desk.read(lambda c: tokens(c, now_utc_ms))
    else:
        lines = desk.read(staff)
    for line in lines:
        print_line(line)
    return 0


def _roles(arguments: argparse.Namespace) -> tuple[Role, ...]:
    return tuple(_one_of(Role, text) for text in arguments.role) or (Role.EMPLOYEE,)


def _point(text: str) -> PointAddress:
    kind, _, address = text.partition(":")
    name, _, id_type = kind.partition("/")
    if not address:
        raise AdministrationRefused("--point takes CHANNEL:ADDRESS, such as sms:+41790000000.")
    channel = _one_of(Channel, name)
    return PointAddress(channel, id_type or _ID_TYPES[channel], address.strip())


def _consent(text: str) -> ClientConsent:
    what, _, version = text.partition("@")
    kind, _, status = what.partition("=")
    return ClientConsent(
        kind=_one_of(ConsentKind, kind),
        status=_one_of(ConsentStatus, status),
        text_version=version,
    )


def _one_of(kind: type[E], text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        choices = ", ".join(kind)
        raise AdministrationRefused(f"{text!r} is none of: {choices}.") from None


_COMMANDS: dict[tuple[str, str], Callable[[argparse.Namespace, FirmDesk], int]] = {
    ("firm", "set"): _set,
    ("firm", "clients"): _clients,
    ("firm", "show"): _show,
    ("employee", "add"): _add_employee,
    ("employee", "roles"): _change_roles,
    ("employee", "list"): _list,
    ("employee", "token"): _issue,
    ("employee", "tokens"): _list,
    ("employee", "revoke"): _revoke,
    ("contact", "add"): _add_contact,
    ("contact", "list"): _list,
}
