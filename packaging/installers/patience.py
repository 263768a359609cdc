"""Owns how often a client of a registry is run again where a broken line may have stopped it.

It never judges what came: hashes do.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

PAUSES_S = (5.0, 20.0, 60.0)


def run_patiently(
    command: Sequence[str],
    folder: Path | None = None,
    *,
    captured: bool = True,
    timeout_s: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command that downloads, again after each of PAUSES_S while it fails.

    Returns how the last try ended; `captured` keeps what it says, else it says it here. Raises
    OSError where the program is missing, and TimeoutExpired after `timeout_s` of the last try.
    """

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=captured,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    for pause_s in PAUSES_S:
        with contextlib.suppress(subprocess.TimeoutExpired):
            ran = run()
            if ran.returncode == 0:
                return ran
        print(f"{Path(command[0]).name} failed; again in {pause_s:.0f} s")
        time.sleep(pause_s)
    return run()
