"""The command line: run Parley, play the tour, run the self-test, tell the version.

It never imports Qt before it is known that a window is wanted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ui.start_marks import mark


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for and return its exit status."""
    mark("main")
    chosen = _parser().parse_args(arguments)
    if chosen.json and not chosen.selftest:
        _parser().error("--json goes with --selftest")
    if chosen.data_dir is not None:
        from app.settings.paths import DATA_DIR_VARIABLE

        os.environ[DATA_DIR_VARIABLE] = str(chosen.data_dir.absolute())
    if chosen.version:
        print(f"Parley {version()}")
        return 0
    if chosen.sign_in is not None or chosen.sign_out:
        from ui.signing_in import run_sign_in, run_sign_out

        return run_sign_out() if chosen.sign_in is None else run_sign_in(chosen.sign_in)
    if chosen.selftest:
        from ui.selftest import run_selftest

        return run_selftest(as_json=chosen.json, version=version())
    if chosen.tour is not None:
        from ui.tour.run import run_tour

        return run_tour(chosen.tour, theme=chosen.theme or "light", version=version())
    from ui.run import run_window

    return run_window(theme=chosen.theme, version=version())


def version() -> str:
    """Return the installed version."""
    from app.domain.version import CLIENT_VERSION

    return CLIENT_VERSION


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parley", description="One inbox, one governed send.")
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument(
        "--selftest",
        action="store_true",
        help="run the checks without a window; exit 0 fine, 10 user, 20 IT, 30 vendor",
    )
    parser.add_argument("--json", action="store_true", help="with --selftest: print JSON")
    parser.add_argument(
        "--tour", type=Path, metavar="DIR", help="drive the real app; pictures and report in DIR"
    )
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="keep everything below DIR instead"
    )
    parser.add_argument(
        "--sign-in",
        metavar="FILE",
        help="keep the access token in FILE (-: standard input) in the keyring, for your firm",
    )
    parser.add_argument("--sign-out", action="store_true", help="forget the access token")
    parser.add_argument("--theme", choices=("light", "dark"), help="this run's theme")
    return parser


if __name__ == "__main__":
    sys.exit(main())
