"""Checks that what downloads is run again where it failed for a moment, and no oftener than meant.

It downloads nothing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from installers.patience import run_patiently
from tests.support.surroundings import ROOT

# Fails until it has been run so often as its first argument says.
_FAILS_FIRST = """
import pathlib, sys
tries = pathlib.Path("tries")
done = len(tries.read_text()) + 1 if tries.exists() else 1
tries.write_text("x" * done)
print("try", done)
sys.exit(0 if done >= int(sys.argv[1]) else 7)
"""


def command(succeeds_at: int) -> list[str]:
    return [sys.executable, "-c", _FAILS_FIRST, str(succeeds_at)]


@pytest.mark.parametrize(("succeeds_at", "tries", "status"), [(1, 1, 0), (3, 3, 0), (9, 4, 7)])
def test_what_fails_is_run_again_three_times_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, succeeds_at: int, tries: int, status: int
) -> None:
    paused: list[float] = []
    monkeypatch.setattr("installers.patience.time.sleep", paused.append)
    ran = run_patiently(command(succeeds_at), tmp_path)
    assert (ran.returncode, ran.stdout.strip()) == (status, f"try {tries}")
    assert paused == [5.0, 20.0, 60.0][: tries - 1]


def test_what_hangs_is_ended_and_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("installers.patience.time.sleep", lambda _pause_s: None)
    hangs_once = "[ -e tried ] || { touch tried; exec sleep 600; }; echo done"
    ran = run_patiently(["sh", "-c", hangs_once], tmp_path, timeout_s=5.0)
    assert (ran.returncode, ran.stdout) == (0, "done\n")


@pytest.mark.parametrize(("succeeds_at", "tries", "status"), [(1, 1, 0), (3, 3, 0), (9, 4, 7)])
def test_the_scripts_do_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, succeeds_at: int, tries: int, status: int
) -> None:
    sleep = tmp_path / "bin" / "sleep"
    sleep.parent.mkdir()
    sleep.write_text('#!/bin/sh\necho "$1" >>pauses\n')
    sleep.chmod(0o755)
    monkeypatch.setenv("PATH", str(sleep.parent), prepend=":")
    again = ROOT / ".ci" / "again"
    ran = subprocess.run([again, *command(succeeds_at)], cwd=tmp_path, check=False)
    assert (ran.returncode, len((tmp_path / "tries").read_text())) == (status, tries)
    pauses = tmp_path / "pauses"
    told = pauses.read_text().split() if pauses.exists() else []
    assert told == ["5", "20", "60"][: tries - 1]
