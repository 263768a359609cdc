"""The options of the commands about who answers on an account, modes, and what clients are told.

It never imports a part of the backend: a start costs only what its command needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

Commands = argparse._SubParsersAction  # argparse names this type nowhere else
Add = Callable[["Commands[argparse.ArgumentParser]", str, str], argparse.ArgumentParser]
ACCOUNT_GROUPS = {
    "account": "say who answers on an account, and what its clients see and are asked",
    "triage": "decide about unknown senders",
    "mode": "set how employees work on channels: governed or native",
    "native": "look after native accounts and their capture",
    "consent-text": "look after what clients are told of recording",
}


def add_account_commands(groups: Mapping[str, Commands[argparse.ArgumentParser]], add: Add) -> None:
    """Add the commands of each group; `add` makes one with the options of every firm command."""
    _add_account(groups["account"], add)
    _add_triage(groups["triage"], add)
    mode = add(groups["mode"], "set", "set how an employee works on a channel")
    mode.add_argument("--employee", required=True, metavar="ID")
    mode.add_argument("--channel", required=True)
    mode.add_argument("--mode", required=True, choices=("governed", "native"))
    add(groups["mode"], "list", "list what was set; everybody else works as accounts say")
    _add_native(groups["native"], add)
    _add_texts(groups["consent-text"], add)


def _add_account(commands: Commands[argparse.ArgumentParser], add: Add) -> None:
    change = add(commands, "set", "set what an account is; its clients and employees see it")
    _account(change)
    change.add_argument("--label", help="its number or handle, as clients see it")
    change.add_argument("--shown-name", metavar="NAME", help="the name clients see beside it")
    change.add_argument("--language", metavar="CODE", help="of clients nobody knows yet")
    change.add_argument("--kind", choices=("personal", "pooled"))
    change.add_argument(
        "--consent",
        choices=("none", "notice", "opt_in"),
        help="opt_in: nothing but the question goes out before the client accepts",
    )
    for name, text in (
        ("join", "let an employee write from an account"),
        ("leave", "let an employee write from it no longer; its conversations leave them"),
        ("own", "let an employee look after its unknown senders"),
        ("disown", "let an employee look after them no longer"),
    ):
        command = add(commands, name, text)
        _account(command)
        command.add_argument("--employee", required=True, metavar="ID")
    add(commands, "list", "list accounts with those who write from them and look after strangers")


def _add_triage(commands: Commands[argparse.ArgumentParser], add: Add) -> None:
    listed = add(commands, "list", "list unknown senders, texts included")
    listed.add_argument("--state", default="open", choices=("open", "assigned", "dismissed"))
    _as(listed)
    for name, text in (
        ("claim", "take an unknown sender over"),
        ("assign", "give an unknown sender to an employee"),
        ("dismiss", "dismiss an unknown sender; the messages stay in the archive"),
    ):
        command = add(commands, name, text)
        command.add_argument("conversation_id")
        command.add_argument("--note", default="", required=name == "dismiss")
        if name == "assign":
            command.add_argument("--to", dest="employee", required=True, metavar="ID")
        if name != "dismiss":
            command.add_argument(
                "--client", default="", metavar="ID", help="who of the decider's book it is"
            )
        _as(command)


def _add_native(commands: Commands[argparse.ArgumentParser], add: Add) -> None:
    add(commands, "list", "list native accounts with their last capture")
    new = add(commands, "add", "add a native account: its messages come in by import")
    _account(new)
    new.add_argument("--channel", required=True)
    new.add_argument("--label", required=True, help="such as the employee's phone")
    new.add_argument("--employee", required=True, metavar="ID", help="whose it is")
    limit = add(commands, "limit", "set after how long a silence Compliance is told")
    _account(limit)
    limit.add_argument("--hours", type=int, required=True, help="0: the firm's figure")


def _add_texts(commands: Commands[argparse.ArgumentParser], add: Add) -> None:
    new = add(commands, "add", "add the next version of a text; it goes out from now on")
    new.add_argument("--kind", required=True, choices=("notice", "opt_in"))
    new.add_argument("--language", required=True, metavar="CODE", help="such as de or zh-Hant")
    new.add_argument("--channel", default="", help="default: every channel without its own")
    new.add_argument(
        "--file", type=Path, required=True, help="UTF-8; {firm} stands for the firm's name"
    )
    new.add_argument("--review", default="", help="what counsel still has to do, if anything")
    add(commands, "list", "list every version, and the texts that came with Parley")


def _account(command: argparse.ArgumentParser) -> None:
    command.add_argument("--account", required=True, metavar="ID")


def _as(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--as", dest="employee_id", required=True, metavar="EMPLOYEE", help="whose queue it is"
    )
