"""The options of the `policy` commands: check, sign, evaluate, compare, replay and publish.

It never imports a part of the backend: a start costs only what its command needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.custody_arguments import Commands

_BUNDLE = "a bundle file, or the folder of its sources"


def add_policy_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the `policy` commands."""
    check = commands.add_parser("check", help="tell every fault of a source folder, with its line")
    check.add_argument("source", type=Path, metavar="DIR", help=_BUNDLE)
    keygen = commands.add_parser("keygen", help="make a private key to sign bundles with")
    keygen.add_argument("--name", required=True, help="names the signer, such as policy/jdoe")
    keygen.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    sign = commands.add_parser("sign", help="sign a bundle; a second signer signs its output")
    sign.add_argument("source", type=Path, metavar="DIR", help=_BUNDLE)
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="a private key")
    sign.add_argument("-o", "--output", type=Path, required=True, metavar="BUNDLE")
    evaluate = commands.add_parser("evaluate", help="decide on drafts: JSON lines in and out")
    evaluate.add_argument("--bundle", type=Path, required=True, help=_BUNDLE)
    evaluate.add_argument("--facts", type=Path, help="the facts to decide on, as JSON")
    evaluate.add_argument(
        "--side",
        choices=("client", "server"),
        default="server",
        help="client: as the composer hints, without rules of scope server",
    )
    _verifier(evaluate)
    compare = commands.add_parser("diff", help="tell what another version of a bundle changes")
    compare.add_argument("old", type=Path, metavar="OLD", help=_BUNDLE)
    compare.add_argument("new", type=Path, metavar="NEW", help=_BUNDLE)
    replay = commands.add_parser(
        "replay", help="tell what of the archive a bundle would newly block, warn of or let go"
    )
    replay.add_argument("--bundle", type=Path, required=True, metavar="NEW", help=_BUNDLE)
    replay.add_argument("--since", required=True, metavar="DATE", help="YYYY-MM-DD, UTC")
    _add_workspace(replay)
    _add_publication(commands)


def _add_publication(commands: Commands[argparse.ArgumentParser]) -> None:
    publish = commands.add_parser("publish", help="put a bundle in force that two people signed")
    publish.add_argument("--bundle", type=Path, required=True, metavar="BUNDLE")
    _add_workspace(publish)
    keys = commands.add_parser("keys", help="list, add or retire the keys that may sign bundles")
    _add_workspace(keys)
    keys.add_argument("--add", default="", metavar="KEY", help="a verifier key, with --employee")
    keys.add_argument("--employee", default="", metavar="ID", help="whose key it is")
    keys.add_argument("--retire", default="", metavar="KEY", help="a key that counts no more")
    keys.add_argument("--by", default="", metavar="ID", help="who orders the change")


def _add_workspace(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data-dir", type=Path, required=True)
    command.add_argument(
        "--key-file", type=Path, metavar="FILE", help="holds the database key; else stdin tells it"
    )


def _verifier(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--verifier-key",
        action="append",
        default=[],
        metavar="KEY",
        help="refuse a bundle that this key has not signed; without it a folder is taken as it is",
    )
