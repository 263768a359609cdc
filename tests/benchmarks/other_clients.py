"""Prints what other clients take to start and to stand there, beside ours: `make bench-peers`.

It never lets one reach a network or a user's files, and installs none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks import cold_start, dataset, dataset_rows, dataset_texts, gajim_search
from tests.benchmarks.dataset_rows import Bank
from tests.benchmarks.lines import NotMeasured
from tests.benchmarks.measuring import SEED, percentile
from tests.benchmarks.own_search import search_ms
from tests.benchmarks.programs import (
    SETTLED_S,
    Idle,
    foreign_environment,
    idle,
    painted_after_s,
    painted_and_idle,
    require_installed,
    running,
    without_network,
)
from tests.benchmarks.screen import Screen, screen
from tests.benchmarks.search_terms import CJK, LATIN
from tests.support.surroundings import ROOT

STARTS = 5
SYSTEM_PYTHON = "/usr/bin/python3"
OUT = ROOT / "out"
_LEAST_TIMES = 100
# Root seen as another user, who needs a session bus that sees the same.
_AS_USER = ("-U", "--map-user=1000", "--map-group=1000", "dbus-run-session", "--")


class Peer(NamedTuple):
    """Another client: its program with arguments (`{home}` is its own folder), what it shows."""

    name: str
    command: tuple[str, ...]
    shows: str
    refuses_root: bool = False


PEERS = (
    Peer("Pidgin", ("pidgin", "-m", "-c", "{home}/purple"), "account window"),
    Peer("Quaternion", ("quaternion",), "empty"),
    Peer(
        "Telegram Desktop",
        ("telegram-desktop", "-many", "-workdir", "{home}/telegram"),
        "sign-in",
    ),
    Peer("NeoChat", ("neochat",), "sign-in"),
    Peer("nheko", ("nheko",), "sign-in"),
    Peer("Thunderbird", ("thunderbird", "--no-remote", "--profile", "{home}/tb"), "empty"),
    Peer("Dino", ("dino-im",), "sign-in"),
    Peer("Gajim", ("gajim", "-c", "{home}/gajim"), "account window", refuses_root=True),
)


def main() -> int:
    """Take and print the figures; returns the exit status, 0."""
    OUT.mkdir(exist_ok=True)
    print(f"{'':<34} {'start, s':>9} {'PSS, MB':>8} {'CPU-s in 30 s':>14} {'wake-ups/s':>11}")
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=OUT) as folder,
        screen(Path(folder) / "screen") as display,
    ):
        for number, peer in enumerate(PEERS):
            try:
                started_s, cost = _taken(display, peer, Path(folder) / f"home{number}")
                _print_row(f"{peer.name} ({peer.shows})", started_s, cost)
            except NotMeasured as fault:
                print(f"{peer.name:<34} {fault}", flush=True)
        _ours(display, Path(folder))
        _compare_search(Path(folder))
    return 0


def _taken(display: Screen, peer: Peer, home: Path) -> tuple[float, Idle]:
    """Return the median start after a first one, which sets things up, and the cost at rest."""
    require_installed(peer.command[0])
    surroundings = foreign_environment(display, home)
    apart = without_network()
    if peer.refuses_root and os.geteuid() == 0:
        apart += _AS_USER
    command = [*apart, *(part.format(home=home) for part in peer.command)]
    painted_after_s(display, command, surroundings)
    starts = [painted_after_s(display, command, surroundings) for _ in range(STARTS)]
    return median(starts), painted_and_idle(display, command, surroundings)


def _ours(display: Screen, folder: Path) -> None:
    try:
        root = cold_start.ready_to_run(folder)
        cold_start.start(display, root, folder / "first")
        starts = [
            cold_start.start(display, root, folder / f"marks{number}").painted_s
            for number in range(STARTS)
        ]
        marks, began_ns = folder / "idle", time.monotonic_ns()
        environment = cold_start.environment(display, marks)
        with running(cold_start.command(root), environment, cwd=ROOT) as process:
            cold_start.wait_for_mark(marks, "online", began_ns)
            time.sleep(SETTLED_S)
            cost = idle([process.pid])
    except NotMeasured as fault:
        print(f"{'Parley':<34} {fault}")
        return
    _print_row("Parley (inbox over 1 M messages)", median(starts), cost)


def _print_row(name: str, started_s: float, cost: Idle) -> None:
    print(
        f"{name:<34} {started_s:>9.2f} {cost.pss_mb:>8.0f} {cost.cpu_s:>14.2f}"
        f" {cost.wake_ups_per_s:>11.1f}",
        flush=True,
    )


def _compare_search(folder: Path) -> None:
    """Run the same terms through Gajim's own functions and ours, and print both."""
    try:
        require_installed("gajim")
        took = _gajim_ms(_gajim_history())
    except NotMeasured as fault:
        print(f"\nSearch beside Gajim's: {fault}")
        return
    ours = search_ms(dataset.working_copy(folder), (*LATIN, *CJK))
    print("\nSearch over the same million messages, first 50 hits of 50 terms, ms p50 / p99")
    for name, times in (
        ("Gajim, all chats", took["all"]),
        ("Gajim, chat of 100,000", took["one"]),
        ("Parley, people and all chats", ours),
    ):
        print(f"{name:<34} {median(times):>9.2f} / {percentile(times, 99):.2f}")
    times_faster = median(took["all"]) / median(ours)
    said = "ok" if times_faster >= _LEAST_TIMES else "MISS"
    print(f"{'Medians, Gajim to Parley':<34} {times_faster:>9,.0f} times (≥ {_LEAST_TIMES}) {said}")


def _gajim_ms(folder: Path) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(prefix="gajim-", dir=OUT) as root:
        shutil.copy(folder / gajim_search.HISTORY_FILE, root)
        done = _run_in_gajim([root], json.dumps([*LATIN, *CJK]))
    took: dict[str, list[float]] = json.loads(done)
    return took


def _gajim_history() -> Path:
    """Return a folder with the data set's texts as Gajim's history, made once."""
    statements = _run_in_gajim(["--tables"], "")
    target = dataset.KEPT / f"gajim-{dataset.key((dataset_rows, dataset_texts))}"
    if not target.exists():
        part = target.with_name(f"{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        gajim_search.write_history(part, statements, _chats())
        part.rename(target)
    return target


def _chats() -> Iterator[tuple[int, str, float, str]]:
    now_utc_ms = time.time_ns() // 1_000_000
    bank = Bank(dataset.MESSAGES, dataset.CONVERSATIONS, now_utc_ms, SEED)
    for message in bank.messages():
        number = int(message.conversation_id.rpartition("-")[2])
        yield number, message.author_name, message.place_at_utc_ms / 1000, message.text


def _run_in_gajim(arguments: list[str], said: str) -> str:
    done = subprocess.run(
        [SYSTEM_PYTHON, str(Path(gajim_search.__file__)), *arguments],
        input=said,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise NotMeasured(f"Gajim's functions do not run: {words[-1] if words else 'no word'}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
