"""Owns asking this system which proxy leads to an address, in a process of its own.

It never asks within the app: the system may load and run a proxy script of the firm (PAC) for that,
which takes seconds and would hold up the window. It judges nothing: ProxyMode says whether to ask.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from app.installation import own_command
from backend_client.proxies import environment_proxy

OPTION = "--system-proxy"
ANSWER_WITHIN_S = 15.0
_LOG = logging.getLogger(__name__)

FindProxy = Callable[[str], str | None]


def system_proxy(platform: str = sys.platform) -> FindProxy | None:
    """Return how to ask, None where the environment's variables are all there is to know."""
    if platform not in {"win32", "darwin"}:
        return None
    return ask_system


def named_by_environment(url: str) -> str:
    """Return the proxy of the environment's variables, "" for none; ValueError for SOCKS."""
    return environment_proxy(url)


def ask_system(url: str, command: Sequence[str] = ()) -> str | None:
    """Return the proxy's address for `url`, "" for none, None when the system gave no answer.

    `command` replaces the words that start this Parley. Blocks for 15 s at most.
    """
    with tempfile.TemporaryDirectory(prefix="parley-proxy-") as folder:
        answer = Path(folder) / "answer"
        words = [*(command or own_command()), OPTION, url, "--output", str(answer)]
        try:
            subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=ANSWER_WITHIN_S,
                check=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            return answer.read_text("utf-8").strip()
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as fault:
            _LOG.warning("the system was asked for its proxy in vain: %s", type(fault).__name__)
            return None
