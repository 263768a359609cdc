"""Runs the diagnostics' checks without a window and prints what they found.

It imports no Qt, so that it works where no display library is installed.
"""

from __future__ import annotations

import asyncio

from app.core import Core
from app.diagnostics.checks import run_checks
from app.diagnostics.results import CheckResult, exit_code, to_json, to_text
from app.domain.clock import SystemClock
from app.domain.errors import AppError
from app.domain.status import Link
from app.settings.paths import app_paths, config_dir
from app.settings.settings import Settings

ONLINE_WITHIN_S = 30.0


def run_selftest(*, as_json: bool, version: str) -> int:
    """Open the client as the window would, check it, print, return 0, 10, 20 or 30."""
    results = asyncio.run(_check_everything())
    print(to_json(results, version) if as_json else to_text(results))
    return exit_code(results)


async def _check_everything() -> list[CheckResult]:
    settings = Settings.load(config_dir())
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
        async with asyncio.timeout(ONLINE_WITHIN_S):
            await ready.wait()
    except TimeoutError:
        pass
    finally:
        unsubscribe()
