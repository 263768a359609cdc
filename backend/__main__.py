"""The backend's command line: serve, worker, witness, archive, admin, policy.

It never holds more than the way from a command to its code.
"""

from __future__ import annotations

import argparse
import gc
import sys
from importlib import import_module

from backend.cli.arguments import parser

EXIT_FAULT = 2


def main(argv: list[str] | None = None) -> int:
    """Carry out one command; returns the exit status (0 fine, 1 a finding, 2 can't run)."""
    words = sys.argv[1:] if argv is None else argv
    arguments = parser(words[0] if words else "").parse_args(words)
    if arguments.command == "serve":
        _read_serving()
    if arguments.command == "inspect":
        from backend.cli.inspecting import run_inspect

        return run_inspect(arguments)
    from backend.cli.logs import log_to_stderr

    log_to_stderr()
    if arguments.command == "openapi":
        from backend.cli.documents import run_openapi

        return run_openapi(arguments)
    from backend.workspace_errors import WorkspaceError

    if arguments.command == "witness" or _checks_files(arguments):
        return _without_database(arguments)
    if arguments.command == "policy":
        return _policy(arguments)
    from backend.storage.database import DatabaseError

    try:
        return _over_workspace(arguments)
    except (WorkspaceError, DatabaseError) as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"The backend can't start: {error.strerror}.\n")
    except ValueError:  # msgspec's errors are ValueErrors, too
        sys.stderr.write(
            "The line on stdin must be JSON with database_key and what the command needs.\n"
        )
    return EXIT_FAULT


def _over_workspace(arguments: argparse.Namespace) -> int:
    """Run a command that opens a workspace: it serves one, or looks after one."""
    if getattr(arguments, "custody", False):
        from backend.cli.custody import run_custody

        return run_custody(arguments)
    if arguments.command == "archive":
        from backend.cli.offline import run_archive

        return run_archive(arguments)
    if arguments.command == "import":
        from backend.cli.importing import run_import

        return run_import(arguments)
    if getattr(arguments, "firm_admin", False):
        from backend.cli.firm_admin import run_firm_admin

        return run_firm_admin(arguments)
    if getattr(arguments, "delivery_admin", False):
        from backend.cli.delivery_admin import run_delivery

        return run_delivery(arguments)
    if arguments.command == "admin":
        from backend.cli.offline import run_admin

        return run_admin(arguments)
    from backend.cli.running import run_serve, run_worker

    return (run_serve if arguments.command == "serve" else run_worker)(arguments)


def _read_serving() -> None:
    """Import what serving needs in a tenth less time: modules that stay are no garbage to seek."""
    gc.disable()
    try:
        for name in ("backend.cli.running", "backend.api.app"):
            import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def _policy(arguments: argparse.Namespace) -> int:
    """Run a command about policy bundles; only some need the workspace's database."""
    from backend.workspace_errors import WorkspaceError

    try:
        if arguments.policy_command == "evaluate":
            from backend.cli.policy_evaluate import run_evaluate

            return run_evaluate(arguments)
        if arguments.policy_command in ("publish", "keys", "replay"):
            return _with_database(arguments)
        from backend.cli.policy_authoring import run_authoring

        return run_authoring(arguments)
    except WorkspaceError as error:
        sys.stderr.write(f"{error}\n")
    return EXIT_FAULT


def _with_database(arguments: argparse.Namespace) -> int:
    from backend.cli.policy_publication import run_publication
    from backend.storage.database import DatabaseError

    try:
        return run_publication(arguments)
    except DatabaseError as error:
        sys.stderr.write(f"{error}\n")
    except ValueError:
        sys.stderr.write("The line on stdin must be JSON with database_key and secret.\n")
    return EXIT_FAULT


def _checks_files(arguments: argparse.Namespace) -> bool:
    alone = ("verify-receipt", "verify-tiles")
    return arguments.command == "archive" and str(arguments.archive_command) in alone


def _without_database(arguments: argparse.Namespace) -> int:
    """Run the witness, or check a receipt or tiles: they start without what a database needs."""
    from backend.workspace_errors import WorkspaceError

    try:
        if arguments.command == "archive":
            return _check_files(arguments)
        from backend.cli.witness import run_witness

        return run_witness(arguments)
    except WorkspaceError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"The witness can't start: {error.strerror}.\n")
    except ValueError:
        sys.stderr.write("The line on stdin must be JSON with database_key and log_key.\n")
    return EXIT_FAULT


def _check_files(arguments: argparse.Namespace) -> int:
    if arguments.archive_command == "verify-tiles":
        from backend.cli.tiles import run_verify_tiles

        return run_verify_tiles(arguments)
    from backend.cli.receipts import run_verify_receipt

    return run_verify_receipt(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
