"""The options of the commands that set up and look after a firm's workspace.

It never imports a part of the backend: a start costs only what its command needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.account_arguments import ACCOUNT_GROUPS, add_account_commands

Commands = argparse._SubParsersAction  # argparse names this type nowhere else


def add_firm_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the `admin` commands: firm, employee, contact, channel, and those about accounts."""
    _add_firm(_group(commands, "firm", "make a firm's workspace, and look at it"))
    _add_employee(_group(commands, "employee", "look after employees and their access tokens"))
    _add_contact(_group(commands, "contact", "look after clients and their addresses"))
    _add_channel(_group(commands, "channel", "look after channel accounts"))
    add_account_commands(
        {name: _group(commands, name, text) for name, text in ACCOUNT_GROUPS.items()}, _command
    )


def _add_firm(commands: Commands[argparse.ArgumentParser]) -> None:
    create = _command(commands, "create", "make a firm's workspace in an empty data folder")
    create.add_argument("--id", dest="firm_id", required=True)
    create.add_argument("--name", required=True)
    create.add_argument("--public-url", default="", metavar="URL")
    change = _command(commands, "set", "set how vendors reach this backend; it holds at its start")
    change.add_argument("--public-url", required=True, metavar="URL", help="empty: they don't")
    clients = _command(
        commands, "clients", "set which versions of Parley may work here; it holds at its start"
    )
    clients.add_argument("--minimum", metavar="VERSION", help="older ones are refused")
    clients.add_argument("--newest", metavar="VERSION", help="older ones are told of it; empty: no")
    clients.add_argument("--page", metavar="URL", help="the firm's own page to get it from")
    clients.add_argument("--note", metavar="TEXT", help="one line that clients show beside it")
    _command(commands, "show", "show the firm, its policy, and the keys its clients must know")


def _add_employee(commands: Commands[argparse.ArgumentParser]) -> None:
    add = _command(commands, "add", "add somebody of the firm")
    _add_employee_id(add)
    add.add_argument("--name", required=True)
    _add_roles(add)
    add.add_argument("--time-zone", default="UTC", metavar="ZONE", help="such as Europe/Zurich")
    add.add_argument("--language", default="en", metavar="CODE")
    roles = _command(commands, "roles", "give an employee these roles instead")
    _add_employee_id(roles)
    _add_roles(roles)
    _command(commands, "list", "list the employees")
    token = _command(commands, "token", "issue an access token, and print it this one time")
    _add_employee_id(token)
    token.add_argument("--days", type=int, default=90, help="how long it is good for (default: 90)")
    revoke = _command(commands, "revoke", "let an employee's tokens count no more")
    _add_employee_id(revoke)
    revoke.add_argument("--token-id", default="", help="this one only")
    _command(commands, "tokens", "list the tokens by id and expiry, never the tokens themselves")


def _add_contact(commands: Commands[argparse.ArgumentParser]) -> None:
    add = _command(commands, "add", "add a client")
    add.add_argument("--name", required=True)
    add.add_argument("--id", dest="contact_id", default="", help="default: a new one")
    add.add_argument(
        "--point",
        action="append",
        default=[],
        metavar="CHANNEL[/ID_TYPE]:ADDRESS",
        help="such as whatsapp:+41790000000 or matrix:@ada:example.org",
    )
    add.add_argument(
        "--employee", action="append", default=[], metavar="ID", help="who serves them"
    )
    add.add_argument(
        "--consent",
        action="append",
        default=[],
        metavar="KIND=STATUS[@VERSION]",
        help="what they agreed to, such as recording=accepted@2026-1",
    )
    add.add_argument(
        "--chat",
        action="append",
        default=[],
        metavar="ACCOUNT",
        help="open their chat with this account, so that they can be written to first",
    )
    for name in ("organisation", "city", "time-zone"):
        add.add_argument(f"--{name}", default="")
    add.add_argument("--language", default="en", metavar="CODE")
    add.add_argument("--retail", action="store_true")
    _command(commands, "list", "list the clients, addresses masked")


def _add_channel(commands: Commands[argparse.ArgumentParser]) -> None:
    add = _command(commands, "add", "add an account: its settings, a check, its webhook address")
    add.add_argument("--module", required=True, help="`admin channel modules` lists them")
    add.add_argument("--account", default="", metavar="ID", help="default: made from the module")
    add.add_argument("--label", required=True, help="what employees see, such as its number")
    add.add_argument(
        "--member", action="append", default=[], metavar="ID", help="who writes from it"
    )
    add.add_argument("--pooled", action="store_true", help="several employees share it")
    add.add_argument(
        "--consent",
        choices=("none", "notice", "opt_in"),
        default="notice",
        help="what clients get at the first contact (default: the recording notice)",
    )
    _add_settings(add)
    change = _command(commands, "set", "change an account's settings; a running backend takes them")
    change.add_argument("--account", required=True, metavar="ID")
    _add_settings(change)
    check = _command(commands, "check", "check an account's credentials and webhook again")
    check.add_argument("--account", required=True, metavar="ID")
    remove = _command(commands, "remove", "take an account out of use; its history stays")
    remove.add_argument("--account", required=True, metavar="ID")
    _command(commands, "list", "list the accounts, secrets hidden")
    modules = commands.add_parser("modules", help="list the installed channel modules")
    modules.set_defaults(firm_admin=True)


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="given",
        help="a setting that is no secret; what is missing is asked for, or read from stdin",
    )
    command.add_argument(
        "--secret-file",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a file that holds a secret setting alone",
    )
    command.add_argument("--no-check", action="store_true", help="don't ask the vendor now")
    command.add_argument(
        "--keep", action="store_true", help="keep the account although the check says no"
    )


def _add_employee_id(command: argparse.ArgumentParser) -> None:
    command.add_argument("--id", dest="employee_id", required=True, metavar="ID")


def _add_roles(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--role",
        action="append",
        default=[],
        help="once per role (default: employee): supervisor, compliance, auditor, administrator, …",
    )


def _add_key_file(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="holds the database key's 64 hex digits; without it stdin tells the key",
    )


def _group(
    commands: Commands[argparse.ArgumentParser], name: str, text: str
) -> Commands[argparse.ArgumentParser]:
    return commands.add_parser(name, help=text).add_subparsers(dest="act", required=True)


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text)
    command.set_defaults(firm_admin=True)
    command.add_argument("--data-dir", type=Path, required=True)
    command.add_argument(
        "--by", default="administrator", metavar="ID", help="who does this, for the archive"
    )
    _add_key_file(command)
    return command
