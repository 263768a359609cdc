"""The backend's command line as argparse sees it.

It never imports a part of the backend: a start costs only what its command needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of `python -m backend`, of one command alone where its name is given.

    All of them take some 30 ms to make, which a start need not wait for.
    """
    top = argparse.ArgumentParser(
        prog="parley-backend",
        description="The governed backend. Commands with --data-dir read one line from stdin: the "
        "database_key (64 hex digits), or JSON that holds it.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name in (command,) if command in _COMMANDS else _COMMANDS:
        text, fill = _COMMANDS[name]
        fill(commands.add_parser(name, help=text))
    return top


def _add_worker(worker: argparse.ArgumentParser) -> None:
    _add_data_dir(worker)
    _add_sandbox(worker)


def _add_inspect(inspect: argparse.ArgumentParser) -> None:
    inspect.add_argument("file", type=Path, nargs="?", help="default: one inspection on stdin")


def _add_openapi(openapi: argparse.ArgumentParser) -> None:
    openapi.add_argument("--output", type=Path, help="default: contract/openapi.json")


def _add_policy(policy: argparse.ArgumentParser) -> None:
    from backend.cli.policy_arguments import add_policy_commands

    add_policy_commands(policy.add_subparsers(dest="policy_command", required=True))


def _add_serve(serve: argparse.ArgumentParser) -> None:
    which = serve.add_mutually_exclusive_group()
    which.add_argument(
        "--embedded", action="store_true", help="stop as soon as stdin ends: the app is gone"
    )
    which.add_argument("--firm", action="store_true", help="serve a firm's workspace")
    _add_firm_serving(serve)
    serve.add_argument(
        "--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="loopback only; port 0: any"
    )
    serve.add_argument(
        "--tiles", default="", metavar="PLACE", help="publish the log here after each seal"
    )
    _add_data_dir(serve)
    _add_sandbox(serve)


def _add_firm_serving(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="with --firm: holds the database key; without it stdin tells the key",
    )
    serve.add_argument(
        "--public-url",
        default="",
        metavar="URL",
        help="with --firm: how vendors reach this backend (default: what `admin firm set` says)",
    )
    serve.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="with --firm: another host by which the reverse proxy passes calls on",
    )


def _add_witness(witness: argparse.ArgumentParser) -> None:
    _add_data_dir(witness)
    witness.add_argument(
        "--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="port 0: any free one"
    )
    witness.add_argument(
        "--embedded", action="store_true", help="stop as soon as stdin ends: the backend is gone"
    )
    witness.add_argument(
        "--log-key", default="", metavar="KEY", help="the log's verifier key, unless stdin tells it"
    )
    witness.add_argument(
        "--rotation",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a statement of the old log key for the new one; once per rotation, oldest first",
    )


