"""Runs each fuzz target for a time and keeps what made one fail.

It never goes on after a failure, and its end tells the seed that repeats it.

    python -m tests.fuzz [TARGET ...]
        FUZZ_S    seconds for each target (default 600)
        FUZZ_SEED where to start (default: by chance); a failure prints the one that repeats it
"""

from __future__ import annotations

import os
import random
import secrets
import sys
import time
import traceback
from collections.abc import Callable

from tests.fuzz import bundle_loader, evaluator

DEFAULT_S = 600.0
GROWTH_SHARE = 0.03
"""How many of the inputs are for measuring growth, which takes much longer than one input."""

_Once = Callable[[random.Random], None]
TARGETS: dict[str, tuple[_Once, _Once]] = {
    "bundle-loader": (bundle_loader.run_once, bundle_loader.growth_once),
    "evaluator": (evaluator.run_once, evaluator.growth_once),
}


def main() -> int:
    """Run the targets named on the command line, or all; 1 when one failed."""
    names = sys.argv[1:] or list(TARGETS)
    seconds_s = float(os.environ.get("FUZZ_S", DEFAULT_S))
    first = int(os.environ.get("FUZZ_SEED", secrets.randbits(32)))
    return max(_run(name, seconds_s, first) for name in names)


def _run(name: str, seconds_s: float, first: int) -> int:
    once, growth = TARGETS[name]
    runs, growths = 0, 0
    started_s = time.monotonic()
    while time.monotonic() - started_s < seconds_s:
        seed = first + runs + growths
        chance = random.Random(seed)
        grow = chance.random() < GROWTH_SHARE
        try:
            (growth if grow else once)(chance)
        except Exception:  # noqa: BLE001 # the top loop: every failure is what is looked for
            traceback.print_exc()
            print(f"FAILED {name}: FUZZ_SEED={seed} repeats it as the first input")
            return 1
        runs, growths = runs + (not grow), growths + grow
    print(f"ok     {name}: {runs} inputs, {growths} growth checks in {seconds_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
