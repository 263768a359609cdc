"""Starts programs on a benchmark's own screen and takes when they have painted, and what they cost.

It never ends a process that it did not start, and gives a foreign program neither home nor network.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.lines import NotMeasured
from tests.benchmarks.processes import cpu_s, family, pss_mb, wake_ups
from tests.benchmarks.screen import Screen

PAINTED_WITHIN_S = 30.0
SETTLED_S = 10.0
IDLE_S = 30.0
_ENDS_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.003
_CLEARED_WITHIN_S = 5.0


class Idle(NamedTuple):
    """What a program costs while nobody uses it."""

    pss_mb: float
    cpu_s: float
    wake_ups_per_s: float


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], *, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own; the whole group has ended afterwards."""
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)


def painted_after_s(
    screen: Screen, command: Sequence[str], environment: Mapping[str, str]
) -> float:
    """Start a program; return the seconds until its window with content stood on the screen.

    Raises NotMeasured when none came.
    """
    began = time.perf_counter()
    with running(command, environment) as process:
        took = _wait_for_paint(screen, process, began)
    _wait_for_bare(screen)
    return took


def painted_and_idle(
    screen: Screen, command: Sequence[str], environment: Mapping[str, str]
) -> Idle:
    """Start a program and return what it costs once it has stood there for a while."""
    began = time.perf_counter()
    with running(command, environment) as process:
        _wait_for_paint(screen, process, began)
        time.sleep(SETTLED_S)
        cost = idle(family(process.pid))
    _wait_for_bare(screen)
    return cost


def idle(pids: list[int]) -> Idle:
    """Return memory now, and CPU time and wake-ups within the next IDLE_S seconds."""
    memory_mb = pss_mb(pids)
    cpu_before_s, woken_before = cpu_s(pids), wake_ups(pids)
    time.sleep(IDLE_S)
    woken = max(0, wake_ups(pids) - woken_before)  # a thread that ended takes its count along
    return Idle(memory_mb, cpu_s(pids) - cpu_before_s, woken / IDLE_S)


def foreign_environment(screen: Screen, home: Path) -> dict[str, str]:
    """Return an environment in which a foreign program finds an empty home."""
    environment = screen.environment() | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        environment[f"XDG_{name}_HOME"] = str(home / name.lower())
    (home / "run").mkdir(parents=True, mode=0o700, exist_ok=True)
    return environment


@cache
def without_network() -> tuple[str, ...]:
    """Return what to put before a command so that it sees no network; raises NotMeasured."""
    for prefix in (("unshare", "-n"), ("unshare", "-rn")):
        with contextlib.suppress(OSError):
            if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
                return prefix
    raise NotMeasured("no program may be kept from the network here (unshare -n)")


def require_installed(program: str) -> None:
    """Raise NotMeasured where a program is not installed."""
    if shutil.which(program) is None:
        raise NotMeasured(f"{program} is not installed")


def _wait_for_paint(screen: Screen, process: subprocess.Popen[bytes], began: float) -> float:
    while not screen.is_painted():
        if process.poll() is not None:
            raise NotMeasured(f"the program ended with status {process.returncode}")
        if time.perf_counter() - began > PAINTED_WITHIN_S:
            raise NotMeasured(f"no window with content stood there within {PAINTED_WITHIN_S:g} s")
        time.sleep(_LOOK_EVERY_S)
    return time.perf_counter() - began


def _wait_for_bare(screen: Screen) -> None:
    until_s = time.perf_counter() + _CLEARED_WITHIN_S
    while screen.is_painted() and time.perf_counter() < until_s:
        time.sleep(_LOOK_EVERY_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        pass
    _signal_group(process, signal.SIGKILL)  # what the program left behind in its group
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