def _add_data_dir(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data-dir", type=Path, required=True)


def _add_sandbox(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--sandbox-pace",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="multiplies the sandbox clients' delays (0: at once)",
    )
    command.add_argument(
        "--sandbox-silent", action="store_true", help="sandbox clients don't answer"
    )


def _add_archive(archive: argparse.ArgumentParser) -> None:
    commands = archive.add_subparsers(dest="archive_command", required=True)
    verify = commands.add_parser("verify", help="recompute every hash; exit 1 at the first fault")
    _add_data_dir(verify)
    verify.add_argument(
        "--without-witness",
        action="store_true",
        help="the witness's memory is not on this computer: a lost end can't be found then",
    )
    _add_trusted(verify)
    receipt = commands.add_parser(
        "verify-receipt", help="check a receipt with nothing but its file; exit 1 when it is wrong"
    )
    receipt.add_argument("file", type=Path)
    receipt.add_argument("--log-key", default="", help="the log's verifier key you trust")
    receipt.add_argument("--witness-key", action="append", default=[], help="once per witness")
    receipt.add_argument("--quorum", type=int, help="how many witnesses must have cosigned")
    receipt.add_argument("--leaf", type=Path, help="the entry's leaf, for a bare receipt")
    _add_tiles(commands)
    find = commands.add_parser("find", help="print every entry about a message as JSON")
    _add_data_dir(find)
    find.add_argument("--message-id", required=True)
    from backend.cli.custody_arguments import add_archive_commands

    add_archive_commands(commands)


def _add_tiles(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    where = "a folder, or s3://BUCKET/PREFIX"
    tiles = commands.add_parser("tiles", help="publish the sealed log as files that can be audited")
    _add_data_dir(tiles)
    tiles.add_argument("--to", required=True, metavar="PLACE", help=where)
    check = commands.add_parser("verify-tiles", help="audit a published log from its files alone")
    check.add_argument("place", metavar="PLACE", help=where)
    check.add_argument("--log-key", required=True, help="the log's verifier key you trust")
    check.add_argument("--witness-key", action="append", default=[], help="once per witness")
    check.add_argument("--quorum", type=int, help="how many must have cosigned (default: all)")
    for command in (tiles, check):
        command.add_argument("--endpoint-url", default="")
        command.add_argument("--region", default="")


def _add_trusted(verify: argparse.ArgumentParser) -> None:
    """Add the keys an auditor brings along, so that swapped ones are found."""
    add = verify.add_argument
    add("--log-key", action="append", default=[], help="a log key you trust; once per key it had")
    add("--recovery-key", action="append", default=[], help="accept rotations it has signed")
    add("--witness-key", action="append", default=[], help="once per witness you trust")
    add("--quorum", type=int, help="how many of them must cosign (default: all)")


def _add_admin(admin: argparse.ArgumentParser) -> None:
    from backend.cli.custody_arguments import add_admin_commands
    from backend.cli.delivery_arguments import add_delivery_commands
    from backend.cli.firm_arguments import add_firm_commands
    from backend.cli.supervision_arguments import add_supervision_commands

    commands = admin.add_subparsers(dest="admin_command", required=True)
    add_delivery_commands(commands)
    alerts = commands.add_parser(
        "alerts", help="list alarms: clients' about the archive, channels'"
    )
    _add_data_dir(alerts)
    rotate = commands.add_parser("rotate-log-key", help="sign with a new key from now on")
    restored = commands.add_parser(
        "state-restore", help="state that this log was restored; run it before its backend starts"
    )
    restored.add_argument(
        "--seen-size", type=int, required=True, help="the largest size that clients saw before"
    )
    _add_data_dir(
        commands.add_parser(
            "new-history",
            help="have clients sync anew; state-restore does, this is for one that lost no entry",
        )
    )
    moved = commands.add_parser("state-move", help="state that this log follows another one")
    moved.add_argument("--from-origin", required=True, help="the name in the old log's key")
    for command in (rotate, restored, moved):
        _add_data_dir(command)
        command.add_argument(
            "--recovery-key-file",
            type=Path,
            required=True,
            help="a private recovery key (not kept)",
        )
    statement = commands.add_parser("add-statement", help="show clients a signed statement")
    _add_data_dir(statement)
    statement.add_argument("file", type=Path)
    statement.add_argument("--recovery-key", required=True, help="the public key that signed it")
    add_admin_commands(commands)
    add_supervision_commands(commands)
    add_firm_commands(commands)


def _add_import(command: argparse.ArgumentParser) -> None:
    from backend.cli.import_arguments import add_import

    add_import(command)


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "serve": ("serve the governed API on loopback", _add_serve),
    "worker": ("deliver and receive without serving the API", _add_worker),
    "witness": ("cosign the checkpoints of a log that only grows", _add_witness),
    "archive": ("check or search the archive", _add_archive),
    "admin": ("look after the firm, its jobs and accounts", _add_admin),
    "policy": ("check, sign, try out and publish policy bundles", _add_policy),
    "import": ("import a chat that a consumer app exported", _add_import),
    "inspect": ("tell what policy may know of a file", _add_inspect),
    "openapi": ("write the OpenAPI document", _add_openapi),
}
