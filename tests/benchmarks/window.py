"""Measures what a user feels in the real window over a million messages.

It never drives the window in its own process: a driver does, on a screen without a monitor.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import dataset
from tests.benchmarks.lines import Group, Line, NotMeasured, at_least, at_most
from tests.benchmarks.measuring import percentile
from tests.benchmarks.screen import screen
from tests.support.surroundings import ROOT

_DRIVEN_WITHIN_S = 240
_SEARCHED = (
    "typed into the palette of the real window, until its list with the results was painted;"
    " 500 events/s arrive meanwhile"
)
_CLICKED = "a mouse click on its row, until the newest messages were painted; 60 clicks"
_SCROLLED = "frames of 90 px, each with the reading and layout that fell into it; 900 frames"
_SENT = "Enter in the composer, until painted; 60 sends one after the other through the service"


def _pair(
    what: str, goals_ms: tuple[float, float], how: str, limits_ms: tuple[float, float] | None = None
) -> tuple[Line, Line]:
    limits = [f"{one:g} bare widgets" for one in limits_ms] if limits_ms else ["", ""]
    return (
        Line(f"{what}, p50", "ms", at_most(goals_ms[0]), how, limits[0]),
        Line(f"{what}, p99", "ms", at_most(goals_ms[1]), how, limits[1]),
    )


_SEARCH = (
    *_pair("keystroke to results painted, Latin", (12, 33), _SEARCHED, (6.1, 15)),
    *_pair("keystroke to results painted, CJK", (12, 33), _SEARCHED, (6.1, 15)),
    Line(
        "events applied during these keystrokes",
        "events/s",
        at_least(475),
        "messages with their conversation's row, half of them in the conversation on screen",
    ),
)
_CLICK = _pair("click to conversation painted, 100,000 messages", (12, 33), _CLICKED, (6.6, 9.5))
_SCROLL = (
    Line("scrolling 100,000 messages: frame, p99", "ms", at_most(16), _SCROLLED),
    Line("scrolling the inbox of 10,000: frame, p99", "ms", at_most(16), _SCROLLED),
)
_SEND = (
    *_pair("send to row on screen", (16, 33), _SENT),
    *_pair("send to archived, receipt verified, painted", (40, 120), _SENT),
)


def measure_hands(folder: Path) -> Iterator[float]:
    """Yield the figures of clicks, scrolling and search; the copy of the data is used up."""
    took = _driven(folder, "hands")
    # Its cursor ran ahead of what its backend ever streamed: connected, it would sync anew.
    dataset.drop_working_copy(folder.parent)
    for kind in ("latin", "cjk"):
        yield from (percentile(took[kind], 50), percentile(took[kind], 99))
    yield took["applied per s"][0]
    yield from (percentile(took["click"], 50), percentile(took["click"], 99))
    yield from (percentile(took["scroll"], 99), percentile(took["scroll inbox"], 99))


def measure_sends(folder: Path) -> Iterator[float]:
    """Yield the figures of sends."""
    took = _driven(folder, "send")
    for kind in ("row", "archived"):
        yield from (percentile(took[kind], 50), percentile(took[kind], 99))


def _driven(folder: Path, what: str) -> dict[str, list[float]]:
    """Let the driver do its work; raises NotMeasured with its last words when it fails."""
    root = dataset.working_copy(folder.parent)
    with screen(folder / "screen") as display:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "tests.benchmarks.window_driver", str(root), what],
                env=display.environment() | {"PYTHONPATH": str(ROOT)},
                cwd=ROOT,
                capture_output=True,
                timeout=_DRIVEN_WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired as fault:
            raise NotMeasured(f"the window was not done within {_DRIVEN_WITHIN_S} s") from fault
    if done.returncode != 0 or not done.stdout.strip():
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise NotMeasured(f"the window's driver failed: {words[-1] if words else 'no word'}")
    figures: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return figures


HANDS = Group((*_SEARCH, *_CLICK, *_SCROLL), measure_hands)
SENDS = Group(_SEND, measure_sends)
