"""The command line: run Parley, play the tour, run the self-test, tell the version.

It never imports Qt before it is known that a window is wanted, and takes no option from a link.
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
    if sys.stdout is None or sys.stderr is None:  # a windowed EXE
        from ui.standard_streams import provide_streams

        provide_streams()
    words = sys.argv[1:] if arguments is None else arguments
    parser = _parser()
    chosen = parser.parse_args(_without_options_of_a_link(words))
    if chosen.link and not _is_link(chosen.link[0]):
        parser.error(f"unrecognized arguments: {' '.join(chosen.link)}")
    answers = chosen.selftest or chosen.system_proxy is not None
    if (chosen.json and not chosen.selftest) or (chosen.output is not None and not answers):
        parser.error("--json goes with --selftest, --output with that and with --system-proxy")
    if chosen.data_dir is not None:
        from app.settings.paths import DATA_DIR_VARIABLE

        os.environ[DATA_DIR_VARIABLE] = str(chosen.data_dir.absolute())
    if chosen.version:
        print(f"Parley {version()}")
        return 0
    if chosen.sign_in is not None or chosen.sign_out:
        from ui.signing_in import run_sign_in, run_sign_out

        return run_sign_out() if chosen.sign_in is None else run_sign_in(chosen.sign_in)
    return _run(chosen)


def version() -> str:
    """Return the installed version."""
    from app.domain.version import CLIENT_VERSION

    return CLIENT_VERSION


def _run(chosen: argparse.Namespace) -> int:
    if chosen.selftest:
        from ui.selftest import run_selftest

        return run_selftest(as_json=chosen.json, version=version(), output=chosen.output)
    if chosen.system_proxy is not None:
        from ui.proxy_answer import run_system_proxy

        return run_system_proxy(chosen.system_proxy, chosen.output)
    if chosen.tour is not None:
        from ui.tour.run import run_tour

        return run_tour(chosen.tour, theme=chosen.theme or "light", version=version())
    from ui.run import run_window

    link = " ".join(chosen.link)
    return run_window(theme=chosen.theme, version=version(), link=link, by_session=chosen.autostart)


def _without_options_of_a_link(words: Sequence[str]) -> Sequence[str]:
    """Return the words; of those that come with a link nothing but the link, whatever it says.

    A link comes from a page or a mail, and may try to bring options along.
    """
    first = next((place for place, word in enumerate(words) if _is_link(word)), None)
    return words if first is None else ["--", *words[first:]]


def _is_link(word: str) -> bool:
    from app.domain.links import is_link

    return is_link(word)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parley", description="One inbox, one governed send.")
    parser.add_argument("link", nargs="*", help="a link that begins with parley://")
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument(
        "--selftest",
        action="store_true",
        help="run the checks without a window; exit 0 fine, 10 user, 20 IT, 30 vendor",
    )
    parser.add_argument("--json", action="store_true", help="with --selftest: print JSON")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the answer to FILE, not print it"
    )
    parser.add_argument(
        "--system-proxy", metavar="URL", help="say which proxy this system uses for URL"
    )
    parser.add_argument(
        "--autostart",
        action="store_true",
        help="start minimised, and only where the setting Autostart is on",
    )
    parser.add_argument(
        "--restarted", action="store_true", help="what Windows adds after an update"
    )
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
