"""Runs the diagnostics' checks without a window and prints or writes down what they found.

It imports no Qt, so that it works where no display library is installed, and makes no data where
Parley is not set up.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from app.core import Core
from app.diagnostics.checks import run_checks
from app.diagnostics.results import (
    EXIT_CODES,
    CheckResult,
    CheckStatus,
    Owner,
    exit_code,
    to_json,
    to_text,
)
from app.domain.clock import SystemClock
from app.domain.errors import AppError
from app.domain.status import Link
from app.settings.account import account_of
from app.settings.paths import app_paths, config_dir
from app.settings.settings import Settings
from app.setup import Setup, setup_of

ONLINE_WITHIN_S = 60.0
EMBEDDED_WITHIN_S = 150.0  # a start of the process, which may be slow, and another


def run_selftest(*, as_json: bool, version: str, output: Path | None = None) -> int:
    """Open the client as the window would, check it, print, return 0, 10, 20 or 30.

    With `output` the same words go to that file instead, as a whole; one that can't be written
    is IT's to mend (20).
    """
    settings = Settings.load(config_dir())
    results, account = asyncio.run(_check_everything(settings)), account_of(settings)
    words = to_json(results, version, account) if as_json else to_text(results, account)
    if output is None:
        print(words)
    elif not _written(output, words):
        return EXIT_CODES[Owner.IT]
    return exit_code(results)


def _written(path: Path, words: str) -> bool:
    try:
        # A device or pipe is written to; what stands in a file is replaced as a whole.
        whole = not path.exists() or path.is_file()
        draft = path.with_name(f"{path.name}.new") if whole else path
        draft.write_text(f"{words}\n", encoding="utf-8", newline="\n")
        if whole:
            draft.replace(path)
    except OSError as error:
        sys.stderr.write(f"{path} can't be written: {error.strerror or error}.\n")
        return False
    return True


async def _check_everything(settings: Settings) -> list[CheckResult]:
    if setup_of(settings) is not Setup.READY:
        words = "Parley isn't set up on this computer: no backend address (BackendUrl) is set"
        return [CheckResult("check.setup", CheckStatus.FAIL, words, Owner.IT)]
    core = Core(settings, app_paths(settings), SystemClock())
    try:
        try:
            await core.open()
        except AppError:
            # The subject carries the fault; the checks put it into words.
            return [result async for result in run_checks(core.diagnostics_subject())]
        await core.connect()
        await _until_online(core)
        return [result async for result in run_checks(core.diagnostics_subject())]
    finally:
        await core.close()


async def _until_online(core: Core) -> None:
    ready = asyncio.Event()

    def on_status(_status: object) -> None:
        status = core.status
        settled = status.link is Link.ONLINE and not status.syncing and status.policy_version
        if settled or status.link is Link.REFUSED:
            ready.set()

    unsubscribe = core.subscribe_status(on_status)
    on_status(None)
    try:
        async with asyncio.timeout(EMBEDDED_WITHIN_S if core.status.embedded else ONLINE_WITHIN_S):
            await ready.wait()
    except TimeoutError:
        pass
    finally:
        unsubscribe()
