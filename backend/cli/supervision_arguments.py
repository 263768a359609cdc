"""The options of the commands for supervisors and Compliance.

It never imports a part of the backend: a start costs only what its command needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

Commands = argparse._SubParsersAction  # argparse names this type nowhere else


def add_supervision_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the `admin` commands: approvals, reviews, walls, facts, templates, setting."""
    _add_approvals(_group(commands, "approvals", "decide on held messages"))
    _add_reviews(_group(commands, "reviews", "work on Compliance's review queue"))
    _add_walls(_group(commands, "walls", "look after walls between groups"))
    _add_facts(_group(commands, "facts", "keep clients' accounts and gifts"))
    templates = _group(commands, "templates", "look after the channels' approved templates")
    load = _command(templates, "load", "set templates from a JSON list")
    load.add_argument("file", type=Path)
    _command(templates, "list", "list the templates")
    setting = _command(commands, "setting", "set one of Compliance's figures")
    setting.add_argument("name")
    setting.add_argument("value", type=int)
    _by(setting)


def _add_approvals(commands: Commands[argparse.ArgumentParser]) -> None:
    listed = _command(commands, "list", "list held messages, texts included")
    listed.add_argument("--state", default="pending")
    _as(listed)
    for name, text in (("approve", "let a held message go"), ("reject", "refuse it with a note")):
        command = _command(commands, name, text)
        command.add_argument("approval_id")
        command.add_argument("--note", default="", required=name == "reject")
        _as(command)


def _add_reviews(commands: Commands[argparse.ArgumentParser]) -> None:
    listed = _command(commands, "list", "list items, texts included; listing is no review")
    listed.add_argument("--kind", default="")
    listed.add_argument("--closed", action="store_true")
    _as(listed)
    step = _command(commands, "step", "log a step: commented, escalated, coached or cleared")
    step.add_argument("review_id")
    step.add_argument("step")
    step.add_argument("--note", default="")
    _as(step)


def _add_walls(commands: Commands[argparse.ArgumentParser]) -> None:
    group = _command(commands, "group", "make a group")
    group.add_argument("group_id")
    group.add_argument("--name", required=True)
    _by(group)
    for name, text in (("join", "take someone into a group"), ("leave", "take them out")):
        command = _command(commands, name, text)
        command.add_argument("group_id")
        person = command.add_mutually_exclusive_group(required=True)
        person.add_argument("--employee", metavar="ID")
        person.add_argument("--contact", metavar="ID")
        _by(command)
    for name, text in (("up", "put a wall between two groups"), ("down", "take it down")):
        command = _command(commands, name, text)
        command.add_argument("from_group_id")
        command.add_argument("to_group_id")
        command.add_argument("--both-ways", action="store_true")
        command.add_argument("--reference", default="")
        _by(command)


def _add_facts(commands: Commands[argparse.ArgumentParser]) -> None:
    accounts = _command(commands, "accounts", "replace a client's account numbers")
    accounts.add_argument("contact_id")
    accounts.add_argument(
        "--file", type=Path, required=True, help="one number a line; only keyed hashes are kept"
    )
    _by(accounts)
    gift = _command(commands, "gift", "record a gift to a client")
    gift.add_argument("contact_id")
    gift.add_argument("--amount-minor", type=int, required=True, help="in cents or the like")
    gift.add_argument("--currency", required=True, help="ISO 4217, such as USD")
    _by(gift)


def _group(
    commands: Commands[argparse.ArgumentParser], name: str, text: str
) -> Commands[argparse.ArgumentParser]:
    return commands.add_parser(name, help=text).add_subparsers(dest="act", required=True)


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text)
    command.set_defaults(custody=True)
    command.add_argument("--data-dir", type=Path, required=True)
    return command


def _as(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--as", dest="employee_id", required=True, metavar="EMPLOYEE", help="whose role counts"
    )


def _by(command: argparse.ArgumentParser) -> None:
    command.add_argument("--by", required=True, metavar="ID", help="who does this, for the archive")
