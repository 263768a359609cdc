"""Measures the app's start over a million messages, and what it costs while nobody uses it.

It never counts the first start after the data was copied, and runs the program as users do.
"""

from __future__ import annotations

import compileall
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks import dataset
from tests.benchmarks.lines import Group, Line, NotMeasured, at_most
from tests.benchmarks.processes import family, pss_mb, require_proc
from tests.benchmarks.programs import (
    IDLE_S,
    SETTLED_S,
    foreign_environment,
    idle,
    painted_after_s,
    require_installed,
    running,
    without_network,
)
from tests.benchmarks.screen import Screen, screen
from tests.support.processes import children_with
from tests.support.surroundings import ROOT, has_private_keyring

STARTS = 9
PEER_STARTS = 5
MARKS_VARIABLE = "PARLEY_START_MARKS"
_MARKED_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.02
_PEER = "telegram-desktop"
_BACKEND = "backend"

LINES = (
    Line(
        "cold start: exec to inbox, conversation, composer painted",
        "s",
        at_most(0.45),
        f"`python -m ui` over the data set, key in the session's keyring, on an X server without"
        f" monitor; until the program's own mark of that paint; median of {STARTS}",
        "0.37 bare widgets",
    ),
    Line(
        "embedded backend: ready beside the window",
        "s",
        at_most(0.9),
        "the same starts, from the window's paint, after which it is started, to its first answer",
    ),
    Line(
        "memory: the app, idle",
        "MB",
        at_most(110),
        f"proportional set size {SETTLED_S:g} s after it was online, its backend apart",
        "76 bare widgets",
    ),
    Line(
        "memory: the embedded backend, idle",
        "MB",
        at_most(70),
        "the same moment, the service with its witness",
    ),
    Line(
        "idle, connected: CPU",
        "s",
        at_most(0.05),
        f"all threads of the app in the {IDLE_S:g} s after that, its stream to the backend open",
        "0.03 bare widgets",
    ),
    Line("idle, connected: wake-ups", "/s", at_most(3), "voluntary context switches meanwhile"),
    Line(
        "cold start: ratio to Telegram Desktop's sign-in window",
        "times",
        at_most(0.8),
        f"its window with content on the same screen in the same minute, without network;"
        f" median of {PEER_STARTS}",
    ),
)


class Marks(NamedTuple):
    """Seconds from exec to the paint, and from there to the backend (None: not waited for)."""

    painted_s: float
    backend_s: float | None


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES."""
    root = ready_to_run(folder.parent)
    ours: list[Marks] = []
    theirs: list[float] = []
    why = ""
    with screen(folder / "screen") as display:
        compile_program()
        # The first start has no kept frame yet; the one that ends it keeps the next start's.
        start(display, root, folder / "first", for_backend=True)
        for number in range(STARTS):
            # The backend needs longer than the window: not each start waits for it.
            ours.append(start(display, root, folder / str(number), for_backend=number % 3 == 0))
            if number < PEER_STARTS and not why:
                try:
                    theirs.append(peer_start_s(display, folder / "peer", warm=number == 0))
                except NotMeasured as fault:
                    why = str(fault)
        painted_s = median(one.painted_s for one in ours)
        yield painted_s
        yield median(one.backend_s for one in ours if one.backend_s is not None)
        yield from _idle(display, root, folder / "idle")
    if why:
        raise NotMeasured(why)
    yield painted_s / median(theirs)


def compile_program() -> None:
    """Compile the program's modules as an installer does, whatever this shell says of that."""
    for package in ("app", "backend", "backend_client", "contract", "resources", "ui"):
        compileall.compile_dir(ROOT / package, quiet=1)


def ready_to_run(folder: Path) -> Path:
    """Return a copy of the data set whose key is in the session's keyring.

    Raises NotMeasured where the session is not a private one.
    """
    require_proc()
    if not has_private_keyring():
        raise NotMeasured("needs a keyring of its own: run under .ci/with-session-bus")
    dataset.put_key_in_keyring()
    return dataset.working_copy(folder)


def start(
    display: Screen,
    root: Path,
    marks: Path,
    *,
    for_backend: bool = False,
    program: Sequence[str] = (),
) -> Marks:
    """Start the app, wait for its paint (and its backend) and end it; raises NotMeasured.

    `program` is what is started, such as a packaged client; empty: the source tree's.
    """
    began_ns = time.monotonic_ns()
    with running(command(root, program), environment(display, marks), cwd=ROOT):
        painted_s = wait_for_mark(marks, "first_paint", began_ns)
        if not for_backend:
            return Marks(painted_s, None)
        return Marks(painted_s, wait_for_mark(marks, "embedded_ready", began_ns) - painted_s)


def command(root: Path, program: Sequence[str] = ()) -> list[str]:
    """Return how the app, or another `program` of it, is started over a data folder."""
    return [*(program or (sys.executable, "-P", "-m", "ui")), "--data-dir", str(root)]


def environment(display: Screen, marks: Path) -> dict[str, str]:
    """Return the environment in which the app notes its start in a file."""
    return display.environment() | {MARKS_VARIABLE: str(marks), "PYTHONPATH": str(ROOT)}


def wait_for_mark(marks: Path, name: str, began_ns: int) -> float:
    """Return the seconds from `began_ns` to a mark; raises NotMeasured when it does not come."""
    until_s = time.monotonic() + _MARKED_WITHIN_S
    while time.monotonic() < until_s:
        for line in marks.read_text("ascii").splitlines() if marks.exists() else ():
            told = json.loads(line)
            if told["mark"] == name:
                return (int(told["at_ns"]) - began_ns) / 1e9
        time.sleep(_LOOK_EVERY_S)
    raise NotMeasured(f"the app did not come to its mark {name} within {_MARKED_WITHIN_S:g} s")


def peer_start_s(display: Screen, home: Path, *, warm: bool) -> float:
    """Return what Telegram Desktop takes to its sign-in window; `warm` starts it once before."""
    require_installed(_PEER)
    surroundings = foreign_environment(display, home)
    started = [*without_network(), _PEER, "-many", "-workdir", str(home / "telegram")]
    if warm:
        painted_after_s(display, started, surroundings)
    return painted_after_s(display, started, surroundings)


def _idle(display: Screen, root: Path, marks: Path) -> Iterator[float]:
    began_ns = time.monotonic_ns()
    with running(command(root), environment(display, marks), cwd=ROOT) as process:
        wait_for_mark(marks, "online", began_ns)
        time.sleep(SETTLED_S)
        service = [
            pid for one in children_with(_BACKEND, of=process.pid) for pid in family(one.pid)
        ]
        service_mb = pss_mb(service)
        cost = idle([process.pid])
    yield cost.pss_mb
    yield service_mb
    yield cost.cpu_s
    yield cost.wake_ups_per_s


GROUP = Group(LINES, measure)
