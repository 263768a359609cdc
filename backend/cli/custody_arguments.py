"""The options of the commands that look after copies, retention, holds and erasures.

It never imports a part of the backend: a start costs only what its command needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

Commands = argparse._SubParsersAction  # argparse names this type nowhere else


def add_archive_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the `archive` commands: export, journal, reconcile, worm, erase, expire."""
    export = _command(commands, "export", "write sealed entries, receipts and a manifest")
    export.add_argument("--format", required=True, choices=("eml", "jsonl"))
    export.add_argument("--from", dest="from_day", metavar="DAY", help="YYYY-MM-DD, UTC")
    export.add_argument("--to", dest="to_day", metavar="DAY", help="YYYY-MM-DD, that day included")
    export.add_argument("--client", default="", metavar="CONTACT_ID")
    export.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new folder")
    _by(export)
    _command(commands, "journal", "send the journal mails that are due, then end")
    reconcile = _command(commands, "reconcile", "list what a journal sink has not confirmed")
    reconcile.add_argument("--sink", required=True, metavar="NAME")
    reconcile.add_argument(
        "--list", type=Path, metavar="FILE", help="the sink's own Message-IDs: CSV, JSON or text"
    )
    reconcile.add_argument(
        "--send-again", action="store_true", help="queue anew what the sink took but does not list"
    )
    worm = _command(commands, "worm", "copy sealed entries into a locked object store")
    worm.add_argument("--bucket", required=True)
    worm.add_argument("--endpoint-url", default="")
    worm.add_argument("--region", default="")
    erase = _command(commands, "erase", "erase bodies under an order; the proofs stay")
    erase.add_argument("--message-id", action="append", default=[])
    erase.add_argument("--entry-id", action="append", default=[])
    erase.add_argument("--basis", required=True, help="the order or request, by its reference")
    erase.add_argument(
        "--within-retention", action="store_true", help="the order overrides a running period"
    )
    _by(erase)
    expire = _command(commands, "expire", "erase what no retention period and no hold keeps")
    expire.add_argument("--dry-run", action="store_true", help="only list what would go")
    _by(expire)


def add_admin_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the `admin` commands: journal, retention, hold."""
    _add_journal(_group(commands, "journal", "look after the journal sinks"))
    _add_retention(_group(commands, "retention", "look after retention classes"))
    _add_hold(_group(commands, "hold", "look after legal holds"))


def _add_journal(commands: Commands[argparse.ArgumentParser]) -> None:
    add = _command(commands, "add", "send a copy of each entry to an SMTP server")
    add.add_argument("--name", required=True)
    add.add_argument("--host", required=True)
    add.add_argument("--port", type=int, default=25)
    add.add_argument("--security", choices=("none", "starttls", "tls"), default="starttls")
    add.add_argument("--ca-file", default="")
    add.add_argument("--username", default="")
    add.add_argument("--password-file", type=Path, help="a file that holds the password alone")
    add.add_argument("--sender", required=True, help="the envelope's sender")
    add.add_argument("--rcpt", action="append", required=True, help="may hold {participant}")
    add.add_argument("--domain", required=True, help="the firm's own, for journal addresses")
    add.add_argument("--form", choices=("report", "original"), default="report")
    add.add_argument("--per-participant", action="store_true", help="a copy for each (365 import)")
    add.add_argument("--max-age-days", type=int, help="do not send older ones (Mimecast: 30)")
    add.add_argument("--from-now", action="store_true", help="leave out what is archived already")
    _command(commands, "list", "list the sinks and how they fare")
    stop = _command(commands, "stop", "send nothing more to a sink")
    stop.add_argument("--name", required=True)


def _add_retention(commands: Commands[argparse.ArgumentParser]) -> None:
    _command(commands, "list", "list the classes and what they apply to")
    _by(_command(commands, "load", "set the classes that come with Parley"))
    one = _command(commands, "set", "set a class")
    one.add_argument("--class", dest="class_id", required=True)
    one.add_argument("--title", required=True)
    one.add_argument("--keep-months", type=int, required=True)
    one.add_argument("--accessible-months", type=int, default=0)
    one.add_argument("--source", required=True, help="the rule the period comes from")
    one.add_argument("--may-shorten", action="store_true")
    _by(one)
    for name, text in (("assign", "let a class apply"), ("withdraw", "end that")):
        command = _command(commands, name, text)
        command.add_argument("--class", dest="class_id", required=True)
        command.add_argument(
            "--scope", required=True, choices=("firm", "kind", "client", "conversation", "message")
        )
        command.add_argument("--id", dest="scope_id", default="")
        _by(command)


def _add_hold(commands: Commands[argparse.ArgumentParser]) -> None:
    add = _command(commands, "add", "keep what a matter needs from going")
    add.add_argument("--matter", required=True, help="the case's reference")
    held = add.add_mutually_exclusive_group(required=True)
    held.add_argument("--client", metavar="CONTACT_ID")
    held.add_argument("--conversation", metavar="CONVERSATION_ID")
    held.add_argument("--message", metavar="MESSAGE_ID")
    held.add_argument("--entry", metavar="ENTRY_ID")
    held.add_argument("--everything", action="store_true")
    _by(add)
    release = _command(commands, "release", "release all that a matter holds")
    release.add_argument("--matter", required=True)
    _by(release)
    _command(commands, "list", "list the holds, released ones too")


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


def _by(command: argparse.ArgumentParser) -> None:
    command.add_argument("--by", required=True, metavar="ID", help="who does this, for the archive")
